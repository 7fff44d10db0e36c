#include "storage/page/page_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "storage/base/check.h"
#include "storage/codec/doubles/floats.h"
#include "storage/codec/ints.h"
#include "storage/codec/strings.h"
#include "storage/model/batch.h"
#include "storage/page/page_format.h"

namespace tidemark::page {
namespace {

using model::FieldType;

// No frame is shorter: a codec and one byte of it.
constexpr size_t kMinFrameBytes = 2;

template <typename T>
void Grow(std::vector<T>* values, size_t size) {
  if (values->size() < size) values->resize(size);
}

int64_t Sum(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); }

bool Ascends(std::span<const int64_t> times) {
  // No early end: damage is rare, and this way the loop is vectorised.
  int64_t falls = 0;
  for (size_t i = 1; i < times.size(); ++i) falls |= times[i - 1] < times[i] ? int64_t{0} : int64_t{1};
  return falls == 0;
}

// Memory for words of a directory column, without an allocation where few entries are wanted.
class Words {
 public:
  // Valid until the next call.
  std::span<int64_t> Take(size_t size) {
    if (size <= few_.size()) return {few_.data(), size};
    Grow(&many_, size);
    return {many_.data(), size};
  }

 private:
  std::array<int64_t, 8> few_{};
  std::vector<int64_t> many_;
};

// The times of a regular entry.
Result<model::Times> RegularTimes(const Entry& entry) {
  model::Times times{.size = entry.rows, .first_ns = entry.range.first.ns};
  if (entry.rows == 1) return times;
  const uint64_t span = static_cast<uint64_t>(entry.range.last.ns) - static_cast<uint64_t>(entry.range.first.ns);
  const uint64_t step = span / (entry.rows - 1);
  if (step == 0 || step * (entry.rows - 1) != span || span > uint64_t{std::numeric_limits<int64_t>::max()}) {
    return Corruption(fmt::format("page: {} rows at regular times do not fit into {} ns", entry.rows, span));
  }
  times.step_ns = static_cast<int64_t>(step);
  return times;
}

}  // namespace

Result<PageReader> PageReader::Open(std::string_view bytes, Checksum checksum) {
  TM_TRY_ASSIGN(const ParsedPage page, ParsePage(bytes, checksum));
  if (page.header.kind != PageKind::kValues && page.header.kind != PageKind::kTimelines) {
    return Corruption("page: a rollup tier, expected values or timelines");
  }
  if (page.header.entries == 0 || page.header.entries > page.frames.size() / kMinFrameBytes) {
    return Corruption(fmt::format("page: {} entries in {} bytes", page.header.entries, page.frames.size()));
  }
  PageReader reader;
  TM_RETURN_IF_ERROR(ParseColumns(page.directory, reader.columns_.data(), reader.columns_.size()));
  reader.bytes_ = bytes;
  reader.frames_ = page.frames;
  reader.kind_ = page.header.kind;
  reader.type_ = page.header.type;
  reader.field_ = page.header.field;
  reader.entries_ = page.header.entries;
  if ((page.header.flags & kHasZones) == 0) {
    reader.columns_[static_cast<size_t>(DirectoryColumn::kZoneMin)] = {};
    reader.columns_[static_cast<size_t>(DirectoryColumn::kZoneWidth)] = {};
  }
  reader.has_zones_ = (page.header.flags & kHasZones) != 0;
  return reader;
}

Result<void> PageReader::DecodeColumn(DirectoryColumn column, EntryRange range, std::span<int64_t> out) const {
  const std::string_view frame = columns_[static_cast<size_t>(column)];
  if (frame.empty()) {
    std::ranges::fill(out, 0);
    return {};
  }
  TM_TRY_ASSIGN(const size_t used, codec::DecodeInts(frame, entries_, {range.begin, range.end}, out.data()));
  if (used != frame.size()) return Corruption("page: directory column has bytes left over");
  return {};
}

Result<EntryRange> PageReader::Find(model::SeriesId first, model::SeriesId last) const {
  const std::string_view frame = columns_[static_cast<size_t>(DirectoryColumn::kSeries)];
  TM_TRY_ASSIGN(const codec::RowRange near,
                codec::NarrowInts(frame, entries_, model::Number(first), model::Number(last)));
  Words words;
  const std::span<int64_t> numbers = words.Take(near.end - near.begin);
  TM_RETURN_IF_ERROR(DecodeColumn(DirectoryColumn::kSeries, {near.begin, near.end}, numbers));
  const auto low = std::lower_bound(numbers.begin(), numbers.end(), int64_t{model::Number(first)});
  const auto high = std::upper_bound(low, numbers.end(), int64_t{model::Number(last)});
  return EntryRange{near.begin + static_cast<size_t>(low - numbers.begin()),
                    near.begin + static_cast<size_t>(high - numbers.begin())};
}

