#include "ingest/native/series_ids.h"

#include <algorithm>

namespace tidemark::native {

bool SeriesIds::Find(uint64_t index, std::span<const model::Row> rows, model::SeriesId* ids) const {
  ReaderLock lock(mutex_);
  for (const Ids& known : all_) {
    if (known.index != index) continue;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].number >= known.of.size()) return false;
      ids[i] = known.of[rows[i].number];
      if (model::Number(ids[i]) == 0) return false;
    }
    return true;
  }
  return false;
}

void SeriesIds::Learn(uint64_t index, std::span<const model::Row> rows, const model::SeriesId* ids) {
  WriterLock lock(mutex_);
  auto known = all_.begin();
  while (known != all_.end() && known->index != index) ++known;
  if (known == all_.end()) {
    if (all_.size() == kIndexes) all_.erase(all_.begin());
    known = all_.insert(all_.end(), {index, {}});
  }
  uint32_t highest = 0;
  for (size_t i = 0; i < rows.size(); ++i) highest = std::max(highest, rows[i].number);
  if (!rows.empty() && highest >= known->of.size()) known->of.resize(size_t{highest} + 1);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (model::Number(ids[i]) != 0) known->of[rows[i].number] = ids[i];
  }
}

}  // namespace tidemark::native
