// Inbox: how work comes into the pool from threads that are not its workers: per kind, a bounded queue of tasks and a
// list of loops whose callers want helpers.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>

#include "executor/pool/parallel_loop.h"
#include "executor/pool/pool_stats.h"
#include "executor/pool/work_item.h"
#include "storage/base/mutex.h"

namespace tidemark::executor {

// Thread-safe.
class Inbox {
 public:
  // `capacity`: tasks of one kind that may wait.
  explicit Inbox(size_t capacity) : capacity_(capacity) {}

  enum class Added { kQueued, kQueuedAfterWait, kClosed };
  // Queues a task; blocks while its kind's queue is full. kClosed: not queued, and never will be.
  Added AddOrWait(WorkItem* item);
  // False when the queue is full. Workers only: it works after Close too, since workers empty the inbox before they
  // end.
  bool AddIfRoom(WorkItem* item);

  // The same from outside: false, too, once it is closed.
  bool AddIfOpen(WorkItem* item);

  // Invites up to `helpers` (>= 1) workers to a loop. Each invitation taken is a share of the loop. False when closed.
  bool Invite(ParallelLoop* loop, uint32_t helpers);
  // Takes back the invitations that are left.
  void Withdraw(ParallelLoop* loop);

  // Moves the oldest work of `kind` into `taken` and returns how much: one invitation, or up to taken.size() tasks.
  size_t Take(TaskKind kind, std::span<WorkItem*> taken);
  // Cheap; exact for work added before by the reading thread or by one that has woken it.
  [[nodiscard]] bool empty(TaskKind kind) const {
    return ready_[static_cast<size_t>(kind)].load(std::memory_order_seq_cst) == 0;
  }

  // From now on AddOrWait refuses, also for those who wait in it.
  void Close();

 private:
  struct Kind {
    std::deque<WorkItem*> tasks;
    ParallelLoop* first_loop = nullptr;
    ParallelLoop* last_loop = nullptr;
    uint32_t loops = 0;
  };

  void Unlink(Kind& kind, ParallelLoop* loop) TM_REQUIRES(mutex_);
  void Publish(size_t kind) TM_REQUIRES(mutex_);

  const size_t capacity_;
  // Tasks and loops of each kind, to be read without the mutex.
  std::array<std::atomic<size_t>, kTaskKinds> ready_{};
  Mutex mutex_;
  CondVar room_;
  std::array<Kind, kTaskKinds> kinds_ TM_GUARDED_BY(mutex_);
  uint32_t waiting_for_room_ TM_GUARDED_BY(mutex_) = 0;
  bool closed_ TM_GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::executor
