// The first half of an open: what is there, and whether all of it is as it was written. Changes no byte.
#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <map>
#include <set>
#include <utility>

#include "storage/base/text/instant.h"
#include "storage/database/journal_record.h"
#include "storage/database/retention_plan.h"
#include "storage/engine/store_impl.h"
#include "storage/journal/journal_scan.h"
#include "storage/model/repair_remedy.h"
#include "storage/rescue/salvage.h"
#include "storage/rocks/rocks_log.h"
#include "storage/rocks/store_lock.h"

namespace tidemark::storage {
namespace {

model::Finding Damaged(model::FindingArea area, std::string place, std::string what) {
  model::Finding finding{.area = area, .place = std::move(place), .what = std::move(what)};
  finding.remedy = model::kRepairRemedy;
  return finding;
}

// RocksDB takes a flipped bit in the name of a file for a file that is not there, and in a number for a feature of a
// later version.
bool IsDamage(const Error& error) {
  return error.code == ErrorCode::kCorruption || error.code == ErrorCode::kIo || error.code == ErrorCode::kNotFound ||
         error.code == ErrorCode::kUnsupported || error.code == ErrorCode::kInternal;
}

}  // namespace

Result<void> StoreImpl::OpenForLook() {
  auto opened = OpenRocks(RocksMode::kLook);
  if (opened.ok() || !IsDamage(opened.error())) return opened;
  const std::string place = parts_.options.directory + "/rocksdb";
  TM_TRY_ASSIGN(const rocks::LogEnd end, rocks::ClassifyLogs(parts_.files.get(), place));
  if (end == rocks::LogEnd::kTorn && OpenRocks(RocksMode::kLookPastTornEnd).ok()) return {};
  past_damage_ = std::move(opened).error();
  opened = OpenRocks(RocksMode::kLookPastDamage);
  if (!opened.ok()) return *past_damage_;
  return {};
}

Result<void> StoreImpl::LookAtTables() {
  if (!past_damage_) return {};
  const std::string place = parts_.options.directory + "/rocksdb";
  TM_TRY_ASSIGN(const auto lost, parts_.rocks->LostTables());
  TM_TRY_ASSIGN(const rocks::LogEnd log, rocks::ClassifyLogs(parts_.files.get(), place));
  // Tables that are missing or cut are named with what lies in them.
  if (lost.empty() || log == rocks::LogEnd::kDamaged) {
    parts_.findings.Add(Damaged(model::FindingArea::kMeta, place, past_damage_->message));
  }
  for (const rocks::RocksStore::LostTable& table : lost) {
    if (!table.file.pages) {
      parts_.findings.Add(Damaged(model::FindingArea::kMeta, place + table.file.name, table.why));
      continue;
    }
    const auto key = rocks::DecodePageKey(table.file.smallest);
    std::string what = table.why + "; no live rows lie in it";
    std::string name;
    for (const meta::EpochRecord& epoch : parts_.meta->epochs()) {
      if (!key.ok() || epoch.database != key->database || epoch.epoch != key->epoch) continue;
      name = NameOfDatabase(epoch.database);
      what = fmt::format("{}; it held {} values of database {} from {} to {}", table.why, epoch.rows, name,
                         text::PrintSecond(epoch.range.first.ns), text::PrintSecond(epoch.range.last.ns));
    }
    parts_.findings.Add(Damaged(model::FindingArea::kPages, place + table.file.name, std::move(what)), std::move(name));
  }
  return {};
}

std::string StoreImpl::NameOfDatabase(model::DatabaseId id) const {
  for (const meta::DatabaseRecord& record : parts_.meta->databases()) {
    if (record.id == id) return record.name;
  }
  return {};
}

Result<bool> StoreImpl::Look(const rocks::StoreSight& sight) {
  // Whoever has the store open is changing it.
  TM_TRY_ASSIGN(lock_, rocks::StoreLock::Take(parts_.options.directory));
  Result<void> looked = sight.no_beginning ? Result<void>(*sight.no_beginning) : OpenForLook();
  const bool opened = looked.ok();
  if (opened) {
    looked = LoadRecords();
    if (!looked.ok() && looked.error().code == ErrorCode::kNotFound) {
      TM_TRY_ASSIGN(const std::vector<rocks::DataFile> pages, parts_.rocks->DataFiles());
      TM_TRY_ASSIGN(const auto segments,
                    journal::ListSegments(parts_.files.get(), parts_.options.directory + "/journal"));
      // Versions that wrote no identity left such a directory when their first start was cut short.
      if (!sight.identity && pages.empty() && segments.empty()) return false;
    }
  }
  if (!looked.ok()) {
    if (!IsDamage(looked.error())) return std::move(looked).error();
    TM_RETURN_IF_ERROR(LookAtSalvage(std::move(looked).error(), /*records_lost=*/opened));
  }
  TM_RETURN_IF_ERROR(LookAtJournal());
  return true;
}

Result<void> StoreImpl::LoadRecords() {
  TM_RETURN_IF_ERROR(parts_.meta->Load());
  if (auto loaded = documents_->Load(); !loaded.ok()) {
    if (!salvaged_ || !IsDamage(loaded.error())) return loaded;
    parts_.findings.Add(Damaged(model::FindingArea::kDocuments, parts_.options.directory + "/rocksdb",
                                "documents cannot be read: " + loaded.error().message));
  }
  TM_RETURN_IF_ERROR(LoadDatabases());
  TM_RETURN_IF_ERROR(LookAtTables());
  TM_RETURN_IF_ERROR(LoadIndexes());
  TM_RETURN_IF_ERROR(LoadMasks());
  // Of a salvage nothing is ever freed.
  return salvaged_ ? Result<void>() : checkpointer_.NoteOrphans();
}

Result<void> StoreImpl::LookAtSalvage(Error damage, bool records_lost) {
  auto salvage = rescue::SalvageStore({.directory = parts_.options.directory,
                                       .file_system = parts_.files,
                                       .cache_bytes = parts_.options.cache_bytes,
                                       .records_lost = records_lost});
  if (!salvage.ok()) {
    damage.message +=
        fmt::format("; nothing was changed, and nothing could be read without it either ({})", salvage.error().message);
    return damage;
  }
  if (parts_.rocks != nullptr) parts_.rocks->Close();
  for (const DatabasePtr& database : parts_.databases.All()) parts_.databases.Remove(database->name());
  parts_.findings.Clear();
  parts_.counters.series_loaded.store(0);
  past_damage_.reset();
  salvaged_ = true;
  salvage_sequence_ = salvage->sequence;
  parts_.rocks = std::move(salvage->rocks);
  UseRocks();
  parts_.findings.Add(
      Damaged(model::FindingArea::kMeta, parts_.options.directory + "/rocksdb", std::move(damage.message)));
  for (model::Finding& finding : salvage->findings) {
    finding.remedy = model::kRepairRemedy;
    parts_.findings.Add(std::move(finding));
  }
  return LoadRecords();
}

Result<void> StoreImpl::LookAtJournal() {
  std::set<model::DatabaseId> known;
  for (const meta::DatabaseRecord& record : parts_.meta->databases()) known.insert(record.id);
  TM_TRY_ASSIGN(watermark::JournalTally tally, ReadWatermark(parts_.store_id));
  std::optional<Error> stray;  // the journal is whole then, and meta is not
  // The rows themselves are decoded by the replay: that a record's bytes are those that were written is known by then.
  const auto check = [&](uint64_t sequence, std::string_view bytes) -> Result<void> {
    TM_TRY_ASSIGN(const database::JournalRecord record, database::DecodeRecord(bytes));
    TM_TRY_ASSIGN(const uint64_t rows, database::RowsOf(record));
    tally.Count(sequence, rows);
    if (record == database::JournalRecord{} || known.contains(record.database)) return {};
    if (auto once = CheckOnceKnown(sequence, record.database); !once.ok() && !stray) stray = once.error();
    return {};
  };
  TM_TRY_ASSIGN(const journal::JournalCheck journal,
                journal::CheckJournal(parts_.files.get(), parts_.options.directory + "/journal",
                                      parts_.meta->checkpoint_sequence() + 1, check, tally.watched()));
  if (stray) {
    parts_.findings.Add(
        Damaged(model::FindingArea::kMeta, parts_.options.directory + "/rocksdb", std::move(stray->message)));
  }
  JudgeWatermark(journal, tally);
  LookAtMedium();
  return {};
}

Result<void> StoreImpl::CheckOnceKnown(uint64_t sequence, model::DatabaseId database) const {
  if (parts_.meta->KnowsDatabaseId(database)) return {};  // dropped since
  return database::UnknownDatabase(sequence, database);
}

Result<void> StoreImpl::LoadDatabases() {
  std::map<model::DatabaseId, database::EpochList> epochs;
  for (const meta::EpochRecord& record : parts_.meta->epochs()) {
    epochs[record.database].push_back(parts_.MakeEpoch(record));
  }
  for (const meta::DatabaseRecord& record : parts_.meta->databases()) {
    DatabasePtr database = parts_.MakeDatabase(record);
    for (const auto& epoch : epochs[record.id]) {
      const meta::EpochRecord& e = epoch->record();
      if (e.tiers_only) database->RaiseRawFloor(database::EndNs({e.partition_start_ns, e.partition_ns}) + 1);
    }
    database->ReplacePages({}, {}, std::move(epochs[record.id]));
    parts_.databases.Add(std::move(database));
  }
  return {};
}

Result<void> StoreImpl::LoadIndexes() {
  for (const DatabasePtr& database : parts_.databases.All()) {
    auto loaded = parts_.rocks->ForEach(rocks::Family::kIndex, rocks::IndexKey(database->id(), {}),
                                        [&](std::string_view key, std::string_view value) {
                                          return database->index().Load(key.substr(rocks::kIndexKeyPrefixBytes), value);
                                        });
    if (loaded.ok()) loaded = database->index().FinishLoad();
    if (!loaded.ok()) {
      if (!salvaged_ || !IsDamage(loaded.error())) {
        return std::move(loaded).error().Within(fmt::format("the index of database {}", database->name()));
      }
      model::Finding finding = Damaged(model::FindingArea::kIndex, parts_.options.directory + "/rocksdb",
                                       fmt::format("the names of database {} cannot be read, and without them its rows "
                                                   "cannot either: {}",
                                                   database->name(), loaded.error().message));
      unreadable_.emplace(database->id(),
                          MakeError(ErrorCode::kUnavailable, model::Describe(finding) + "; " + finding.remedy));
      parts_.findings.Add(std::move(finding), database->name());
      continue;
    }
    parts_.counters.series_loaded.fetch_add(database->index().Stats().series);
  }
  return {};
}

Result<void> StoreImpl::LoadMasks() {
  for (const DatabasePtr& database : parts_.databases.All()) {
    if (unreadable_.contains(database->id())) continue;
    auto loaded = deleter_.LoadMasksOf(*database);
    if (loaded.ok()) continue;
    if (!salvaged_ || !IsDamage(loaded.error())) return loaded;
    parts_.findings.Add(Damaged(model::FindingArea::kMeta, parts_.options.directory + "/rocksdb",
                                "a deletion cannot be read, and what it hid is shown: " + loaded.error().message),
                        database->name());
  }
  return {};
}

}  // namespace tidemark::storage
