// HeadBudget: keeps rows that are not in pages yet within their memory. Writers say what they add; when heads are full
// they ask the background for slabs, and when they are twice as full they wait for them.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <stop_token>

#include "storage/base/mutex.h"

namespace tidemark::storage {

// Thread-safe.
class HeadBudget {
 public:
  // `bytes`: of all heads, beyond which slabs are made.
  explicit HeadBudget(uint64_t bytes) : budget_bytes_(bytes) {}

  [[nodiscard]] uint64_t budget_bytes() const { return budget_bytes_; }

  // Whether so much has been added since the heads were last weighed that they are to be weighed again.
  // `record_bytes`: of the journal's record, which says how long strings are.
  [[nodiscard]] bool Added(uint64_t points, uint64_t record_bytes) {
    const uint64_t bytes = points * kPointBytes + record_bytes;
    if (unweighed_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes < kBytesPerWeighing) return false;
    unweighed_bytes_.store(0, std::memory_order_relaxed);
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
    const uint64_t began = rounds_;
    while (bytes_.load(std::memory_order_relaxed) > 2 * budget_bytes_ && !closing.load()) slabs_made_.Wait(mutex_);
    longest_wait_ = std::max(longest_wait_, rounds_ - began);
  }
  // Of the background, each time that it has looked whether slabs are to be made, whether it made any or not: what a
  // writer has weighed may be of before.
  void SlabsMade(uint64_t bytes) {
    bytes_.store(bytes, std::memory_order_relaxed);
    MutexLock lock(mutex_);
    ++rounds_;
    slabs_made_.NotifyAll();
  }
  // How many rounds of SlabsMade the writer that waited longest has waited.
  [[nodiscard]] uint64_t longest_wait() const {
    MutexLock lock(mutex_);
    return longest_wait_;
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
  // A point in a head, about. Weighing looks at all databases: seldom, and often enough to keep to a budget of
  // megabytes.
  static constexpr uint64_t kPointBytes = 32;
  static constexpr uint64_t kBytesPerWeighing = uint64_t{1} << 20;

  const uint64_t budget_bytes_;
  std::atomic<uint64_t> unweighed_bytes_ = 0;
  std::atomic<uint64_t> bytes_ = 0;  // at the last look
  mutable Mutex mutex_;
  CondVar wake_;
  CondVar slabs_made_;
  bool wanted_ TM_GUARDED_BY(mutex_) = false;
  uint64_t rounds_ TM_GUARDED_BY(mutex_) = 0;
  uint64_t longest_wait_ TM_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::storage
