// IdTable: a hash table of ids whose keys live elsewhere. A slot is 8 bytes: the id and 32 bits of the key's hash,
// which are enough to grow without looking at the keys. 11 to 14 bytes per id. Not thread-safe.
#pragma once

#include <cstdint>

#include "storage/index/zeroed_memory.h"

namespace tidemark::index {

class IdTable {
 public:
  // The first id that was inserted with `hash` and for which `equals(id)`; 0 when there is none.
  template <typename Equals>
  [[nodiscard]] uint32_t Find(uint32_t hash, const Equals& equals) const {
    if (capacity_ == 0) return 0;
    const Slot* const slots = this->slots();
    for (size_t at = Home(hash); slots[at].id != 0; at = at + 1 == capacity_ ? 0 : at + 1) {
      if (slots[at].hash == hash && equals(slots[at].id)) return slots[at].id;
    }
    return 0;
  }

  // `id` is not 0 and its key is not in the table.
  void Insert(uint32_t hash, uint32_t id);

  // Puts `id` in the place of `known`, which was inserted with `hash` and has the same key.
  void Replace(uint32_t hash, uint32_t known, uint32_t id);

  // Makes room for `count` ids in one step.
  void Reserve(size_t count);

  void Prefetch(uint32_t hash) const {
    if (capacity_ != 0) __builtin_prefetch(slots() + Home(hash));
  }

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] size_t memory_bytes() const { return memory_.bytes(); }

 private:
  struct Slot {
    uint32_t hash;
    uint32_t id;  // 0: empty
  };

  [[nodiscard]] Slot* slots() const { return static_cast<Slot*>(memory_.data()); }
  [[nodiscard]] size_t Home(uint32_t hash) const { return (uint64_t{hash} * capacity_) >> 32; }
  void Place(Slot slot);
  void Resize(size_t capacity);

  ZeroedMemory memory_;
  size_t capacity_ = 0;
  size_t size_ = 0;
};

}  // namespace tidemark::index
