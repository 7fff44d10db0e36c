// Pages of sketches (page::PageKind::kSketch): those of one width of many series of one field. FORMAT.md has the
// picture.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/ids.h"
#include "storage/model/timestamp.h"
#include "storage/page/encoded_page.h"
#include "storage/page/page_format.h"
#include "storage/rollup/sketches.h"

namespace tidemark::rollup {

// Not thread-safe.
class SketchWriter {
 public:
  // All sketches added must have this width.
  explicit SketchWriter(int64_t width_ns) : width_ns_(width_ns) {}

  // For each field, series strictly ascending; fields in any order. Series without buckets are left out.
  void Add(const SketchArrays& sketches);
  // All pages, sorted by (field, first_series); part is always 0. The writer is empty afterwards.
  std::vector<page::EncodedPage> Finish();

 private:
  struct Field {
    std::vector<SketchArrays> waiting;  // of the next page
    size_t bins = 0;
    std::vector<page::EncodedPage> pages;
  };
  void Close(model::FieldId id, Field* field) const;

  const int64_t width_ns_;
  std::map<model::FieldId, Field> fields_;
};

// A view: the bytes must outlive it. Immutable and thread-safe. Damaged bytes give kCorruption.
class SketchReader {
 public:
  // Errors as page::PageReader::Open.
  static Result<SketchReader> Open(std::string_view bytes, page::Checksum checksum);

  [[nodiscard]] int64_t width_ns() const { return width_ns_; }
  // The series of the page, ascending and unique.
  [[nodiscard]] const std::vector<model::SeriesId>& series() const { return series_; }
  // Replaces `out` with the sketches of a series whose buckets lie whole inside `range`; none when the page does not
  // have the series.
  [[nodiscard]] Result<void> Read(model::SeriesId series, model::TimeRange range, SketchArrays* out) const;

 private:
  struct Entry {
    uint32_t begin = 0;  // its buckets are [begin, end) of the page
    uint32_t end = 0;
    int64_t first_bucket = 0;
  };
  SketchReader() = default;

  int64_t width_ns_ = 0;
  model::FieldId field_{};
  std::vector<model::SeriesId> series_;
  std::vector<Entry> entries_;      // of series_
  std::vector<int64_t> gaps_;       // of buckets
  std::vector<uint32_t> bin_ends_;  // of buckets
  std::string_view keys_, counts_;  // int frames of all bins; empty: all zero
};

}  // namespace tidemark::rollup
