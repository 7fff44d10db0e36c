// SeriesTable: every series as its measurement and the ids of its label pairs, and the way back: which series has
// exactly these. As pair ids are shared by all series, a series of 10 tags costs 52 bytes here and up to 14 in the
// table of the way back, whatever its text. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "storage/index/chunked_vector.h"
#include "storage/index/id_table.h"

namespace tidemark::index {

class SeriesTable {
 public:
  // A series with more tags than this is refused by the index: it would not fit into a block.
  static constexpr size_t kMaxTags = 65'535;

  explicit SeriesTable(uint64_t seed) : seed_(seed) {}

  // The series of a measurement and pairs (in the order in which it was added), 0 when there is none.
  [[nodiscard]] uint32_t Find(uint32_t measurement, std::span<const uint32_t> pairs) const;
  // Adds a series that is not there, with at most kMaxTags pairs, and returns its id: ids are dense from 1 on.
  uint32_t Add(uint32_t measurement, std::span<const uint32_t> pairs);
  // Whether Add has room: series are addressed by 32 bits in units of 4 bytes, 16 GiB in all.
  [[nodiscard]] bool HasRoom() const { return blocks_.size() < kMaxBlocks; }

  // For ids in [1, size()].
  [[nodiscard]] uint32_t measurement(uint32_t id) const { return Record(id)[0]; }
  [[nodiscard]] std::span<const uint32_t> pairs(uint32_t id) const {
    const uint32_t* const record = Record(id);
    return {record + 2, record[1]};
  }

  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(offsets_.size()); }
  void Reserve(size_t count) { table_.Reserve(count); }
  [[nodiscard]] size_t memory_bytes() const {
    return offsets_.memory_bytes() + table_.memory_bytes() + blocks_.size() * kBlock * sizeof(uint32_t);
  }

 private:
  static constexpr uint32_t kBlock = 1 << 17;  // numbers in a block: 512 KiB
  static constexpr size_t kMaxBlocks = (size_t{1} << 32) / kBlock;

  // measurement, number of pairs, pairs
  [[nodiscard]] const uint32_t* Record(uint32_t id) const {
    const uint32_t offset = offsets_[id - 1];
    return blocks_[offset / kBlock].get() + offset % kBlock;
  }
  [[nodiscard]] uint32_t HashOf(uint32_t measurement, std::span<const uint32_t> pairs) const;

  uint64_t seed_;
  IdTable table_;
  ChunkedVector<uint32_t> offsets_;
  std::vector<std::unique_ptr<uint32_t[]>> blocks_;
  uint32_t used_ = kBlock;  // of the last block
};

}  // namespace tidemark::index
