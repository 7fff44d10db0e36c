#include "storage/index/series_table.h"

#include <algorithm>

#include "storage/base/hash.h"

namespace tidemark::index {

uint32_t SeriesTable::HashOf(uint32_t measurement, std::span<const uint32_t> pairs) const {
  const std::string_view bytes(reinterpret_cast<const char*>(pairs.data()), pairs.size_bytes());
  return static_cast<uint32_t>(Hash64(bytes, seed_ + measurement) >> 32);
}

uint32_t SeriesTable::Find(uint32_t measurement, std::span<const uint32_t> pairs) const {
  return table_.Find(HashOf(measurement, pairs), [&](uint32_t id) {
    const uint32_t* const record = Record(id);
    return record[0] == measurement && record[1] == pairs.size() && std::equal(pairs.begin(), pairs.end(), record + 2);
  });
}

uint32_t SeriesTable::Add(uint32_t measurement, std::span<const uint32_t> pairs) {
  const uint32_t need = static_cast<uint32_t>(pairs.size()) + 2;
  if (kBlock - used_ < need) {
    blocks_.push_back(std::make_unique_for_overwrite<uint32_t[]>(kBlock));
    used_ = 0;
  }
  uint32_t* const record = blocks_.back().get() + used_;
  record[0] = measurement;
  record[1] = static_cast<uint32_t>(pairs.size());
  std::copy(pairs.begin(), pairs.end(), record + 2);
  offsets_.Append(static_cast<uint32_t>((blocks_.size() - 1) * kBlock + used_));
  used_ += need;
  table_.Insert(HashOf(measurement, pairs), size());
  return size();
}

}  // namespace tidemark::index
