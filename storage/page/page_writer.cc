#include "storage/page/page_writer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "storage/base/check.h"
#include "storage/codec/doubles/floats.h"
#include "storage/codec/ints.h"
#include "storage/codec/strings.h"
#include "storage/model/batch.h"
#include "storage/page/page_builder.h"
#include "storage/page/page_format.h"

namespace tidemark::page {
namespace {

using model::FieldType;
using model::kBinaryScale;

struct Frame {
  std::string bytes;
  uint8_t scale = 0;
  codec::Since since = codec::Since::kStore1;
  Zone zone;
};

// An entry whose frame is still apart.
struct Piece {
  Entry entry;
  std::string frame;
  codec::Since since;
};

Zone ZoneOf(const int64_t* ints, size_t size, FieldType type) {
  if (type == FieldType::kUInt) {
    const auto [min, max] = std::minmax_element(
        ints, ints + size, [](int64_t a, int64_t b) { return static_cast<uint64_t>(a) < static_cast<uint64_t>(b); });
    return {true, *min, *max};
  }
  int64_t min = ints[0];
  int64_t max = ints[0];
  for (size_t i = 1; i < size; ++i) {
    min = std::min(min, ints[i]);
    max = std::max(max, ints[i]);
  }
  return {true, min, max};
}

Zone ZoneOf(const double* floats, size_t size, uint8_t scale) {
  double min = HUGE_VAL;
  double max = -HUGE_VAL;
  bool found = false;
  for (size_t i = 0; i < size; ++i) {
    if (std::isnan(floats[i])) continue;
    found = true;
    min = std::min(min, floats[i]);
    max = std::max(max, floats[i]);
  }
  if (!found) return {};
  if (scale == kBinaryScale) return {true, std::bit_cast<int64_t>(min), std::bit_cast<int64_t>(max)};
  Zone zone{.known = true};
  // An infinity among decimals has no mantissa.
  if (!codec::MantissaOf(min, scale, &zone.min) || !codec::MantissaOf(max, scale, &zone.max)) return {};
  return zone;
}

// The frame of a column. `hint`: the scale of this field's frame before, and then of this one.
Frame Encode(const model::Column& column, codec::Effort effort, uint8_t* hint) {
  Frame frame;
  switch (column.type) {
    case FieldType::kFloat:
      if (column.scaled()) {
        const codec::FloatFrame written =
            codec::EncodeDecimals({column.ints, column.size()}, column.scale, &frame.bytes, effort);
        frame.scale = written.scale;
        frame.since = written.since;
        frame.zone = ZoneOf(column.ints, column.size(), column.type);
        for (uint8_t scale = column.scale; scale > frame.scale; --scale) {
          frame.zone.min /= 10;
          frame.zone.max /= 10;
        }
      } else {
        const codec::FloatFrame written =
            codec::EncodeFloats({column.floats, column.size()}, *hint, &frame.bytes, effort);
        frame.scale = written.scale;
        frame.since = written.since;
        frame.zone = ZoneOf(column.floats, column.size(), frame.scale);
      }
      *hint = frame.scale;
      break;
    case FieldType::kInt:
    case FieldType::kUInt:
      frame.since = codec::EncodeInts({column.ints, column.size()}, &frame.bytes, effort);
      frame.zone = ZoneOf(column.ints, column.size(), column.type);
      break;
    case FieldType::kBool: frame.since = codec::EncodeInts({column.ints, column.size()}, &frame.bytes, effort); break;
    case FieldType::kString: codec::EncodeStrings({column.strings, column.size()}, &frame.bytes, effort); break;
  }
  return frame;
}

// Where the frame that begins at row `begin` ends, at most `max_rows` later. Strings end it by their bytes too.
size_t FrameEnd(const model::Column& column, size_t begin, size_t max_rows, size_t target_bytes) {
  const size_t end = std::min(column.size(), begin + max_rows);
  if (column.type != FieldType::kString) return end;
  size_t bytes = 0;
  for (size_t row = begin; row < end; ++row) {
    bytes += column.strings[row].size();
    if (bytes >= target_bytes) return row + 1;
  }
  return end;
}

// The step of times at regular distances; nothing when they are not, or span more than an int64 of ns: model::Times
// multiplies rows and step.
std::optional<int64_t> StepOf(const model::Times& times) {
  if (times.size == 1) return 0;
  if (times.regular()) return times.step_ns;
  int64_t span;
  if (__builtin_sub_overflow(times.back(), times.front(), &span)) return std::nullopt;
  const int64_t step = times[1] - times[0];
  for (size_t i = 2; i < times.size; ++i) {
    if (times.explicit_ns[i] - times.explicit_ns[i - 1] != step) return std::nullopt;
  }
  return step;
}

struct FieldPages {
  FieldPages(FieldType field_type, model::FieldId field)
      : type(field_type), open(PageKind::kValues, field_type, field) {}
  FieldType type;
  uint8_t scale_hint = kBinaryScale;
  PageBuilder open;
  uint32_t open_part = 0;
  std::vector<EncodedPage> pages;
};

}  // namespace

struct MeasurementWriter::Impl {
  TimelineWriter* timelines;
  WriterOptions options;
  std::map<model::FieldId, FieldPages> fields;
  model::SeriesId last_series{};
  // What TimelineOf has found for the present series: columns of one row group share their times.
  struct KnownTimes {
    const int64_t* times;
    size_t size;
    uint32_t timeline;
  };
  std::vector<KnownTimes> known;
  std::vector<Piece> pieces;

