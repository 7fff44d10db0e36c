#include "storage/engine/mask_estimate.h"

#include <algorithm>
#include <cmath>

#include "storage/page/page_reader.h"

namespace tidemark::storage {
namespace {

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

}  // namespace

void AddMaskedRows(const PageSet& pages, const SourceMasks& masks, MaskedRows* out) {
  if (masks.empty()) return;
  auto directory = pages.Directory();
  if (!directory.ok()) return;
  const std::vector<PageInfo>& list = (*directory)->pages();
  std::vector<page::Entry> entries;
  for (size_t index = 0; index < list.size(); ++index) {
    const PageInfo& info = list[index];
    if (info.tier != kRawTier || info.field == page::kTimelineField || info.rows == 0) continue;
    const bool wanted = std::any_of(masks.masks().begin(), masks.masks().end(), [&](const Mask* mask) {
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
      for (const Mask* mask : masks.masks()) {
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

}  // namespace tidemark::storage
