#include "storage/rescue/readable_pages.h"

#include <fmt/core.h>

#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "storage/partition/epoch.h"
#include "storage/rescue/page_check.h"
#include "storage/rescue/page_names.h"

namespace tidemark::storage::rescue {
namespace {

// The names of a database, as far as they can be read; null: none.
std::unique_ptr<index::Index> NamesOf(const Salvage& salvage, model::DatabaseId database) {
  auto index = LoadSavedIndex(*salvage.rocks, {database, {}, {}});
  return index.ok() ? std::move(index).value() : nullptr;
}

Result<ReadablePages> ReadablePagesOf(const meta::EpochRecord& record, const std::string& place,
                                      const Salvage& salvage) {
  const partition::Epoch epoch(record, salvage.rocks, std::make_shared<rocks::Graveyard>());
  const std::unique_ptr<index::Index> names = NamesOf(salvage, record.database);
  return ReadWhatIsWhole(epoch, place, names.get());
}

}  // namespace

Result<meta::EpochRecord> RecordOf(const Salvage& salvage, model::DatabaseId database, uint64_t epoch) {
  TM_TRY_ASSIGN(const auto value, salvage.rocks->Get(rocks::Family::kMeta, rocks::EpochMetaKey(database, epoch)));
  if (!value) return Corruption("no record names it");
  return meta::DecodeEpochRecord(*value);
}

std::string PlaceOf(const Salvage& salvage, const meta::EpochRecord& epoch, const std::string& path) {
  std::string database = fmt::format("{}", model::Number(epoch.database));
  const auto value = salvage.rocks->Get(rocks::Family::kMeta, rocks::DatabaseMetaKey(epoch.database));
  if (value.ok() && *value) {
    if (auto record = meta::DecodeDatabaseRecord(**value); record.ok()) database = record->name;
  }
  return NameOf(epoch, database) + (path.empty() ? "" : ", " + path);
}

Result<void> TellOfUnreadable(const meta::EpochRecord& epoch, const std::string& place, Salvage* salvage) {
  TM_TRY_ASSIGN(ReadablePages left, ReadablePagesOf(epoch, place, *salvage));
  for (model::Finding& finding : left.lost) salvage->findings.push_back(std::move(finding));
  return {};
}

Result<void> TakeInReadable(const meta::EpochRecord& epoch, const std::string& place, const std::string& folder,
                            Salvage* salvage, rocks::RocksStore* rocks) {
  TM_TRY_ASSIGN(ReadablePages left, ReadablePagesOf(epoch, place, *salvage));
  if (left.pages.pages.empty()) return Corruption("none of its pages can be read");
  const partition::PageDirectory kept = partition::SortAndList(&left.pages);
  // A name of its own: the table itself may be linked under the epoch's.
  const std::string path = fmt::format("{}/readable-{}.sst", folder, epoch.epoch);
  if (epoch.in_meta) {
    // What is written of it comes behind this.
    rocks::RecordBatch gone;
    gone.DeleteRange(rocks::Family::kMeta, meta::KeysOf(epoch));
    TM_RETURN_IF_ERROR(rocks->Write(gone));
  }
  rocks::RecordBatch change;
  meta::EpochRecord written = epoch;
  written.bytes = 0;
  TM_TRY_ASSIGN(written, partition::WriteEpoch(rocks, path, epoch.in_meta ? std::numeric_limits<uint64_t>::max() : 0,
                                               written, left.pages, kept, &change));
  if (!written.in_meta) TM_RETURN_IF_ERROR(rocks->Ingest({path}));
  change.Put(rocks::Family::kMeta, rocks::EpochMetaKey(epoch.database, epoch.epoch), meta::Encode(written));
  TM_RETURN_IF_ERROR(rocks->Write(change));
  for (model::Finding& finding : left.lost) salvage->findings.push_back(std::move(finding));
  return {};
}

}  // namespace tidemark::storage::rescue
