#include "storage/rollup/sketch_page.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "storage/base/bytes.h"
#include "storage/base/check.h"
#include "storage/codec/ints.h"
#include "storage/rollup/buckets.h"
#include "storage/rollup/tier_words.h"

namespace tidemark::rollup {
namespace {

// Bins per page that writers aim at, about 16 KiB; and at most, which is what damaged bytes can make a reader allocate.
constexpr size_t kPageBins = 8192;
constexpr uint64_t kMaxPageBins = uint64_t{1} << 24;
constexpr size_t kDirectoryColumns = 3;  // series, end, first bucket
constexpr size_t kColumns = 4;           // gap, bins of the bucket, keys, counts

template <size_t Count>
std::string EncodeColumns(const std::array<std::vector<int64_t>, Count>& columns) {
  std::array<std::string, Count> frames;
  std::array<std::string_view, Count> views;
  for (size_t i = 0; i < Count; ++i) {
    const bool zero = std::all_of(columns[i].begin(), columns[i].end(), [](int64_t value) { return value == 0; });
    // They are written once, when the rows go.
    if (!zero) codec::EncodeInts(columns[i], &frames[i], codec::Effort::kSmallest);
    views[i] = frames[i];
  }
  std::string out;
  page::AppendColumns(views.data(), Count, &out);
  return out;
}

Result<void> DecodeColumn(std::string_view frame, size_t count, codec::RowRange rows, std::vector<int64_t>* out) {
  out->assign(rows.end - rows.begin, 0);
  if (frame.empty() || out->empty()) return {};
  TM_TRY_ASSIGN(const size_t used, codec::DecodeInts(frame, count, rows, out->data()));
  if (used != frame.size()) return Corruption("sketch page: column has bytes left over");
  return {};
}

}  // namespace

void SketchWriter::Add(const SketchArrays& sketches) {
  if (sketches.size() == 0) return;
  TM_CHECK(sketches.width_ns == width_ns_ && sketches.bins.size() <= kMaxPageBins);
  Field& field = fields_[sketches.ref.field];
  TM_CHECK(field.waiting.empty() || field.waiting.back().ref.series < sketches.ref.series);
  if (!field.waiting.empty() && field.bins + sketches.bins.size() > kPageBins) Close(sketches.ref.field, &field);
  field.bins += sketches.bins.size();
  field.waiting.push_back(sketches);
}

std::vector<page::EncodedPage> SketchWriter::Finish() {
  std::vector<page::EncodedPage> pages;
  for (auto& [id, field] : fields_) {
    if (!field.waiting.empty()) Close(id, &field);
    std::move(field.pages.begin(), field.pages.end(), std::back_inserter(pages));
  }
  fields_.clear();
  return pages;
}

void SketchWriter::Close(model::FieldId id, Field* field) const {
  std::array<std::vector<int64_t>, kDirectoryColumns> directory;
  std::array<std::vector<int64_t>, kColumns> columns;
  int64_t first_bucket = std::numeric_limits<int64_t>::max();
  int64_t last_bucket = std::numeric_limits<int64_t>::min();
  for (const SketchArrays& sketches : field->waiting) {
    first_bucket = std::min(first_bucket, sketches.bucket.front());
    last_bucket = std::max(last_bucket, sketches.bucket.back());
    int64_t first_before = 0;
    for (size_t i = 0; i < sketches.size(); ++i) {
      const auto bins = sketches.BinsOf(i);
      columns[0].push_back(sketches.bucket[i] - sketches.bucket[0] - static_cast<int64_t>(i));
      columns[1].push_back(static_cast<int64_t>(bins.size()));
      int64_t before = first_before;
      for (size_t b = 0; b < bins.size(); ++b) {
        columns[2].push_back(int64_t{bins[b].key} - before - (b == 0 ? 0 : 1));
        columns[3].push_back(static_cast<int64_t>(bins[b].count) - 1);
        before = bins[b].key;
      }
      first_before = bins.front().key;
    }
    directory[0].push_back(model::Number(sketches.ref.series));
    directory[1].push_back(static_cast<int64_t>(columns[0].size()));
    directory[2].push_back(sketches.bucket.front());
  }
  std::string head;
  PutVarint(&head, static_cast<uint64_t>(width_ns_));
  PutVarint(&head, columns[0].size());
  PutVarint(&head, columns[2].size());
  head += EncodeColumns(directory);
  page::EncodedPage page;
  page.kind = page::PageKind::kSketch;
  page.field = id;
  page.first_series = field->waiting.front().ref.series;
  page.last_series = field->waiting.back().ref.series;
  page.range = {{Plus(Times(first_bucket - 1, width_ns_), 1)}, {BucketEnd(last_bucket, width_ns_)}};
  page.rows = columns[0].size();
  page.bytes = page::SealPage({.kind = page.kind,
                               .type = model::FieldType::kFloat,
                               .field = id,
                               .entries = static_cast<uint32_t>(field->waiting.size())},
                              head, EncodeColumns(columns));
  field->pages.push_back(std::move(page));
  field->waiting.clear();
  field->bins = 0;
}

Result<SketchReader> SketchReader::Open(std::string_view bytes, page::Checksum checksum) {
  TM_TRY_ASSIGN(const page::ParsedPage page, page::ParsePage(bytes, checksum));
  if (page.header.kind != page::PageKind::kSketch) return Corruption("page: not one of sketches");
  ByteReader head(page.directory);
  const uint64_t width = head.Varint();
  const uint64_t buckets = head.Varint();
  const uint64_t bins = head.Varint();
  const size_t entries = page.header.entries;
  if (!head.ok() || width == 0 || width > uint64_t{std::numeric_limits<int64_t>::max()} || bins > kMaxPageBins ||
      buckets > bins || entries > buckets) {
    return Corruption(
        fmt::format("sketch page: {} series with {} buckets of {} ns, {} bins", entries, buckets, width, bins));
  }
  SketchReader reader;
  reader.width_ns_ = static_cast<int64_t>(width);
  reader.field_ = page.header.field;
  std::array<std::string_view, kDirectoryColumns> directory;
  std::array<std::string_view, kColumns> columns;
  TM_RETURN_IF_ERROR(page::ParseColumns(head.Bytes(head.remaining()), directory.data(), directory.size()));
  TM_RETURN_IF_ERROR(page::ParseColumns(page.frames, columns.data(), columns.size()));
  std::vector<int64_t> series;
  std::vector<int64_t> ends;
  std::vector<int64_t> firsts;
  std::vector<int64_t> sizes;
  TM_RETURN_IF_ERROR(DecodeColumn(directory[0], entries, {0, entries}, &series));
  TM_RETURN_IF_ERROR(DecodeColumn(directory[1], entries, {0, entries}, &ends));
  TM_RETURN_IF_ERROR(DecodeColumn(directory[2], entries, {0, entries}, &firsts));
  TM_RETURN_IF_ERROR(DecodeColumn(columns[0], buckets, {0, buckets}, &reader.gaps_));
  TM_RETURN_IF_ERROR(DecodeColumn(columns[1], buckets, {0, buckets}, &sizes));
  reader.keys_ = columns[2];
  reader.counts_ = columns[3];
  int64_t end_before = 0;
  int64_t series_before = -1;
  for (size_t i = 0; i < entries; ++i) {
    if (series[i] <= series_before || series[i] > std::numeric_limits<uint32_t>::max() || ends[i] <= end_before ||
        std::cmp_greater(ends[i], buckets)) {
      return Corruption("sketch page: directory entry out of range");
    }
    reader.series_.push_back(model::SeriesId{static_cast<uint32_t>(series[i])});
    reader.entries_.push_back({static_cast<uint32_t>(end_before), static_cast<uint32_t>(ends[i]), firsts[i]});
    series_before = series[i];
    end_before = ends[i];
  }
  uint64_t bin_end = 0;
  for (const int64_t size : sizes) {
    if (size <= 0 || std::cmp_greater(size, bins - bin_end)) return Corruption("sketch page: bins out of range");
    bin_end += static_cast<uint64_t>(size);
    reader.bin_ends_.push_back(static_cast<uint32_t>(bin_end));
  }
  if (bin_end != bins) return Corruption("sketch page: bins of no bucket");
  return reader;
}

Result<void> SketchReader::Read(model::SeriesId series, model::TimeRange range, SketchArrays* out) const {
  out->Clear();
  out->ref = {field_, series};
  out->width_ns = width_ns_;
  const auto found = std::lower_bound(series_.begin(), series_.end(), series);
  if (found == series_.end() || *found != series || range.empty()) return {};
  const Entry& entry = entries_[static_cast<size_t>(found - series_.begin())];
  const codec::RowRange rows{entry.begin == 0 ? 0 : bin_ends_[entry.begin - 1], bin_ends_[entry.end - 1]};
  std::vector<int64_t> keys;
  std::vector<int64_t> counts;
  TM_RETURN_IF_ERROR(DecodeColumn(keys_, bin_ends_.back(), rows, &keys));
  TM_RETURN_IF_ERROR(DecodeColumn(counts_, bin_ends_.back(), rows, &counts));
  std::vector<model::SketchBin> bins;
  int64_t first_before = 0;
  int64_t bucket_before = 0;
  for (uint32_t b = entry.begin; b < entry.end; ++b) {
    const int64_t bucket = Plus(Plus(entry.first_bucket, gaps_[b]), b - entry.begin);
    if (b > entry.begin && bucket <= bucket_before) return Corruption("sketch page: buckets do not ascend");
    bucket_before = bucket;
    bins.clear();
    int64_t key = first_before;
    for (size_t i = b == 0 ? 0 : bin_ends_[b - 1]; i < bin_ends_[b]; ++i) {
      const int64_t step = keys[i - rows.begin];
      const bool first = bins.empty();
      if (!first && step < 0) return Corruption("sketch page: keys do not ascend");
      key = Plus(Plus(key, step), first ? 0 : 1);
      const int64_t count = Plus(counts[i - rows.begin], 1);
      if (key < std::numeric_limits<int32_t>::min() || key > std::numeric_limits<int32_t>::max() || count <= 0) {
        return Corruption("sketch page: a bin out of range");
      }
      bins.push_back({static_cast<int32_t>(key), static_cast<uint64_t>(count)});
    }
    first_before = bins.front().key;
    const int64_t start_ns = Times(Minus(bucket, 1), width_ns_);
    const bool inside = (start_ns >= range.first.ns || Plus(start_ns, 1) == range.first.ns) &&
                        BucketEnd(bucket, width_ns_) <= range.last.ns;
    if (inside) out->Append(bucket, bins);
  }
  return {};
}

}  // namespace tidemark::rollup
