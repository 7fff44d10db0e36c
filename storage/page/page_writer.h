// Page writers: columns in, pages out. The same pages serve RAM slabs and disk.
//
//   page::TimelineWriter timelines;                   // one per slab, or per partition of an epoch
//   page::MeasurementWriter writer(&timelines);       // one per measurement
//   writer.Add(series, columns);                      // series ascending
//   std::vector<page::EncodedPage> pages = writer.Finish();
//   ... further measurements ...
//   std::vector<page::EncodedPage> timeline_pages = timelines.Finish();   // stored as measurement 0, field 0
//
// Timelines are shared by content, over all fields, series and measurements that use one TimelineWriter: rows with ten
// fields, and a thousand single-field series of one scrape target, store their times once. Regular timelines (a single
// row too) are three numbers in a page's directory and never get here.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "storage/codec/int_codec.h"
#include "storage/model/column.h"
#include "storage/model/ids.h"
#include "storage/page/encoded_page.h"

namespace tidemark::page {

struct WriterOptions {
  // A page is closed when its frames have reached this many bytes. Larger: a better ratio of key and directory to
  // data; smaller: less is read for a single series.
  uint32_t target_bytes = 32 * 1024;
  // Rows per frame at most. A longer series gets several entries, so that a narrow range reads little.
  uint32_t max_frame_rows = 8192;
  // How small frames are to become.
  codec::Effort effort = codec::Effort::kFast;
};

class TimelineWriter {
 public:
  explicit TimelineWriter(const WriterOptions& options = {});
  ~TimelineWriter();
  TimelineWriter(const TimelineWriter&) = delete;
  TimelineWriter& operator=(const TimelineWriter&) = delete;

  // The number of the timeline with these times (at least 2, strictly ascending): that of an earlier call with the
  // same times, or the next one. Numbers start at 1. Thread-safe. Of the last kKnownTimelines it is known which there
  // are: times that come again later than that are stored again.
  uint32_t Intern(std::span<const int64_t> times);
  static constexpr size_t kKnownTimelines = size_t{1} << 18;
  // The pages that are full, ascending by first_series; they do not come again. Thread-safe.
  std::vector<EncodedPage> TakeFull();
  // Pages of all timelines, ascending by first_series. The writer is empty afterwards and numbers start anew.
  std::vector<EncodedPage> Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class MeasurementWriter {
 public:
  // `timelines` must outlive the writer; timelines->Finish() comes after Finish().
  explicit MeasurementWriter(TimelineWriter* timelines, const WriterOptions& options = {});
  ~MeasurementWriter();
  MeasurementWriter(const MeasurementWriter&) = delete;
  MeasurementWriter& operator=(const MeasurementWriter&) = delete;

  // Adds all columns of one series; ref.series is not looked at. Series must come in strictly ascending order, each
  // once; fields ascending and unique. Times of a column: strictly ascending. Empty columns are left out. A field must
  // have the same type in all calls. Columns whose times are the same array are recognised at no cost; the same
  // content is recognised by comparing.
  void Add(model::SeriesId series, std::span<const model::Column> columns);
  // Adds a column piece by piece, none of them empty, each later in time than the one before; `first`: the others
  // follow in the next calls. Of a series that is too long to be held whole, and has this field alone.
  void AddPiece(model::SeriesId series, const model::Column& piece, bool first);

  // The pages that are full, sorted by (field, first_series, part); they do not come again.
  std::vector<EncodedPage> TakeFull();
  // All pages, sorted by (field, first_series, part). The writer is empty afterwards.
  std::vector<EncodedPage> Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemark::page