Result<void> PageReader::ReadSeries(std::vector<model::SeriesId>* series) const {
  std::vector<int64_t> numbers(entries_);
  TM_RETURN_IF_ERROR(DecodeColumn(DirectoryColumn::kSeries, {0, entries_}, numbers));
  series->resize(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) (*series)[i] = model::SeriesId{static_cast<uint32_t>(numbers[i])};
  return {};
}

Result<void> PageReader::ReadEntries(EntryRange range, std::vector<Entry>* entries, Zones zones) const {
  TM_CHECK(range.begin <= range.end && range.end <= entries_);
  if (range.empty()) return {};
  const size_t start = entries->size();
  const size_t size = range.end - range.begin;
  entries->resize(start + size);
  Entry* const out = entries->data() + start;
  Words words;
  // One more for the end of the frame before the first one.
  const std::span<int64_t> with_before = words.Take(size + 1);
  const std::span<int64_t> values = with_before.first(size);
  bool valid = true;

  TM_RETURN_IF_ERROR(DecodeColumn(DirectoryColumn::kSeries, range, values));
  for (size_t i = 0; i < size; ++i) {
    out[i].series = model::SeriesId{static_cast<uint32_t>(values[i])};
    valid &= values[i] >= 0 && values[i] <= std::numeric_limits<uint32_t>::max();
  }
  TM_RETURN_IF_ERROR(DecodeColumn(DirectoryColumn::kRows, range, values));
  for (size_t i = 0; i < size; ++i) {
    out[i].rows = static_cast<uint32_t>(values[i]);
    valid &= values[i] >= 1 && values[i] <= kMaxFrameRows;
  }
  TM_RETURN_IF_ERROR(DecodeColumn(DirectoryColumn::kFirst, range, values));
  for (size_t i = 0; i < size; ++i) out[i].range.first.ns = values[i];
  TM_RETURN_IF_ERROR(DecodeColumn(DirectoryColumn::kSpan, range, values));
  for (size_t i = 0; i < size; ++i) {
    out[i].range.last.ns = Sum(out[i].range.first.ns, values[i]);
    valid &= out[i].range.first <= out[i].range.last;
  }
  TM_RETURN_IF_ERROR(DecodeColumn(DirectoryColumn::kTimeline, range, values));
  for (size_t i = 0; i < size; ++i) {
    out[i].timeline = static_cast<uint32_t>(values[i]);
    valid &= values[i] >= 0 && values[i] <= std::numeric_limits<uint32_t>::max();
  }
  TM_RETURN_IF_ERROR(DecodeColumn(DirectoryColumn::kScale, range, values));
  for (size_t i = 0; i < size; ++i) out[i].scale = static_cast<uint8_t>(values[i]);

  // With the end of the entry before the first one, where there is one.
  const size_t before = range.begin == 0 ? 0 : 1;
  TM_RETURN_IF_ERROR(
      DecodeColumn(DirectoryColumn::kFrameEnd, {range.begin - before, range.end}, with_before.first(size + before)));
  int64_t frame_begin = before == 0 ? 0 : with_before[0];
  valid &= frame_begin >= 0;
  for (size_t i = 0; i < size; ++i) {
    const int64_t frame_end = with_before[i + before];
    valid &= frame_begin < frame_end && std::cmp_less_equal(frame_end, frames_.size());
    out[i].frame_offset = static_cast<uint32_t>(frame_begin);
    out[i].frame_bytes = static_cast<uint32_t>(frame_end - frame_begin);
    frame_begin = frame_end;
  }
  if (!valid) {
    entries->resize(start);
    return Corruption("page: directory entry out of range");
  }
  if (!has_zones_ || zones == Zones::kLeave) return {};
  TM_RETURN_IF_ERROR(DecodeColumn(DirectoryColumn::kZoneMin, range, values));
  for (size_t i = 0; i < size; ++i) out[i].zone.min = values[i];
  TM_RETURN_IF_ERROR(DecodeColumn(DirectoryColumn::kZoneWidth, range, values));
  for (size_t i = 0; i < size; ++i) {
    out[i].zone.known = out[i].zone.min != 1 || values[i] != -1;
    out[i].zone.max = Sum(out[i].zone.min, values[i]);
  }
  return {};
}

