#include "tools/server/http/worker_set.h"

#include <pthread.h>

#include <utility>

namespace tidemark::http {

WorkerSet::WorkerSet(std::string name, size_t threads, size_t queue_max)
    : threads_max_(threads), queue_max_(queue_max) {
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
  }
  wake_.NotifyAll();
  threads_.clear();
}

bool WorkerSet::TrySubmit(Task task) {
  {
    MutexLock lock(mutex_);
    if (stopping_ || queue_.size() >= queue_max_) return false;
    queue_.push_back(std::move(task));
  }
  wake_.NotifyOne();
  return true;
}

bool WorkerSet::TrySubmitNow(Task task) {
  {
    MutexLock lock(mutex_);
    if (stopping_ || queue_.size() + busy_ >= threads_max_) return false;
    queue_.push_back(std::move(task));
  }
  wake_.NotifyOne();
  return true;
}

size_t WorkerSet::queued() const {
  MutexLock lock(mutex_);
  return queue_.size();
}

void WorkerSet::Work() {
  for (;;) {
    Task task;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) wake_.Wait(mutex_);
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
      ++busy_;
    }
    task();
    task = nullptr;
    MutexLock lock(mutex_);
    --busy_;
  }
}

}  // namespace tidemark::http
