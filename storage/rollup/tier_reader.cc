#include "storage/rollup/tier_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "storage/base/bytes.h"
#include "storage/codec/ints.h"
#include "storage/page/page_format.h"
#include "storage/rollup/tier_words.h"

namespace tidemark::rollup {
namespace {

Result<void> DecodeColumn(std::string_view frame, size_t count, codec::RowRange rows, std::vector<int64_t>* out) {
  out->assign(rows.end - rows.begin, 0);
  if (frame.empty()) return {};
  TM_TRY_ASSIGN(const size_t used, codec::DecodeInts(frame, count, rows, out->data()));
  if (used != frame.size()) return Corruption("tier page: column has bytes left over");
  return {};
}

}  // namespace

Result<TierReader> TierReader::Open(std::string_view bytes, page::Checksum checksum) {
  TM_TRY_ASSIGN(const page::ParsedPage page, page::ParsePage(bytes, checksum));
  if (page.header.kind != page::PageKind::kTier) return Corruption("page: not a rollup tier");
  if (page.header.type == model::FieldType::kString || page.header.type == model::FieldType::kBool) {
    return Corruption("tier page: of strings or booleans");
  }
  ByteReader head(page.directory);
  const uint64_t width = head.Varint();
  const uint64_t buckets = head.Varint();
  const size_t entries = page.header.entries;
  if (!head.ok() || width == 0 || width > uint64_t{std::numeric_limits<int64_t>::max()} || buckets > kMaxPageBuckets ||
      entries > buckets) {
    return Corruption(fmt::format("tier page: {} series with {} buckets of {} ns", entries, buckets, width));
  }
  TierReader reader;
  reader.width_ns_ = static_cast<int64_t>(width);
  reader.type_ = page.header.type;
  reader.field_ = page.header.field;
  reader.buckets_ = buckets;
  std::array<std::string_view, kTierDirectoryColumns> directory;
  TM_RETURN_IF_ERROR(page::ParseColumns(head.Bytes(head.remaining()), directory.data(), directory.size()));
  TM_RETURN_IF_ERROR(page::ParseColumns(page.frames, reader.columns_.data(), reader.columns_.size()));

  const auto read = [&](TierDirectory column, std::vector<int64_t>* values) {
    return DecodeColumn(directory[static_cast<size_t>(column)], entries, {0, entries}, values);
  };
  std::vector<int64_t> series;
  std::vector<int64_t> ends;
  std::vector<int64_t> firsts;
  std::vector<int64_t> scales;
  std::vector<int64_t> flags;
  TM_RETURN_IF_ERROR(read(TierDirectory::kSeries, &series));
  TM_RETURN_IF_ERROR(read(TierDirectory::kEnd, &ends));
  TM_RETURN_IF_ERROR(read(TierDirectory::kFirstBucket, &firsts));
  TM_RETURN_IF_ERROR(read(TierDirectory::kScale, &scales));
  TM_RETURN_IF_ERROR(read(TierDirectory::kFlags, &flags));
  reader.entries_.resize(entries);
  reader.series_.resize(entries);
  int64_t end_before = 0;
  int64_t series_before = -1;
  for (size_t i = 0; i < entries; ++i) {
    const bool known_scale = (scales[i] >= 0 && scales[i] <= model::kMaxScale) ||
                             (scales[i] == model::kBinaryScale && reader.type_ == model::FieldType::kFloat);
    if (series[i] <= series_before || series[i] > std::numeric_limits<uint32_t>::max() || ends[i] <= end_before ||
        std::cmp_greater(ends[i], buckets) || !known_scale || (flags[i] & ~int64_t{kKnownTierFlags}) != 0) {
      return Corruption("tier page: directory entry out of range");
    }
    reader.series_[i] = model::SeriesId{static_cast<uint32_t>(series[i])};
    reader.entries_[i] = {.begin = static_cast<uint32_t>(end_before),
                          .end = static_cast<uint32_t>(ends[i]),
                          .first_bucket = firsts[i],
                          .scale = static_cast<uint8_t>(scales[i]),
                          .flags = static_cast<uint8_t>(flags[i])};
    series_before = series[i];
    end_before = ends[i];
  }
  return reader;
}

Result<void> TierReader::DecodeAll() {
  for (size_t i = 0; i < columns_.size(); ++i) {
    TM_RETURN_IF_ERROR(DecodeColumn(columns_[i], buckets_, {0, buckets_}, &decoded_[i]));
  }
  return {};
}

Result<void> TierReader::Read(model::SeriesId series, model::TimeRange range, BucketArrays* out) const {
  out->Clear();
  out->ref = {field_, series};
  out->type = type_;
  out->width_ns = width_ns_;
  const auto found = std::lower_bound(series_.begin(), series_.end(), series);
  if (found == series_.end() || *found != series || range.empty()) return {};
  const Entry& entry = entries_[static_cast<size_t>(found - series_.begin())];
  out->scale = entry.scale;
  out->exact_sum = (entry.flags & kExactSum) != 0;
  out->has_increase = (entry.flags & kHasIncrease) != 0;
  // Of a column that is not there nothing is exact, whatever a damaged flag says.
  out->exact_increase = out->has_increase && (entry.flags & kExactIncrease) != 0;

  const codec::RowRange rows{entry.begin, entry.end};
  const auto read = [&](BucketColumn column, std::vector<int64_t>* values) -> Result<void> {
    const std::vector<int64_t>& decoded = decoded_[static_cast<size_t>(column)];
    if (decoded.empty()) return DecodeColumn(columns_[static_cast<size_t>(column)], buckets_, rows, values);
    values->assign(decoded.begin() + entry.begin, decoded.begin() + entry.end);
    return {};
  };
  TM_RETURN_IF_ERROR(read(BucketColumn::kGap, &out->bucket));
  TM_RETURN_IF_ERROR(read(BucketColumn::kCount, &out->count));
  TM_RETURN_IF_ERROR(read(BucketColumn::kFirstGap, &out->first_ns));
  TM_RETURN_IF_ERROR(read(BucketColumn::kLastGap, &out->last_ns));
  TM_RETURN_IF_ERROR(read(BucketColumn::kFirst, &out->first));
  TM_RETURN_IF_ERROR(read(BucketColumn::kLast, &out->last));
  TM_RETURN_IF_ERROR(read(BucketColumn::kMin, &out->min));
  TM_RETURN_IF_ERROR(read(BucketColumn::kMax, &out->max));
  TM_RETURN_IF_ERROR(read(BucketColumn::kSum, &out->sum));
  if (out->has_increase) TM_RETURN_IF_ERROR(read(BucketColumn::kIncrease, &out->increase));

  int64_t last_before = 0;
  size_t begin = 0;
  size_t end = 0;
  for (size_t i = 0; i < out->size(); ++i) {
    const int64_t bucket = Plus(Plus(out->bucket[i], entry.first_bucket), static_cast<int64_t>(i));
    if (i > 0 && bucket <= out->bucket[i - 1]) return Corruption("tier page: buckets do not ascend");
    const int64_t start_ns = Times(Minus(bucket, 1), width_ns_);
    out->bucket[i] = bucket;
    out->first_ns[i] = Plus(out->first_ns[i], start_ns);
    out->last_ns[i] = Minus(Times(bucket, width_ns_), out->last_ns[i]);
    const int64_t first = out->first[i] = Plus(out->first[i], last_before);
    const int64_t last = out->last[i] = Plus(out->last[i], first);
    out->min[i] = Minus(std::min(first, last), out->min[i]);
    out->max[i] = Plus(std::max(first, last), out->max[i]);
    if (out->exact_sum) out->sum[i] = Plus(out->sum[i], Times(out->count[i], Middle(out->min[i], out->max[i])));
    if (out->exact_increase) out->increase[i] = Plus(out->increase[i], Minus(last, first));
    last_before = last;
    // Rows of the bucket are later than start_ns: it lies inside from start_ns + 1 on.
    if (start_ns < range.first.ns && Plus(start_ns, 1) != range.first.ns) begin = i + 1;
    if (BucketEnd(bucket, width_ns_) <= range.last.ns) end = i + 1;
  }
  if (begin == 0 && end == out->size()) return {};
  begin = std::min(begin, end);
  for (std::vector<int64_t>* array : {&out->bucket, &out->count, &out->first_ns, &out->last_ns, &out->min, &out->max,
                                      &out->first, &out->last, &out->sum, &out->increase}) {
    if (array->empty()) continue;
    array->erase(array->begin() + static_cast<std::ptrdiff_t>(end), array->end());
    array->erase(array->begin(), array->begin() + static_cast<std::ptrdiff_t>(begin));
  }
  return {};
}

}  // namespace tidemark::rollup
