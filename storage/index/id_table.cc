#include "storage/index/id_table.h"

#include <algorithm>
#include <utility>

namespace tidemark::index {

void IdTable::Place(Slot slot) {
  Slot* const slots = this->slots();
  size_t at = Home(slot.hash);
  while (slots[at].id != 0) at = at + 1 == capacity_ ? 0 : at + 1;
  slots[at] = slot;
}

void IdTable::Resize(size_t capacity) {
  const ZeroedMemory old = std::exchange(memory_, ZeroedMemory(capacity * sizeof(Slot)));
  const size_t old_capacity = std::exchange(capacity_, memory_.bytes() / sizeof(Slot));
  const Slot* const slots = static_cast<const Slot*>(old.data());
  for (size_t i = 0; i < old_capacity; ++i) {
    if (slots[i].id != 0) Place(slots[i]);
  }
}

void IdTable::Insert(uint32_t hash, uint32_t id) {
  if ((size_ + 1) * 4 > capacity_ * 3) Resize(std::max<size_t>(32, capacity_ + capacity_ / 4));
  Place({hash, id});
  ++size_;
}

void IdTable::Replace(uint32_t hash, uint32_t known, uint32_t id) {
  Slot* const slots = this->slots();
  size_t at = Home(hash);
  while (slots[at].id != known) at = at + 1 == capacity_ ? 0 : at + 1;
  slots[at].id = id;
}

void IdTable::Reserve(size_t count) {
  if (count * 4 > capacity_ * 3) Resize(count + count / 2);
}

}  // namespace tidemark::index
