// WorkerSet: a bounded number of threads with a bounded queue, for requests that may block: a write waits for the
// disk, a query may run long. Not the pool of executor/pool: its workers must not sit and wait.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "storage/base/mutex.h"

namespace tidemark::http {

// Thread-safe.
class WorkerSet {
 public:
  using Task = std::move_only_function<void()>;

  // `name` shows in thread lists (15 bytes at most). `threads` >= 1; at most `queue_max` tasks wait.
  WorkerSet(std::string name, size_t threads, size_t queue_max);
  ~WorkerSet() { Stop(); }
  WorkerSet(const WorkerSet&) = delete;
  WorkerSet& operator=(const WorkerSet&) = delete;

  // false: the queue is full or the set is stopping; `task` was not taken. Tasks must not throw.
  bool TrySubmit(Task task);
  // As TrySubmit, but also false when no thread is free to start it at once.
  bool TrySubmitNow(Task task);

  // Takes no more tasks, runs what is queued, then joins. Idempotent.
  void Stop();

  // Tasks that wait.
  [[nodiscard]] size_t queued() const;

 private:
  void Work();

  const size_t threads_max_;
  const size_t queue_max_;
  mutable Mutex mutex_;
  CondVar wake_;
  std::deque<Task> queue_ TM_GUARDED_BY(mutex_);
  size_t busy_ TM_GUARDED_BY(mutex_) = 0;
  bool stopping_ TM_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;
};

}  // namespace tidemark::http
