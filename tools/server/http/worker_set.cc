#include "tools/server/http/worker_set.h"

#include <pthread.h>

#include <optional>
#include <utility>

#include "storage/base/background.h"

namespace tidemark::http {

WorkerSet::WorkerSet(std::string name, size_t threads, size_t queue_max, Urgency urgency)
    : queue_max_(queue_max), urgency_(urgency), starting_(threads) {
  threads_.reserve(threads);
  for (size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Work(); });
    pthread_setname_np(threads_.back().native_handle(), name.substr(0, 15).c_str());
  }
}

void WorkerSet::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    for (Idle* const idle : idle_) idle->wake.NotifyOne();
  }
  threads_.clear();
}

bool WorkerSet::TrySubmit(Task task) {
  MutexLock lock(mutex_);
  return SubmitLocked(std::move(task));
}

bool WorkerSet::TrySubmitNow(Task task) {
  MutexLock lock(mutex_);
  // Threads that are being made will take from the queue.
  return (idle_.size() > reserved_ || queue_.size() < starting_) && SubmitLocked(std::move(task));
}

bool WorkerSet::SubmitLocked(Task task) {
  if (stopping_) return false;
  if (idle_.size() > reserved_) {
    WakeLocked(std::move(task));
    return true;
  }
  if (queue_.size() >= queue_max_) return false;
  queue_.push_back(std::move(task));
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
  WakeLocked(std::move(queue_.front()));
  queue_.pop_front();
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
  if (!queue_.empty()) {
    Task task = std::move(queue_.front());
    queue_.pop_front();
    return task;
  }
  Idle self;
  if (!stopping_) idle_.push_back(&self);
  while (!self.task && !stopping_) self.wake.Wait(mutex_);
  if (!self.task) std::erase(idle_, &self);
  return std::move(self.task);
}

void WorkerSet::Work() {
  for (Task task = Next(true); task; task = Next(false)) {
    std::optional<BackgroundScope> background;
    if (urgency_ == Urgency::kBackground) background.emplace();
    task();
    task = nullptr;  // what it holds must not wait for the next one
  }
}

}  // namespace tidemark::http
