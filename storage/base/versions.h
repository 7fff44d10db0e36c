// Versions: a value that is read all the time and replaced a few times in the life of a process, as the settings of a
// server are. Reading costs one load; whoever has read a version may go on with it, since none goes before its owner.
//
//   Versions<Limits> limits{Limits{}};
//   const Limits& now = limits.Now();   // any thread
//   limits.Set(next);                   // now and then
#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "storage/base/mutex.h"

namespace tidemark {

// Thread-safe. Holds as many values as were set.
template <typename T>
class Versions {
 public:
  explicit Versions(T first) { Set(std::move(first)); }
  Versions(const Versions&) = delete;
  Versions& operator=(const Versions&) = delete;

  [[nodiscard]] const T& Now() const { return *now_.load(std::memory_order_acquire); }
  void Set(T next) TM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    kept_.push_back(std::make_unique<const T>(std::move(next)));
    now_.store(kept_.back().get(), std::memory_order_release);
  }

 private:
  std::atomic<const T*> now_{nullptr};
  Mutex mutex_;
  std::vector<std::unique_ptr<const T>> kept_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark
