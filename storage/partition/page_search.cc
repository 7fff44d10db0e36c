#include "storage/partition/page_search.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "storage/page/page_reader.h"
#include "storage/rollup/buckets.h"
#include "storage/rollup/sketch_page.h"
#include "storage/rollup/sketches.h"
#include "storage/rollup/tier_reader.h"

namespace tidemark::storage::partition {
namespace {

class Search {
 public:
  explicit Search(const meta::EpochRecord& record) : record_(record) {}

  Result<void> See(const rocks::PageKey& key, std::string_view bytes) {
    if (key.tier == rocks::kDirectoryTier) return {};
    PageInfo info;
    info.tier = key.tier;
    info.measurement = key.measurement;
    info.field = key.field;
    info.first_series = key.first_series;
    info.last_series = key.first_series;
    info.part = key.part;
    info.bytes = static_cast<uint32_t>(bytes.size());
    info.range = {model::Timestamp::Max(), model::Timestamp::Min()};
    const Result<void> read = Read(bytes, &info);
    if (!read.ok() && read.error().code != ErrorCode::kCorruption) return read;
    if (read.ok()) pages_.push_back(info);
    return {};
  }

  Result<FoundPages> Finish() && {
    FoundPages out;
    out.missing = record_.pages - std::min<uint64_t>(record_.pages, pages_.size());
    if (pages_.empty()) return Corruption("no page of the epoch can be read");
    if (out.missing > 0 && !record_.tiers_only) {
      std::erase_if(pages_, [](const PageInfo& page) { return page.tier != rocks::kRawTier; });
      widths_ns_.clear();
    }
    std::vector<int64_t> widths;
    for (const auto& [number, width_ns] : widths_ns_) {
      // Tiers are known by their place in the list. One of which no page is left has a width that nobody asks for.
      while (widths.size() + 1 < number) widths.push_back(widths.empty() ? 1 : widths.back() + 1);
      widths.push_back(width_ns);
    }
    out.directory = PageDirectory(std::move(pages_), std::move(widths));
    return out;
  }

 private:
  Result<void> Read(std::string_view bytes, PageInfo* info) {
    if (info->tier == rocks::kRawTier) return ReadRows(bytes, info);
    if (info->tier <= rocks::kSketchTiers) return ReadBuckets<rollup::TierReader, rollup::BucketArrays>(bytes, info);
    return ReadBuckets<rollup::SketchReader, rollup::SketchArrays>(bytes, info);
  }

  static Result<void> ReadRows(std::string_view bytes, PageInfo* info) {
    TM_TRY_ASSIGN(const page::PageReader reader, page::PageReader::Open(bytes, page::Checksum::kVerify));
    if (reader.field() != info->field) return Corruption("a page is of another field than its key");
    std::vector<page::Entry> entries;
    TM_RETURN_IF_ERROR(reader.ReadEntries({0, reader.entries()}, &entries, page::Zones::kLeave));
    for (const page::Entry& entry : entries) {
      info->last_series = std::max(info->last_series, entry.series);
      info->rows += entry.rows;
      info->range.first = std::min(info->range.first, entry.range.first);
      info->range.last = std::max(info->range.last, entry.range.last);
    }
    return {};
  }

  template <typename Reader, typename Arrays>
  Result<void> ReadBuckets(std::string_view bytes, PageInfo* info) {
    TM_TRY_ASSIGN(const Reader reader, Reader::Open(bytes, page::Checksum::kVerify));
    Arrays buckets;
    for (const model::SeriesId series : reader.series()) {
      TM_RETURN_IF_ERROR(reader.Read(series, {}, &buckets));
      info->last_series = std::max(info->last_series, series);
      info->rows += buckets.bucket.size();
      if (buckets.bucket.empty()) continue;
      const int64_t begin_ns = rollup::BucketEnd(buckets.bucket.front() - 1, reader.width_ns());
      info->range.first.ns = std::min(info->range.first.ns, begin_ns + 1);
      info->range.last.ns = std::max(info->range.last.ns, rollup::BucketEnd(buckets.bucket.back(), reader.width_ns()));
    }
    widths_ns_[rocks::TierOfPage(info->tier)] = reader.width_ns();
    return {};
  }

  const meta::EpochRecord& record_;
  std::vector<PageInfo> pages_;
  std::map<uint8_t, int64_t> widths_ns_;  // by the number of the tier
};

}  // namespace

Result<FoundPages> SearchPages(const meta::EpochRecord& record, const rocks::RocksStore& rocks) {
  Search search(record);
  if (record.in_meta) {
    const std::string prefix = rocks::EpochKeysInMeta(record.database, record.partition_start_ns, record.epoch).first;
    TM_RETURN_IF_ERROR(
        rocks.ForEach(rocks::Family::kMeta, prefix, [&](std::string_view key, std::string_view value) -> Result<void> {
          TM_TRY_ASSIGN(const rocks::PageKey page, rocks::DecodePageKey(key.substr(rocks::kPagePrefix.size())));
          return search.See(page, value);
        }));
    return std::move(search).Finish();
  }
  const rocks::PageKey of_epoch{record.database, record.partition_start_ns, record.epoch, 0, {}, {}, {}, 0};
  TM_TRY_ASSIGN([[maybe_unused]] const uint64_t gaps,
                rocks.ForEachReadable(of_epoch, [&](std::string_view key, std::string_view value) -> Result<void> {
                  TM_TRY_ASSIGN(const rocks::PageKey page, rocks::DecodePageKey(key));
                  return search.See(page, value);
                }));
  return std::move(search).Finish();
}

}  // namespace tidemark::storage::partition
