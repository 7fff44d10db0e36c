// PageReader: reads the rows of a page that are asked for, straight from the page's bytes.
//
//   TM_TRY_ASSIGN(page::PageReader reader, page::PageReader::Open(bytes, page::Checksum::kVerify));
//   TM_TRY_ASSIGN(page::EntryRange found, reader.Find(series));
//   std::vector<page::Entry> entries;
//   TM_RETURN_IF_ERROR(reader.ReadEntries(found, &entries));
//   for (const page::Entry& entry : entries) {
//     if (!entry.range.Overlaps(range)) continue;
//     TM_TRY_ASSIGN(model::Column column, reader.Read(entry, range, timelines, &buffer));
//   }
//
// Opening parses the header only; the directory is decoded for the entries asked for. A reader is a view: the bytes
// must outlive it. Immutable, so any number of threads may use one. No bytes, however damaged, make it read outside
// the page: what does not add up is kCorruption.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/column.h"
#include "storage/model/ids.h"
#include "storage/model/timestamp.h"
#include "storage/page/directory.h"
#include "storage/page/encoded_page.h"
#include "storage/page/page_format.h"

namespace tidemark::page {

class PageReader;

// The page that holds a timeline (kind kTimelines, first_series <= timeline <= last_series of that page), which must
// stay until Read returns. Errors go through to the caller of Read. Callers keep the page opened last: neighbouring
// series mostly have neighbouring timelines.
using TimelineSource = std::function<Result<const PageReader*>(uint32_t timeline)>;

// Entries [begin, end) of a page.
struct EntryRange {
  size_t begin = 0;
  size_t end = 0;
  [[nodiscard]] bool empty() const { return begin == end; }
};

// Smallest and largest number of an entry, both included, in the words of model::Column (mantissa, number or bit
// pattern); ordered as the type is. NaN rows are left out.
struct Zone {
  bool known = false;  // false for strings, bools, entries of few rows and entries of nothing but NaN
  int64_t min = 0;
  int64_t max = 0;
};

enum class Zones : uint8_t {
  kRead,
  kLeave,  // saves a quarter of the time; no zone is known then
};

// A run of rows of one series: one frame.
struct Entry {
  model::SeriesId series{};  // the timeline number in a timeline page
  uint32_t rows = 0;
  model::TimeRange range;  // times of the first and of the last row
  uint32_t timeline = 0;   // 0: regular
  uint32_t frame_offset = 0;
  uint32_t frame_bytes = 0;
  uint8_t scale = 0;  // of the zone, and of the column when it is a scaled float; model::kBinaryScale for doubles
  Zone zone{};
};

class PageReader {
 public:
  // Errors: kUnsupported for another format version (naming both), kCorruption for a checksum or structure that is
  // wrong (naming expected and found).
  static Result<PageReader> Open(std::string_view bytes, Checksum checksum);

  [[nodiscard]] PageKind kind() const { return kind_; }
  [[nodiscard]] model::FieldType type() const { return type_; }
  [[nodiscard]] model::FieldId field() const { return field_; }
  [[nodiscard]] size_t entries() const { return entries_; }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

  // The entries of a series, ordered by time; empty when it has none here.
  [[nodiscard]] Result<EntryRange> Find(model::SeriesId series) const { return Find(series, series); }
  // Those of the series from `first` to `last`, both included, ordered by series and time. Only where they may be is
  // the directory decoded.
  [[nodiscard]] Result<EntryRange> Find(model::SeriesId first, model::SeriesId last) const;
  // Replaces `series` with the series of every entry, ascending, repeated where a series has several.
  [[nodiscard]] Result<void> ReadSeries(std::vector<model::SeriesId>* series) const;
  // Appends the entries of the range to `entries`; without zones where they are not wanted.
  [[nodiscard]] Result<void> ReadEntries(EntryRange range, std::vector<Entry>* entries,
                                         Zones zones = Zones::kRead) const;

  // The rows of `entry` inside `range`; empty when there are none. Only blocks that hold rows of the range are
  // decoded. ref.field and ref.series are set. Regular timelines stay regular. Scaled decimals stay scaled; the few
  // frames that mix decimals with other doubles (NaN, for example) give doubles where the range has such a row.
  // The column points into `buffer`, whose content is replaced, and, for strings, into the page. `timelines` is
  // called for irregular entries only.
  [[nodiscard]] Result<model::Column> Read(const Entry& entry, model::TimeRange range, const TimelineSource& timelines,
                                           model::ColumnBuffer* buffer) const;

  // The times of a timeline inside `range`. For timeline pages.
  struct TimelineRows {
    uint32_t first_row = 0;   // of the timeline: the first one in the range
    uint32_t rows = 0;        // in the range
    uint32_t total_rows = 0;  // of the timeline
    uint32_t at = 0;          // the rows are (*times)[at, at + rows)
  };
  // `times` is overwritten, grows as needed and is not shrunk. kCorruption too when the page does not have it.
  [[nodiscard]] Result<TimelineRows> ReadTimeline(uint32_t timeline, model::TimeRange range,
                                                  std::vector<int64_t>* times) const;

 private:
  PageReader() = default;
  [[nodiscard]] Result<void> DecodeColumn(DirectoryColumn column, EntryRange range, std::span<int64_t> out) const;
  [[nodiscard]] std::string_view FrameOf(const Entry& entry) const {
    return frames_.substr(entry.frame_offset, entry.frame_bytes);
  }

  std::string_view bytes_;
  std::string_view frames_;
  std::array<std::string_view, kDirectoryColumns> columns_;
  PageKind kind_ = PageKind::kValues;
  model::FieldType type_ = model::FieldType::kFloat;
  model::FieldId field_{};
  size_t entries_ = 0;
  bool has_zones_ = false;
};

}  // namespace tidemark::page
