// WorkingMemory: what a fold holds at once, in bytes.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "storage/model/column.h"

namespace tidemark::storage::partition {

// The memory that a buffer keeps, used or not.
inline size_t HeldBy(const model::ColumnBuffer& buffer) {
  return buffer.times.capacity() * sizeof(int64_t) + buffer.ints.capacity() * sizeof(int64_t) +
         buffer.floats.capacity() * sizeof(double) + buffer.strings.capacity() * sizeof(std::string_view) +
         buffer.text.capacity();
}

// Thread-safe.
class WorkingMemory {
 public:
  void Take(uint64_t bytes) {
    const uint64_t now = now_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    uint64_t peak = peak_.load(std::memory_order_relaxed);
    while (peak < now && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
    }
  }
  void GiveBack(uint64_t bytes) { now_.fetch_sub(bytes, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t now() const { return now_.load(std::memory_order_relaxed); }
  // The most that there was at once.
  [[nodiscard]] uint64_t peak() const { return peak_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> now_ = 0;
  std::atomic<uint64_t> peak_ = 0;
};

// What one holder has of it; given back with it. Not thread-safe.
class MemoryShare {
 public:
  // `memory` may be null, and outlives this.
  explicit MemoryShare(WorkingMemory* memory) : memory_(memory) {}
  ~MemoryShare() { Set(0); }
  MemoryShare(const MemoryShare&) = delete;
  MemoryShare& operator=(const MemoryShare&) = delete;

  // So many bytes from now on.
  void Set(uint64_t bytes) {
    if (memory_ != nullptr && bytes > bytes_) memory_->Take(bytes - bytes_);
    if (memory_ != nullptr && bytes < bytes_) memory_->GiveBack(bytes_ - bytes);
    bytes_ = bytes;
  }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  WorkingMemory* const memory_;
  uint64_t bytes_ = 0;
};

}  // namespace tidemark::storage::partition