Result<PageReader::TimelineRows> PageReader::ReadTimeline(uint32_t timeline, model::TimeRange range,
                                                          std::vector<int64_t>* times) const {
  if (kind_ != PageKind::kTimelines) return Corruption("page: values, expected timelines");
  TM_TRY_ASSIGN(const EntryRange found, Find(model::SeriesId{timeline}));
  if (found.end - found.begin != 1) {
    return Corruption(fmt::format("page: timeline {} found {} times", timeline, found.end - found.begin));
  }
  std::vector<Entry> entries;
  TM_RETURN_IF_ERROR(ReadEntries(found, &entries));
  const Entry& entry = entries.front();
  const std::string_view frame = FrameOf(entry);
  TM_TRY_ASSIGN(const codec::RowRange near, codec::NarrowInts(frame, entry.rows, range.first.ns, range.last.ns));
  Grow(times, near.end - near.begin);
  TM_TRY_ASSIGN(const size_t used, codec::DecodeInts(frame, entry.rows, near, times->data()));
  if (used != frame.size()) return Corruption("page: timeline has bytes left over");
  const auto begin = times->begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(near.end - near.begin);
  if (!Ascends({times->data(), near.end - near.begin})) {
    return Corruption(fmt::format("page: timeline {} does not ascend", timeline));
  }
  const auto first = std::lower_bound(begin, end, range.first.ns);
  const auto last = std::upper_bound(first, end, range.last.ns);
  return TimelineRows{.first_row = static_cast<uint32_t>(near.begin) + static_cast<uint32_t>(first - begin),
                      .rows = static_cast<uint32_t>(last - first),
                      .total_rows = entry.rows,
                      .at = static_cast<uint32_t>(first - begin)};
}

Result<model::Column> PageReader::Read(const Entry& entry, model::TimeRange range, const TimelineSource& timelines,
                                       model::ColumnBuffer* buffer) const {
  TM_CHECK(kind_ == PageKind::kValues && entry.frame_offset <= frames_.size() &&
           entry.frame_bytes <= frames_.size() - entry.frame_offset);
  model::Column column{.ref = {field_, entry.series}, .type = type_};
  if (range.empty()) return column;
  codec::RowRange rows;
  if (entry.timeline == 0) {
    TM_TRY_ASSIGN(const model::Times times, RegularTimes(entry));
    rows = {times.LowerBound(range.first.ns), times.UpperBound(range.last.ns)};
    column.times = times.Slice(rows.begin, rows.end);
    if (column.times.size <= 1) column.times.step_ns = 0;
  } else {
    TM_TRY_ASSIGN(const PageReader* const page, timelines(entry.timeline));
    TM_TRY_ASSIGN(const TimelineRows found, page->ReadTimeline(entry.timeline, range, &buffer->times));
    if (found.total_rows != entry.rows) {
      return Corruption(
          fmt::format("page: entry of {} rows, its timeline {} has {}", entry.rows, entry.timeline, found.total_rows));
    }
    rows = {found.first_row, found.first_row + found.rows};
    column.times.size = found.rows;
    column.times.explicit_ns = buffer->times.data() + found.at;
  }
  if (rows.begin == rows.end) {
    column.times = {};
    return column;
  }

  const std::string_view frame = FrameOf(entry);
  size_t used = 0;
  switch (type_) {
    case FieldType::kFloat: {
      TM_TRY_ASSIGN(const codec::DecodedFloats decoded,
                    codec::DecodeFloats(frame, entry.rows, rows, &buffer->ints, &buffer->floats));
      used = decoded.bytes;
      column.scale = decoded.scale;
      if (decoded.scale == model::kBinaryScale) {
        column.floats = buffer->floats.data();
      } else {
        column.ints = buffer->ints.data();
      }
      break;
    }
    case FieldType::kInt:
    case FieldType::kUInt:
    case FieldType::kBool: {
      Grow(&buffer->ints, rows.end - rows.begin);
      TM_TRY_ASSIGN(used, codec::DecodeInts(frame, entry.rows, rows, buffer->ints.data()));
      column.ints = buffer->ints.data();
      break;
    }
    case FieldType::kString: {
      TM_TRY_ASSIGN(used, codec::DecodeStrings(frame, entry.rows, rows, &buffer->strings, &buffer->text));
      column.strings = buffer->strings.data();
      break;
    }
  }
  if (used != frame.size()) return Corruption("page: frame has bytes left over");
  return column;
}

}  // namespace tidemark::page
