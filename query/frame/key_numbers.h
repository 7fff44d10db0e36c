// KeyNumbers: numbers things by their keys, 0, 1, 2, ... in the order in which new keys come. The keys stay where they
// are: the table holds their hashes, and asks whether two are equal. One block of memory, so that a million keys cost
// no million allocations, neither when they come nor when they go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tidemark::query::frame {

// Not thread-safe.
class KeyNumbers {
 public:
  // `expected` keys, about: that many fit without the table being laid out anew.
  explicit KeyNumbers(size_t expected) {
    size_t slots = kFewest;
    while (slots < 2 * expected) slots *= 2;
    slots_.resize(slots);
  }

  // The number of the key with `hash` for which equals(number) is true, and false; a new number and true when there is
  // none. Fewer than 2^32 - 1 keys.
  template <typename Equals>
  std::pair<uint32_t, bool> NumberOf(uint64_t hash, const Equals& equals) {
    if (2 * (size_ + 1) > slots_.size()) Grow();
    const size_t mask = slots_.size() - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
      Slot& slot = slots_[at];
      if (slot.number_and_one == 0) {
        slot = {hash, ++size_};
        return {size_ - 1, true};
      }
      if (slot.hash == hash && equals(slot.number_and_one - 1)) return {slot.number_and_one - 1, false};
    }
  }

  [[nodiscard]] size_t size() const { return size_; }

 private:
  static constexpr size_t kFewest = 16;
  struct Slot {
    uint64_t hash = 0;
    uint32_t number_and_one = 0;  // 0: free
  };

  void Grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    const size_t mask = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.number_and_one == 0) continue;
      size_t at = slot.hash & mask;
      while (slots_[at].number_and_one != 0) at = (at + 1) & mask;
      slots_[at] = slot;
    }
  }

  uint32_t size_ = 0;
  std::vector<Slot> slots_;  // a power of two, at most half of them taken
};

}  // namespace tidemark::query::frame
