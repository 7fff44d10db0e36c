// Watch: keeps a Budget true to what the system says, on a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "storage/base/memory/budget.h"
#include "storage/base/memory/process_memory.h"
#include "storage/base/mutex.h"

namespace tidemark::memory {

struct WatchOptions {
  uint64_t setting_bytes = 0;  // memory.limit; 0: none
  SystemPlaces places{};
  // Called on the thread of the watch, after each look, with the level: to ask for a checkpoint. Returns quickly.
  std::function<void(Level)> looked{};
};

// Start and Stop from one thread; the rest from any.
class Watch {
 public:
  // `budget` outlives it.
  Watch(Budget* budget, WatchOptions options);
  ~Watch() { Stop(); }

  // Looks at the process each 100 ms, and at its limit each 10 s, until Stop.
  void Start();
  void Stop();
  // One look, which also gives freed memory back to the system where much of it is kept: malloc keeps what was freed
  // between two blocks that are still in use. Not while it is started.
  void LookOnce();

  // What limits the process: the least of all.
  [[nodiscard]] Ceiling ceiling() const TM_EXCLUDES(mutex_);

 private:
  void FindLimit() TM_EXCLUDES(mutex_);

  Budget& budget_;
  const WatchOptions options_;
  uint64_t trimmed_at_bytes_ = 0;  // what was not accounted after the last trim
  uint64_t looks_ = 0;
  uint64_t looks_at_trim_ = 0;
  bool trim_again_ = false;
  mutable Mutex mutex_;
  CondVar ended_;
  Ceiling ceiling_ TM_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace tidemark::memory