  // 0 for regular times.
  uint32_t TimelineOf(const model::Times& times) {
    if (times.regular()) return 0;
    for (const KnownTimes& entry : known) {
      if (entry.times == times.explicit_ns && entry.size == times.size) return entry.timeline;
    }
    const uint32_t timeline = StepOf(times).has_value() ? 0 : timelines->Intern({times.explicit_ns, times.size});
    known.push_back({times.explicit_ns, times.size, timeline});
    return timeline;
  }

  void Close(FieldPages* field) {
    field->pages.push_back(field->open.Seal());
    field->pages.back().part = std::exchange(field->open_part, 0);
  }

  void Split(model::SeriesId series, const model::Column& column, FieldPages* field);
  void Place(FieldPages* field);
  void PlacePieces(FieldPages* field);
};

// Encodes a column as pieces.
void MeasurementWriter::Impl::Split(model::SeriesId series, const model::Column& column, FieldPages* field) {
  const size_t max_rows = std::clamp<size_t>(options.max_frame_rows, 1, kMaxFrameRows);
  // Frames of about the same length, not a full one and a rest.
  const size_t frames = (column.size() + max_rows - 1) / max_rows;
  const size_t frame_rows = (column.size() + frames - 1) / frames;
  pieces.clear();
  for (size_t begin = 0; begin < column.size();) {
    const size_t end = FrameEnd(column, begin, frame_rows, options.target_bytes);
    const model::Column slice = column.Slice(begin, end);
    Frame frame = Encode(slice, options.effort, &field->scale_hint);
    pieces.push_back({{.series = series,
                       .rows = static_cast<uint32_t>(slice.size()),
                       .range = {{slice.times.front()}, {slice.times.back()}},
                       .timeline = TimelineOf(slice.times),
                       .scale = frame.scale,
                       .zone = frame.zone},
                      std::move(frame.bytes),
                      frame.since});
    begin = end;
  }
}

// Puts the pieces of one series into pages, so that it lies whole in one page or begins one.
void MeasurementWriter::Impl::Place(FieldPages* field) {
  size_t bytes = 0;
  for (const Piece& piece : pieces) bytes += piece.frame.size();
  if (!field->open.empty() && field->open.frame_bytes() + bytes > options.target_bytes) Close(field);
  PlacePieces(field);
}

void MeasurementWriter::Impl::PlacePieces(FieldPages* field) {
  for (const Piece& piece : pieces) {
    // Only a series that has the page to itself can get here: the page after it begins with the same series.
    if (!field->open.empty() && field->open.frame_bytes() + piece.frame.size() > options.target_bytes) {
      const uint32_t next_part = field->open_part + 1;
      Close(field);
      field->open_part = next_part;
    }
    field->open.Add(piece.entry, piece.frame, piece.since);
  }
}

MeasurementWriter::MeasurementWriter(TimelineWriter* timelines, const WriterOptions& options)
    : impl_(std::make_unique<Impl>(timelines, options)) {}

MeasurementWriter::~MeasurementWriter() = default;

void MeasurementWriter::Add(model::SeriesId series, std::span<const model::Column> columns) {
  TM_CHECK(series > impl_->last_series);
  impl_->last_series = series;
  impl_->known.clear();
  for (const model::Column& column : columns) {
    if (column.empty()) continue;
    FieldPages& field = impl_->fields.try_emplace(column.ref.field, column.type, column.ref.field).first->second;
    TM_CHECK(field.type == column.type);
    impl_->Split(series, column, &field);
    impl_->Place(&field);
  }
}

void MeasurementWriter::AddPiece(model::SeriesId series, const model::Column& piece, bool first) {
  TM_CHECK(!piece.empty() && (first ? series > impl_->last_series : series == impl_->last_series));
  impl_->last_series = series;
  impl_->known.clear();
  FieldPages& field = impl_->fields.try_emplace(piece.ref.field, piece.type, piece.ref.field).first->second;
  TM_CHECK(field.type == piece.type);
  impl_->Split(series, piece, &field);
  // The series begins a page, in case that it goes on in the next one.
  if (first && !field.open.empty()) impl_->Close(&field);
  impl_->PlacePieces(&field);
}

std::vector<EncodedPage> MeasurementWriter::TakeFull() {
  std::vector<EncodedPage> pages;
  for (auto& [id, field] : impl_->fields) {
    std::move(field.pages.begin(), field.pages.end(), std::back_inserter(pages));
    field.pages.clear();
  }
  return pages;
}

std::vector<EncodedPage> MeasurementWriter::Finish() {
  std::vector<EncodedPage> pages;
  for (auto& [id, field] : impl_->fields) {
    if (!field.open.empty()) impl_->Close(&field);
    std::move(field.pages.begin(), field.pages.end(), std::back_inserter(pages));
  }
  impl_->fields.clear();
  impl_->last_series = model::SeriesId{};
  return pages;
}

}  // namespace tidemark::page
