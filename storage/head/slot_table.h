// SlotTable: numbers by position, 0 where none was set. It costs memory for what is set, by the page of 4 KiB, and next
// to nothing for the positions in between: a head set with a few series must not pay for the highest id that there is.
// Not thread-safe; several threads may read at once while nobody sets anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tidemark::head {

class SlotTable {
 public:
  SlotTable() = default;
  ~SlotTable();
  SlotTable(const SlotTable&) = delete;
  SlotTable& operator=(const SlotTable&) = delete;

  [[nodiscard]] uint32_t Get(size_t position) const { return position < size_ ? slots_[position] : 0; }
  void Set(size_t position, uint32_t number);

  // Memory that is really there, about.
  [[nodiscard]] size_t bytes() const {
    return mapped_bytes_ == 0 ? small_.capacity() * sizeof(uint32_t)
                              : touched_pages_ * kPageBytes + touched_.size() / 8;
  }

 private:
  static constexpr size_t kPageBytes = 4096;
  static constexpr size_t kPerPage = kPageBytes / sizeof(uint32_t);
  // Up to here the slots are an ordinary array, because a process may have many small databases.
  static constexpr size_t kSmall = 4 * kPerPage;

  void Grow(size_t size);

  uint32_t* slots_ = nullptr;
  size_t size_ = 0;
  std::vector<uint32_t> small_;
  size_t mapped_bytes_ = 0;  // 0: small_ has them
  std::vector<bool> touched_;
  size_t touched_pages_ = 0;
};

}  // namespace tidemark::head
