// TierReader: reads buckets from a tier page. A view: the bytes must outlive it. Immutable and thread-safe. Damaged
// bytes give kCorruption.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/ids.h"
#include "storage/model/timestamp.h"
#include "storage/page/page_reader.h"
#include "storage/rollup/buckets.h"

namespace tidemark::rollup {

class TierReader {
 public:
  // Errors as page::PageReader::Open.
  static Result<TierReader> Open(std::string_view bytes, page::Checksum checksum);

  [[nodiscard]] int64_t width_ns() const { return width_ns_; }
  [[nodiscard]] model::FieldType type() const { return type_; }
  [[nodiscard]] model::FieldId field() const { return field_; }
  // The series of the page, ascending and unique.
  [[nodiscard]] const std::vector<model::SeriesId>& series() const { return series_; }

  // Replaces `out` with the buckets of a series that lie whole inside `range` (bucket start + 1 >= range.first,
  // bucket end <= range.last). Empty when there are none, or when the page does not have the series.
  [[nodiscard]] Result<void> Read(model::SeriesId series, model::TimeRange range, BucketArrays* out) const;

 private:
  static constexpr size_t kColumns = 10;

  TierReader() = default;

  std::string_view columns_[kColumns];  // each one int frame of buckets_ values
  int64_t width_ns_ = 0;
  model::FieldType type_ = model::FieldType::kFloat;
  model::FieldId field_{};
  size_t buckets_ = 0;
  std::vector<model::SeriesId> series_;
  std::vector<uint32_t> ends_;   // per series: its buckets are [ends_[i - 1], ends_[i])
  std::vector<uint8_t> scales_;  // per series
  std::vector<uint8_t> flags_;   // per series: see FORMAT.md
};

}  // namespace tidemark::rollup
