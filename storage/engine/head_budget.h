// HeadBudget: keeps rows that are not in pages yet within their memory. Writers say what they add; when heads are full
// they ask the background for slabs, and when they are twice as full they wait for them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stop_token>

#include "storage/base/mutex.h"

namespace tidemark::storage {

// Thread-safe.
class HeadBudget {
 public:
  // Bytes of all heads beyond which slabs are made.
  explicit HeadBudget(uint64_t bytes) : budget_bytes_(bytes) {}

  // Whether so many points have been added since the heads were last weighed that they are to be weighed again.
  [[nodiscard]] bool Added(uint64_t points) {
    if (points_unweighed_.fetch_add(points, std::memory_order_relaxed) + points < kPointsPerWeighing) return false;
    points_unweighed_.store(0, std::memory_order_relaxed);
    return true;
  }
  // What all heads weigh now. Returns whether they are full.
  bool Weighed(uint64_t bytes) {
    bytes_.store(bytes, std::memory_order_relaxed);
    return bytes >= budget_bytes_;
  }

  // Wakes the background, and waits while heads are twice as full as they may be, until `closing`.
  void AskForSlabs(const std::atomic<bool>& closing) {
    MutexLock lock(mutex_);
    wanted_ = true;
    wake_.NotifyAll();
    while (bytes_.load(std::memory_order_relaxed) > 2 * budget_bytes_ && !closing.load()) slabs_made_.Wait(mutex_);
  }
  void SlabsMade(uint64_t bytes) {
    bytes_.store(bytes, std::memory_order_relaxed);
    MutexLock lock(mutex_);
    slabs_made_.NotifyAll();
  }

  // Of the background: returns when somebody asks, after `longest`, or when `stop` is requested (see WakeAll).
  void WaitUntilAsked(std::chrono::nanoseconds longest, const std::stop_token& stop) {
    MutexLock lock(mutex_);
    if (!wanted_ && !stop.stop_requested()) wake_.WaitFor(mutex_, longest);
    wanted_ = false;
  }
  // At the end: nobody waits any more.
  void WakeAll() {
    MutexLock lock(mutex_);
    wanted_ = true;
    wake_.NotifyAll();
    slabs_made_.NotifyAll();
  }

 private:
  // Often enough to keep to a budget of megabytes.
  static constexpr uint64_t kPointsPerWeighing = uint64_t{32} * 1024;

  const uint64_t budget_bytes_;
  std::atomic<uint64_t> points_unweighed_ = 0;
  std::atomic<uint64_t> bytes_ = 0;  // at the last look
  Mutex mutex_;
  CondVar wake_;
  CondVar slabs_made_;
  bool wanted_ TM_GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::storage
