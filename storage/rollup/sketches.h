// Sketches of buckets: what tiers that outlive raw rows keep for percentiles, one model::QuantileSketch for each
// bucket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "storage/model/column.h"
#include "storage/model/ids.h"
#include "storage/model/quantile_sketch.h"
#include "storage/model/timestamp.h"

namespace tidemark::rollup {

// Of one series, ascending. The buckets are those of BucketArrays.
struct SketchArrays {
  model::SeriesRef ref;
  int64_t width_ns = 0;
  std::vector<int64_t> bucket{};
  std::vector<uint32_t> end{};           // of each bucket's bins
  std::vector<model::SketchBin> bins{};  // of each bucket ascending by key

  [[nodiscard]] size_t size() const { return bucket.size(); }
  [[nodiscard]] std::span<const model::SketchBin> BinsOf(size_t i) const {
    const uint32_t begin = i == 0 ? 0 : end[i - 1];
    return {bins.data() + begin, end[i] - begin};
  }
  void Append(int64_t number, std::span<const model::SketchBin> of_bucket);
  void Clear();
};

// Of a numeric column. Stale markers are no rows.
SketchArrays BuildSketches(const model::Column& column, int64_t width_ns);
// `factor` times as wide.
SketchArrays Coarsen(const SketchArrays& sketches, int64_t factor);
// Takes out the buckets that have times of `range`.
void EraseInside(model::TimeRange range, SketchArrays* sketches);

}  // namespace tidemark::rollup
