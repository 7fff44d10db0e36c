#include "storage/rollup/sketches.h"

#include "storage/base/check.h"
#include "storage/model/stale_marker.h"
#include "storage/rollup/buckets.h"

namespace tidemark::rollup {

void SketchArrays::Append(int64_t number, std::span<const model::SketchBin> of_bucket) {
  bucket.push_back(number);
  bins.insert(bins.end(), of_bucket.begin(), of_bucket.end());
  end.push_back(static_cast<uint32_t>(bins.size()));
}

void SketchArrays::Clear() {
  bucket.clear();
  end.clear();
  bins.clear();
}

SketchArrays BuildSketches(const model::Column& column, int64_t width_ns) {
  TM_CHECK(width_ns > 0);
  SketchArrays out{.ref = column.ref, .width_ns = width_ns};
  if (column.type == model::FieldType::kString) return out;
  model::QuantileSketch sketch;
  for (size_t begin = 0; begin < column.size();) {
    const int64_t bucket = BucketOf(column.times[begin], width_ns);
    const size_t end = begin + column.times.Slice(begin, column.size()).UpperBound(BucketEnd(bucket, width_ns));
    sketch.Clear();
    for (size_t row = begin; row < end; ++row) {
      const double value = column.floats != nullptr ? column.floats[row] : model::DoubleAt(column, row);
      if (!model::IsStaleMarker(value)) sketch.Add(value);
    }
    if (sketch.count() > 0) out.Append(bucket, sketch.bins());
    begin = end;
  }
  return out;
}

SketchArrays Coarsen(const SketchArrays& sketches, int64_t factor) {
  TM_CHECK(factor > 0);
  SketchArrays out{.ref = sketches.ref, .width_ns = sketches.width_ns * factor};
  model::QuantileSketch sketch;
  for (size_t begin = 0; begin < sketches.size();) {
    const int64_t bucket = BucketOf(sketches.bucket[begin], factor);
    sketch.Clear();
    size_t i = begin;
    for (; i < sketches.size() && BucketOf(sketches.bucket[i], factor) == bucket; ++i) sketch.Merge(sketches.BinsOf(i));
    out.Append(bucket, sketch.bins());
    begin = i;
  }
  return out;
}

void EraseInside(model::TimeRange range, SketchArrays* sketches) {
  if (range.empty()) return;
  SketchArrays out{.ref = sketches->ref, .width_ns = sketches->width_ns};
  for (size_t i = 0; i < sketches->size(); ++i) {
    const int64_t bucket = sketches->bucket[i];
    const bool before = BucketEnd(bucket, sketches->width_ns) < range.first.ns;
    const bool behind = BucketEnd(bucket - 1, sketches->width_ns) >= range.last.ns;
    if (before || behind) out.Append(bucket, sketches->BinsOf(i));
  }
  *sketches = std::move(out);
}

}  // namespace tidemark::rollup
