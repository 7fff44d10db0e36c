#include "storage/rescue/readable_pages.h"

#include <fmt/core.h>

#include <memory>
#include <utility>

#include "storage/meta/meta_records.h"
#include "storage/partition/epoch.h"

namespace tidemark::storage::rescue {

Result<void> TakeInReadable(const PageTable& table, const std::string& folder, Salvage* salvage,
                            rocks::RocksStore* rocks) {
  const std::string key = rocks::EpochMetaKey(table.sight.database, table.sight.epoch);
  TM_TRY_ASSIGN(const auto value, salvage->rocks->Get(rocks::Family::kMeta, key));
  if (!value) return Corruption("no record names it");
  TM_TRY_ASSIGN(meta::EpochRecord record, meta::DecodeEpochRecord(*value));
  const partition::Epoch epoch(record, salvage->rocks, std::make_shared<rocks::Graveyard>());
  TM_TRY_ASSIGN(const partition::PageDirectory* const directory, epoch.Directory());
  partition::PartitionPages left;
  left.partition_start_ns = record.partition_start_ns;
  left.partition_ns = record.partition_ns;
  left.tier_widths_ns = directory->tier_widths_ns();
  left.rows_range = record.range;
  if (const auto series = epoch.Series(); series.ok()) left.series = *series;
  for (size_t i = 0; i < directory->pages().size(); ++i) {
    const partition::PageInfo& info = directory->pages()[i];
    const auto bytes = epoch.Read(i);
    if (!bytes.ok()) continue;
    partition::PartitionPage& page = left.pages.emplace_back();
    page.measurement = info.measurement;
    page.tier = info.tier;
    page.page.field = info.field;
    page.page.first_series = info.first_series;
    page.page.last_series = info.last_series;
    page.page.part = info.part;
    page.page.range = info.range;
    page.page.rows = info.rows;
    page.page.bytes = bytes->bytes;
  }
  if (left.pages.empty()) return Corruption("none of its pages can be read");
  const partition::PageDirectory kept = partition::SortAndList(&left);
  // A name of its own: the table itself may be linked under the epoch's.
  const std::string path = fmt::format("{}/readable-{}.sst", folder, record.epoch);
  TM_TRY_ASSIGN(record, partition::WriteEpoch(rocks, path, /*small_bytes=*/0, record, left, kept, /*values=*/nullptr));
  TM_RETURN_IF_ERROR(rocks->Ingest({path}));
  rocks::RecordBatch change;
  change.Put(rocks::Family::kMeta, key, meta::Encode(record));
  TM_RETURN_IF_ERROR(rocks->Write(change));
  model::Finding finding{.area = model::FindingArea::kPages, .place = table.path};
  finding.what = fmt::format("{} of its {} pages cannot be read, and are left out",
                             directory->pages().size() - kept.pages().size(), directory->pages().size());
  finding.loss = model::Loss{};
  salvage->findings.push_back(std::move(finding));
  return {};
}

}  // namespace tidemark::storage::rescue
