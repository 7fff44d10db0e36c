// MemoryTotal: the memory that all running queries and unsent results hold together, and its limit.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace tidemark::query::run {

// What an Error begins with that tells of a part which is full (MemoryTotal::whose).
inline constexpr std::string_view kQuotaWords = "the quota of ";

// Shared by all queries of a server. Thread-safe.
class MemoryTotal {
 public:
  // `bytes_max` 0: no limit.
  explicit MemoryTotal(uint64_t bytes_max) : bytes_max_(bytes_max) {}
  // A part of `all`, which outlives it: what is taken here is taken there too. `whose` it is, for messages.
  MemoryTotal(uint64_t bytes_max, MemoryTotal* all, std::string whose)
      : bytes_max_(bytes_max), all_(all), whose_(std::move(whose)) {}

  // False, and nothing taken, when there is not so much left.
  bool Take(uint64_t bytes) { return TakeUnlessFull(bytes) == nullptr; }
  // Null, or who has not so much left; then nothing is taken.
  const MemoryTotal* TakeUnlessFull(uint64_t bytes) {
    const uint64_t now = bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    const uint64_t bytes_max = this->bytes_max();
    const MemoryTotal* full = bytes_max != 0 && now > bytes_max ? this : nullptr;
    if (full == nullptr && all_ != nullptr) full = all_->TakeUnlessFull(bytes);
    if (full != nullptr) bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    return full;
  }
  // Takes whatever there is: for memory that is held already.
  void TakeAnyway(uint64_t bytes) {
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
    if (all_ != nullptr) all_->TakeAnyway(bytes);
  }
  void Give(uint64_t bytes) {
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    if (all_ != nullptr) all_->Give(bytes);
  }

  // "" for that of all queries.
  [[nodiscard]] const std::string& whose() const { return whose_; }

  [[nodiscard]] uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t bytes_max() const { return bytes_max_.load(std::memory_order_relaxed); }
  // What is held already stays, also beyond it.
  void set_bytes_max(uint64_t bytes_max) { bytes_max_.store(bytes_max, std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> bytes_max_;
  std::atomic<uint64_t> bytes_{0};
  MemoryTotal* const all_ = nullptr;
  const std::string whose_;
};

}  // namespace tidemark::query::run
