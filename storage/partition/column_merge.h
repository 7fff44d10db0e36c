// Merging the columns of one series out of several sources into one.
#pragma once

#include <span>
#include <vector>

#include "storage/model/column.h"
#include "storage/partition/working_memory.h"

namespace tidemark::storage::partition {

// The rows of `column` at whose time `times` has none: the column itself where that is all of them, else rows in
// `buffer`, which must hold nothing that `column` points to.
model::Column WithoutTimes(const model::Column& column, const model::Times& times, model::ColumnBuffer* buffer);

// Not thread-safe; keeps its memory from call to call.
class ColumnMerger {
 public:
  // `pieces`: columns of one series and type, none empty, in ascending precedence: of rows with the same time, that of
  // the last piece wins. A single piece is returned as it is; otherwise the result points into this object (strings:
  // to where the pieces point) until the next call. A regular timeline stays regular where the steps meet. Decimals
  // of different scales get the largest one where that is exact, and become doubles where it is not; the double of
  // every row is the same either way.
  model::Column Merge(std::span<const model::Column> pieces);
  // Of memory that it keeps.
  [[nodiscard]] size_t bytes() const { return HeldBy(buffer_) + runs_.capacity() * sizeof(model::Column); }

 private:
  // Fills runs_ with slices of the pieces, ascending and disjoint in time.
  void PlanRuns(std::span<const model::Column> pieces);
  // The runs of pieces that overlap each other.
  void PlanOverlap(std::span<const model::Column> pieces, std::span<const uint32_t> members);
  [[nodiscard]] bool JoinRegular(model::Times* times) const;
  void CopyTimes(model::Times* times);
  void CopyFloats(model::Column* out);

  std::vector<model::Column> runs_;
  std::vector<uint32_t> order_;
  std::vector<size_t> at_;
  model::ColumnBuffer buffer_;
};

}  // namespace tidemark::storage::partition
