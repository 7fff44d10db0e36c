// WorkDeque: the bounded work-stealing deque of Chase and Lev. Its owner pushes and pops at the bottom (last in, first
// out); any other thread steals from the top (first in, first out).
//
// Source: D. Chase, Y. Lev, "Dynamic Circular Work-Stealing Deque", SPAA 2005; orderings after Lê, Pop, Cohen, Zappa
// Nardelli, "Correct and Efficient Work-Stealing for Weak Memory Models", PPoPP 2013, with sequentially consistent
// accesses in place of fences, which the thread sanitizer does not follow. The ring does not grow: Push fails instead,
// so that no ring has to be reclaimed while a thief reads it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tidemark::executor {

// Push, Pop and Bottom: the owning thread only. Steal and empty: any thread. Does not own what it points to.
template <typename T, size_t kCapacity>
class WorkDeque {
  static_assert((kCapacity & (kCapacity - 1)) == 0, "the capacity is a power of two");

 public:
  // False when the deque is full.
  bool Push(T* item) {
    const int64_t bottom = bottom_.load(std::memory_order_relaxed);
    if (bottom - top_.load(std::memory_order_acquire) >= static_cast<int64_t>(kCapacity)) return false;
    Cell(bottom).store(item, std::memory_order_relaxed);
    // Sequentially consistent: the owner looks next whether somebody sleeps (IdleGate).
    bottom_.store(bottom + 1, std::memory_order_seq_cst);
    return true;
  }

  // The item pushed last, or null when there is none or a thief was faster.
  T* Pop() {
    const int64_t bottom = bottom_.load(std::memory_order_relaxed) - 1;
    // Without this look the owner of an empty deque would write to a shared line each time it searches.
    if (top_.load(std::memory_order_relaxed) > bottom) return nullptr;
    bottom_.store(bottom, std::memory_order_seq_cst);
    int64_t top = top_.load(std::memory_order_seq_cst);
    if (top > bottom) {
      bottom_.store(bottom + 1, std::memory_order_relaxed);
      return nullptr;
    }
    T* item = Cell(bottom).load(std::memory_order_relaxed);
    if (top == bottom) {
      // The last item: thieves want it too.
      if (!top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst)) item = nullptr;
      bottom_.store(bottom + 1, std::memory_order_relaxed);
    }
    return item;
  }

  // What Pop would try to take; null when the deque is empty. A thief may take it at any time.
  [[nodiscard]] T* Bottom() const {
    const int64_t bottom = bottom_.load(std::memory_order_relaxed);
    if (top_.load(std::memory_order_relaxed) >= bottom) return nullptr;
    return Cell(bottom - 1).load(std::memory_order_relaxed);
  }

  // The item pushed first, or null when there is none or somebody else was faster.
  T* Steal() {
    int64_t top = top_.load(std::memory_order_seq_cst);
    if (top >= bottom_.load(std::memory_order_seq_cst)) return nullptr;
    T* const item = Cell(top).load(std::memory_order_relaxed);
    if (!top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst)) return nullptr;
    return item;
  }

  [[nodiscard]] bool empty() const {
    return top_.load(std::memory_order_seq_cst) >= bottom_.load(std::memory_order_seq_cst);
  }

 private:
  std::atomic<T*>& Cell(int64_t at) { return cells_[static_cast<size_t>(at) & (kCapacity - 1)]; }
  const std::atomic<T*>& Cell(int64_t at) const { return cells_[static_cast<size_t>(at) & (kCapacity - 1)]; }

  // On lines of their own: thieves write one, the owner the other.
  alignas(64) std::atomic<int64_t> top_{0};
  alignas(64) std::atomic<int64_t> bottom_{0};
  alignas(64) std::array<std::atomic<T*>, kCapacity> cells_{};
};

}  // namespace tidemark::executor
