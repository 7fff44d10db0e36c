// Lease: the memory that one thing holds, given back when it goes.
#pragma once

#include <cstdint>
#include <utility>

#include "storage/base/memory/memory_class.h"

namespace tidemark::memory {

class Budget;

// On one thread at a time. It takes from the budget in grains and keeps what is left of one, so that growing by little
// touches nothing that other threads use.
class Lease {
 public:
  static constexpr uint64_t kGrainBytes = uint64_t{64} << 10;

  // Of no budget: it grows without limit, and nothing is counted but bytes().
  Lease() = default;
  // Null is no budget. `budget` outlives it.
  Lease(Budget* budget, Class id) : budget_(budget), class_(id) {}
  Lease(Lease&& other) noexcept { *this = std::move(other); }
  Lease& operator=(Lease&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(class_, other.class_);
    std::swap(bytes_, other.bytes_);
    std::swap(spare_, other.spare_);
    return *this;
  }
  ~Lease() { Release(); }

  // `bytes` more. False, and nothing changed, when the budget has not so much.
  [[nodiscard]] bool Grow(uint64_t bytes) {
    if (bytes > spare_ && budget_ != nullptr) return Take(bytes);
    Use(bytes);
    return true;
  }
  // The same for memory that is held already.
  void GrowAnyway(uint64_t bytes);
  // `bytes` less, of those that it has.
  void Shrink(uint64_t bytes);
  // Makes it `bytes` in all. False, and nothing changed, when the budget has not so much.
  [[nodiscard]] bool Resize(uint64_t bytes);
  // Gives all of it back.
  void Release();

  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  friend class Budget;
  // What the budget has given already.
  Lease(Budget* budget, Class id, uint64_t taken, uint64_t bytes)
      : budget_(budget), class_(id), bytes_(bytes), spare_(taken - bytes) {}
  void Use(uint64_t bytes) {
    bytes_ += bytes;
    spare_ -= bytes < spare_ ? bytes : spare_;
  }
  [[nodiscard]] bool Take(uint64_t bytes);

  Budget* budget_ = nullptr;
  Class class_ = Class::kRequests;
  uint64_t bytes_ = 0;
  uint64_t spare_ = 0;  // taken from the budget and not in use
};

}  // namespace tidemark::memory
