#include "executor/pool/inbox.h"

#include <algorithm>

namespace tidemark::executor {

Inbox::Added Inbox::AddOrWait(WorkItem* item) {
  const auto kind = static_cast<size_t>(item->kind);
  MutexLock lock(mutex_);
  Added added = Added::kQueued;
  while (!closed_ && kinds_[kind].tasks.size() >= capacity_) {
    added = Added::kQueuedAfterWait;
    ++waiting_for_room_;
    room_.Wait(mutex_);
    --waiting_for_room_;
  }
  if (closed_) return Added::kClosed;
  kinds_[kind].tasks.push_back(item);
  Publish(kind);
  return added;
}

bool Inbox::AddIfRoom(WorkItem* item) {
  const auto kind = static_cast<size_t>(item->kind);
  MutexLock lock(mutex_);
  if (kinds_[kind].tasks.size() >= capacity_) return false;
  kinds_[kind].tasks.push_back(item);
  Publish(kind);
  return true;
}

bool Inbox::AddIfOpen(WorkItem* item) {
  const auto kind = static_cast<size_t>(item->kind);
  MutexLock lock(mutex_);
  if (closed_ || kinds_[kind].tasks.size() >= capacity_) return false;
  kinds_[kind].tasks.push_back(item);
  Publish(kind);
  return true;
}

bool Inbox::Invite(ParallelLoop* loop, uint32_t helpers) {
  const auto index = static_cast<size_t>(loop->kind);
  MutexLock lock(mutex_);
  if (closed_) return false;
  Kind& kind = kinds_[index];
  loop->invitations = helpers;
  loop->list_previous = kind.last_loop;
  (kind.last_loop != nullptr ? kind.last_loop->list_next : kind.first_loop) = loop;
  kind.last_loop = loop;
  ++kind.loops;
  Publish(index);
  return true;
}

void Inbox::Withdraw(ParallelLoop* loop) {
  MutexLock lock(mutex_);
  if (loop->invitations == 0) return;
  loop->invitations = 0;
  const auto index = static_cast<size_t>(loop->kind);
  Unlink(kinds_[index], loop);
  Publish(index);
}

size_t Inbox::Take(TaskKind of_kind, std::span<WorkItem*> taken) {
  const auto index = static_cast<size_t>(of_kind);
  MutexLock lock(mutex_);
  Kind& kind = kinds_[index];
  size_t count = 0;
  if (ParallelLoop* const loop = kind.first_loop; loop != nullptr) {
    loop->Retain(1);
    if (--loop->invitations == 0) Unlink(kind, loop);
    taken[0] = loop;
    count = 1;
  } else {
    count = std::min(taken.size(), kind.tasks.size());
    for (size_t i = 0; i < count; ++i) {
      taken[i] = kind.tasks.front();
      kind.tasks.pop_front();
    }
    if (count > 0 && waiting_for_room_ > 0) room_.NotifyAll();
  }
  Publish(index);
  return count;
}

void Inbox::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
  room_.NotifyAll();
}

void Inbox::Unlink(Kind& kind, ParallelLoop* loop) {
  (loop->list_previous != nullptr ? loop->list_previous->list_next : kind.first_loop) = loop->list_next;
  (loop->list_next != nullptr ? loop->list_next->list_previous : kind.last_loop) = loop->list_previous;
  loop->list_previous = nullptr;
  loop->list_next = nullptr;
  --kind.loops;
}

void Inbox::Publish(size_t kind) {
  ready_[kind].store(kinds_[kind].tasks.size() + kinds_[kind].loops, std::memory_order_seq_cst);
}

}  // namespace tidemark::executor
