#include "tools/server/http/worker_set.h"

#include <pthread.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "storage/base/background.h"

namespace tidemark::http {

WorkerSet::WorkerSet(std::string name, Threads threads, size_t queue_max, Urgency urgency)
    : name_(name.substr(0, 15)),
      kept_(threads.kept),
      most_(std::max(threads.kept, threads.most)),
      queue_max_(queue_max),
      urgency_(urgency) {
  MutexLock lock(mutex_);
  while (threads_.size() < kept_) AddThreadLocked();
}

void WorkerSet::AddThreadLocked() {
  // These have nothing left to do but to end.
  for (const uint64_t id : std::exchange(ended_, {})) threads_.erase(id);
  const uint64_t id = ++made_;
  ++starting_;
  std::jthread& thread = threads_.emplace(id, std::jthread([this, id] { Work(id); })).first->second;
  pthread_setname_np(thread.native_handle(), name_.c_str());
}

void WorkerSet::Stop() {
  std::map<uint64_t, std::jthread> threads;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    for (Idle* const idle : idle_) idle->wake.NotifyOne();
    threads.swap(threads_);
  }
}

bool WorkerSet::TrySubmit(Task task, std::string_view source) {
  MutexLock lock(mutex_);
  return SubmitLocked(std::move(task), source);
}

bool WorkerSet::TrySubmitNow(Task task) {
  MutexLock lock(mutex_);
  // Threads that are being made will take from the queue.
  return (idle_.size() > reserved_ || queue_.size() < starting_) && SubmitLocked(std::move(task), {});
}

bool WorkerSet::SubmitLocked(Task task, std::string_view source) {
  if (stopping_) return false;
  if (idle_.size() > reserved_) {
    WakeLocked(std::move(task));
    return true;
  }
  if (threads_.size() - ended_.size() < most_ && queue_.size() >= starting_) AddThreadLocked();
  // What a thread that is being made will take does not wait.
  if (queue_.size() >= starting_ && !queue_.HasPlace(source, queue_max_)) return false;
  queue_.Push(source, std::move(task));
  return true;
}

void WorkerSet::WakeLocked(Task task) {
  Idle* const idle = idle_.back();
  idle_.pop_back();
  idle->task = std::move(task);
  // Under the mutex: once it is unlocked the thread may go on, and `idle` with it.
  idle->wake.NotifyOne();
}

bool WorkerSet::TryReserve() {
  MutexLock lock(mutex_);
  if (stopping_ || idle_.size() <= reserved_) return false;
  ++reserved_;
  return true;
}

void WorkerSet::SubmitReserved(Task task) {
  MutexLock lock(mutex_);
  --reserved_;
  if (!stopping_) WakeLocked(std::move(task));
}

void WorkerSet::CancelReservation() {
  MutexLock lock(mutex_);
  --reserved_;
  // Came while the thread was kept.
  if (stopping_ || queue_.empty()) return;
  WakeLocked(queue_.Pop());
}

size_t WorkerSet::queued() const {
  MutexLock lock(mutex_);
  return queue_.size();
}

size_t WorkerSet::idle() const {
  MutexLock lock(mutex_);
  return idle_.size();
}

WorkerSet::Task WorkerSet::Next(bool first) {
  MutexLock lock(mutex_);
  if (first) --starting_;
  if (!queue_.empty()) return queue_.Pop();
  Idle self;
  if (!stopping_) {
    idle_.push_back(&self);
    AwaitTask(&self);
  }
  if (!self.task) std::erase(idle_, &self);
  return std::move(self.task);
}

void WorkerSet::AwaitTask(Idle* self) {
  while (!self->task && !stopping_) {
    if (threads_.size() - ended_.size() <= kept_) {
      self->wake.Wait(mutex_);
    } else if (!self->wake.WaitFor(mutex_, kIdleTime) && !self->task && idle_.size() > reserved_ &&
               threads_.size() - ended_.size() > kept_) {
      return;
    }
  }
}

size_t WorkerSet::threads() const {
  MutexLock lock(mutex_);
  return threads_.size() - ended_.size();
}

void WorkerSet::Work(uint64_t id) {
  for (Task task = Next(true); task; task = Next(false)) {
    std::optional<BackgroundScope> background;
    if (urgency_ == Urgency::kBackground) background.emplace();
    task();
    task = nullptr;  // what it holds must not wait for the next one
  }
  MutexLock lock(mutex_);
  if (!stopping_) ended_.push_back(id);
}

}  // namespace tidemark::http
