// MemoryTotal: the memory that all running queries and unsent results hold together, and its limit.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace tidemark::query::run {

// Shared by all queries of a server. Thread-safe.
class MemoryTotal {
 public:
  // `bytes_max` 0: no limit.
  explicit MemoryTotal(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // False, and nothing taken, when there is not so much left.
  bool Take(uint64_t bytes) {
    const uint64_t now = bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    const uint64_t bytes_max = this->bytes_max();
    if (bytes_max == 0 || now <= bytes_max) return true;
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  // Takes whatever there is: for memory that is held already.
  void TakeAnyway(uint64_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void Give(uint64_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

  [[nodiscard]] uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t bytes_max() const { return bytes_max_.load(std::memory_order_relaxed); }
  // What is held already stays, also beyond it.
  void set_bytes_max(uint64_t bytes_max) { bytes_max_.store(bytes_max, std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> bytes_max_;
  std::atomic<uint64_t> bytes_{0};
};

}  // namespace tidemark::query::run
