// TierReader: reads buckets from a tier page. A view: the bytes must outlive it. Immutable and thread-safe. Damaged
// bytes give kCorruption.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/ids.h"
#include "storage/model/timestamp.h"
#include "storage/page/page_format.h"
#include "storage/rollup/buckets.h"
#include "storage/rollup/tier_format.h"

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

  // Makes every Read cheap, for whoever reads most of the page.
  [[nodiscard]] Result<void> DecodeAll();
  // Replaces `out` with the buckets of a series that lie whole inside `range` (bucket start + 1 >= range.first,
  // bucket end <= range.last). Empty when there are none, or when the page does not have the series.
  [[nodiscard]] Result<void> Read(model::SeriesId series, model::TimeRange range, BucketArrays* out) const;

 private:
  struct Entry {
    uint32_t begin = 0;  // its buckets are [begin, end) of the page
    uint32_t end = 0;
    int64_t first_bucket = 0;
    uint8_t scale = 0;
    uint8_t flags = 0;
  };

  TierReader() = default;

  std::array<std::vector<int64_t>, kBucketColumns> decoded_;  // of all buckets, or empty
  std::array<std::string_view, kBucketColumns> columns_;      // each one int frame of buckets_ values; empty: all zero
  int64_t width_ns_ = 0;
  model::FieldType type_ = model::FieldType::kFloat;
  model::FieldId field_{};
  size_t buckets_ = 0;
  std::vector<model::SeriesId> series_;
  std::vector<Entry> entries_;  // of series_
};

}  // namespace tidemark::rollup
