#include "storage/partition/mask_estimate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "storage/page/page_reader.h"
#include "storage/rollup/tier_reader.h"

namespace tidemark::storage::partition {
namespace {

constexpr uint8_t kFirstTier = rocks::kRawTier + 1;

// The rows of `entry` inside `range`, about.
uint64_t RowsInside(const page::Entry& entry, model::TimeRange range) {
  const int64_t first = std::max(entry.range.first.ns, range.first.ns);
  const int64_t last = std::min(entry.range.last.ns, range.last.ns);
  if (first > last) return 0;
  const double inside = static_cast<double>(last) - static_cast<double>(first);
  const double all = static_cast<double>(entry.range.last.ns) - static_cast<double>(entry.range.first.ns);
  if (all <= 0 || inside >= all) return entry.rows;
  return std::min<uint64_t>(entry.rows, static_cast<uint64_t>(std::llround(inside / all * entry.rows)));
}

// The rows of the buckets that are hidden, of an epoch that has tiers only; its other tiers are taken to be as large as
// this one.
void CountBuckets(const PageSet& pages, size_t index, const retention::SourceMasks& masks, size_t tiers,
                  MaskedRows* out) {
  const PageInfo& info = (*pages.Directory())->pages()[index];
  auto bytes = pages.Read(index);
  if (!bytes.ok()) return;
  auto reader = rollup::TierReader::Open(bytes->bytes, page::Checksum::kVerify);
  if (!reader.ok()) return;
  uint64_t hidden_buckets = 0;
  rollup::BucketArrays all;
  for (const model::SeriesId series : reader->series()) {
    const model::SeriesRef ref{info.field, series};
    rollup::BucketArrays left;
    bool touched = false;
    for (const retention::Mask* mask : masks.masks()) {
      if (!mask->refs().Contains(ref)) continue;
      if (!touched && !reader->Read(series, {}, &all).ok()) return;
      if (!touched) left = all;
      touched = true;
      rollup::EraseInside(mask->range(), &left);
    }
    if (!touched || left.size() == all.size()) continue;
    hidden_buckets += all.size() - left.size();
    out->rows += static_cast<uint64_t>(std::accumulate(all.count.begin(), all.count.end(), int64_t{0}) -
                                       std::accumulate(left.count.begin(), left.count.end(), int64_t{0}));
    out->refs.push_back(ref);
  }
  out->bytes += static_cast<uint64_t>(static_cast<double>(info.bytes * tiers) * static_cast<double>(hidden_buckets) /
                                      static_cast<double>(std::max<uint64_t>(info.rows, 1)));
}

}  // namespace

void AddMaskedRows(const PageSet& pages, const retention::SourceMasks& masks, MaskedRows* out) {
  if (masks.empty()) return;
  auto directory = pages.Directory();
  if (!directory.ok()) return;
  const std::vector<PageInfo>& list = (*directory)->pages();
  std::vector<page::Entry> entries;
  for (size_t index = 0; index < list.size(); ++index) {
    const PageInfo& info = list[index];
    if (info.tier == kFirstTier && (*directory)->rows() == 0) {
      CountBuckets(pages, index, masks, (*directory)->tier_widths_ns().size(), out);
      continue;
    }
    if (info.tier != rocks::kRawTier || info.field == page::kTimelineField || info.rows == 0) continue;
    const bool wanted = std::any_of(masks.masks().begin(), masks.masks().end(), [&](const retention::Mask* mask) {
      return mask->refs().HasField(info.field) && mask->range().Overlaps(info.range);
    });
    if (!wanted) continue;
    auto bytes = pages.Read(index);
    if (!bytes.ok()) continue;
    auto reader = page::PageReader::Open(bytes->bytes, page::Checksum::kVerify);
    entries.clear();
    if (!reader.ok() || !reader->ReadEntries({0, reader->entries()}, &entries).ok()) continue;
    uint64_t rows = 0;
    for (const page::Entry& entry : entries) {
      const model::SeriesRef ref{info.field, entry.series};
      uint64_t hidden = 0;
      for (const retention::Mask* mask : masks.masks()) {
        if (mask->refs().Contains(ref)) hidden = std::max(hidden, RowsInside(entry, mask->range()));
      }
      if (hidden == 0) continue;
      rows += hidden;
      out->refs.push_back(ref);
    }
    out->rows += rows;
    out->bytes += static_cast<uint64_t>(static_cast<double>(info.bytes) * static_cast<double>(rows) /
                                        static_cast<double>(info.rows));
  }
}

}  // namespace tidemark::storage::partition
