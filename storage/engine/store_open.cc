#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/engine/journal_record.h"
#include "storage/engine/retention_plan.h"
#include "storage/engine/store_impl.h"
#include "storage/journal/batch_record.h"
#include "storage/journal/local_journal.h"

namespace tidemark::storage {
namespace {

// Shards of a head set: a power of two, at least as many as threads that write at once.
uint32_t HeadShards(size_t threads) {
  uint32_t shards = 4;
  while (shards < threads && shards < 64) shards *= 2;
  return shards;
}

// Whether the index knows every id that the batch uses. Ids are given out without gaps.
bool AllKnown(const model::ResolvedBatch& batch, const index::IndexStats& stats) {
  for (const model::ResolvedShape& shape : batch.shapes) {
    if (model::Number(shape.measurement) > stats.measurements) return false;
    for (const model::ResolvedField& field : shape.fields) {
      if (model::Number(field.id) > stats.fields) return false;
    }
  }
  return std::all_of(batch.rows.begin(), batch.rows.end(),
                     [&](const model::ResolvedRow& row) { return model::Number(row.series) <= stats.series; });
}

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(StoreOptions options) {
  if (options.directory.empty()) return InvalidArgument("a store needs a directory");
  auto store = std::make_unique<StoreImpl>(std::move(options));
  TM_RETURN_IF_ERROR(store->Start());
  return std::unique_ptr<Store>(std::move(store));
}

StoreImpl::StoreImpl(StoreOptions options)
    : options_(std::move(options)),
      clock_(options_.clock != nullptr ? *options_.clock : SystemClock::Get()),
      scheduler_(options_.scheduler != nullptr ? *options_.scheduler : static_cast<Scheduler&>(inline_scheduler_)),
      head_shards_(HeadShards(scheduler_.concurrency())) {}

StoreImpl::~StoreImpl() {
  closing_.store(true);
  StopBackground();
  WriterLock lock(open_mutex_);
  if (!closed_ && journal_ != nullptr) {
    if (auto synced = journal_->Sync(); !synced.ok()) TM_LOG(kError, "closing: {}", synced.error().message);
  }
  // Views may outlive the store; the database and its lock do not.
  if (rocks_ != nullptr) rocks_->Close();
}

Result<void> StoreImpl::Start() {
  const int64_t started = clock_.SteadyNs();
  std::error_code error;
  std::filesystem::create_directories(options_.directory + "/rocksdb", error);
  if (error) return IoError(fmt::format("creating {}: {}", options_.directory, error.message()));
  TM_TRY_ASSIGN(rocks_, RocksStore::Open({.directory = options_.directory + "/rocksdb",
                                          .file_system = options_.file_system,
                                          .cache_bytes = options_.cache_bytes,
                                          .on_error = [this](const std::string& text) { health_.ReportText(text); }}));
  meta_ = std::make_unique<MetaStore>(rocks_, graveyard_);
  TM_RETURN_IF_ERROR(meta_->Load());
  TM_RETURN_IF_ERROR(EmptyStaging());
  FailurePoint("open.staging_emptied");
  TM_RETURN_IF_ERROR(LoadDatabases());
  TM_RETURN_IF_ERROR(LoadIndexes());
  TM_RETURN_IF_ERROR(LoadMasks());
  TM_RETURN_IF_ERROR(DropOrphans());
  FailurePoint("open.orphans_dropped");
  TM_RETURN_IF_ERROR(OpenJournal());
  TM_RETURN_IF_ERROR(ReplayJournal());
  FailurePoint("open.replayed");
  last_checkpoint_at_ns_.store(clock_.SteadyNs());
  last_retention_at_ns_.store(clock_.SteadyNs());
  last_reduction_at_ns_.store(clock_.SteadyNs());
  last_hidden_look_at_ns_.store(clock_.SteadyNs());
  counters_.recovery_ns.store(clock_.SteadyNs() - started);
  if (options_.background) {
    background_ = std::jthread([this](const std::stop_token& stop) { RunBackground(stop); });
    folding_ = std::jthread([this](const std::stop_token& stop) { RunFolding(stop); });
  }
  return {};
}

Result<void> StoreImpl::EmptyStaging() {
  const std::string directory = options_.directory + "/staging";
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return IoError(fmt::format("creating {}: {}", directory, error.message()));
  return rocks_->DeleteChildren(directory);
}

Result<void> StoreImpl::LoadDatabases() {
  std::map<model::DatabaseId, std::vector<std::shared_ptr<const Epoch>>> epochs;
  for (const EpochRecord& record : meta_->epochs()) epochs[record.database].push_back(MakeEpoch(record));
  WriterLock lock(databases_mutex_);
  for (const DatabaseRecord& record : meta_->databases()) {
    DatabasePtr database = NewDatabase(record);
    for (const auto& epoch : epochs[record.id]) {
      const EpochRecord& e = epoch->record();
      if (e.tiers_only) database->RaiseRawFloor(EndNs({e.partition_start_ns, e.partition_ns}) + 1);
    }
    database->ReplacePages({}, {}, std::move(epochs[record.id]));
    databases_.emplace(record.name, std::move(database));
  }
  return {};
}

Result<void> StoreImpl::LoadIndexes() {
  for (const DatabasePtr& database : AllDatabases()) {
    TM_RETURN_IF_ERROR(rocks_->ForEach(Family::kIndex, IndexKey(database->id(), {}),
                                       [&](std::string_view key, std::string_view value) {
                                         return database->index().Load(key.substr(kIndexKeyPrefixBytes), value);
                                       }));
    if (auto finished = database->index().FinishLoad(); !finished.ok()) {
      return std::move(finished).error().Within(fmt::format("the index of database {}", database->name()));
    }
    counters_.series_loaded.fetch_add(database->index().Stats().series);
  }
  return {};
}

Result<void> StoreImpl::DropOrphans() {
  std::set<std::pair<model::DatabaseId, uint64_t>> live;
  for (const EpochRecord& record : meta_->epochs()) live.emplace(record.database, record.epoch);
  TM_TRY_ASSIGN(const std::vector<DataFile> files, rocks_->DataFiles());
  std::vector<KeyRange> dead;
  for (const DataFile& file : files) {
    TM_TRY_ASSIGN(const PageKey key, DecodePageKey(file.smallest));
    // Numbers of orphans are passed over, so that a file which cannot be dropped is never taken for a later epoch.
    meta_->SkipEpochNumbersTo(key.epoch);
    if (live.contains({key.database, key.epoch})) continue;
    if (file.level == 0) TM_LOG(kWarn, "{} is in level 0 and cannot be freed", file.name);
    dead.push_back(EpochKeys(key.database, key.partition_start_ns, key.epoch));
  }
  TM_TRY_ASSIGN(const std::vector<PageKey> small, rocks_->EpochsInMeta());
  for (const PageKey& key : small) {
    meta_->SkipEpochNumbersTo(key.epoch);
    if (live.contains({key.database, key.epoch})) continue;
    dead.push_back(EpochKeysInMeta(key.database, key.partition_start_ns, key.epoch));
  }
  if (!dead.empty()) TM_LOG(kInfo, "dropping the pages of {} epochs that are not live", dead.size());
  TM_RETURN_IF_ERROR(rocks_->DropFiles(dead));
  // Entries of databases that were dropped.
  std::set<model::DatabaseId> known;
  for (const DatabaseRecord& record : meta_->databases()) known.insert(record.id);
  return rocks_->DropUnknownIndexes(known);
}

Result<void> StoreImpl::OpenJournal() {
  TM_TRY_ASSIGN(journal_, journal::OpenLocalJournal({.directory = options_.directory + "/journal",
                                                     .file_system = options_.file_system,
                                                     .segment_bytes = options_.journal_segment_bytes}));
  return {};
}

Result<void> StoreImpl::ReplayJournal() {
  std::map<model::DatabaseId, DatabasePtr> by_id;
  for (const DatabasePtr& database : AllDatabases()) by_id.emplace(database->id(), database);
  uint64_t skipped = 0;
  journal::DecodedBatch batch;
  const auto apply = [&](uint64_t sequence, std::string_view bytes) -> Result<void> {
    auto decoded = DecodeRecord(bytes);
    if (!decoded.ok()) return std::move(decoded).error().Within(fmt::format("journal record {}", sequence));
    {
      MutexLock lock(order_mutex_);
      last_sequence_ = sequence;
    }
    if (*decoded == JournalRecord{}) return {};  // of a self-test
    const auto found = by_id.find(decoded->database);
    if (found == by_id.end()) {
      if (meta_->KnowsDatabaseId(decoded->database)) return {};  // dropped since
      return Corruption(fmt::format("journal record {} is of database {}, which there never was", sequence,
                                    model::Number(decoded->database)));
    }
    Database& database = *found->second;
    if (!decoded->deletion.empty()) {
      auto deleted = ReplayDelete(database, decoded->deletion);
      if (!deleted.ok()) return std::move(deleted).error().Within(fmt::format("journal record {}", sequence));
      return {};
    }
    // A record whose names are not defined was never acknowledged: see DefinitionLedger.
    if (!decoded->definitions.empty()) {
      if (auto defined = database.index().ApplyDefinitions(decoded->definitions); !defined.ok()) {
        TM_LOG(kWarn,
               "journal record {} is left out, it was never acknowledged or comes after what a repair gave up: {}",
               sequence, defined.error().message);
        ++skipped;
        return {};
      }
    }
    if (decoded->batch.empty()) return {};
    if (auto rows = journal::DecodeBatch(decoded->batch, &batch); !rows.ok()) {
      return std::move(rows).error().Within(fmt::format("journal record {}", sequence));
    }
    if (!AllKnown(batch.View(), database.index().Stats())) {
      TM_LOG(kWarn,
             "journal record {} is left out, it was never acknowledged or comes after what a repair gave up: it names "
             "what is not defined",
             sequence);
      ++skipped;
      return {};
    }
    const std::shared_ptr<StagedSet> set = database.live();
    set->heads().Append(batch.View(), set->TakeTicket());
    set->TicketDone();
    const uint64_t points = batch.values.size();
    counters_.recovered_points.fetch_add(points);
    points_since_checkpoint_.fetch_add(points);
    KeepWithinBudget(database, points);
    return {};
  };
  TM_RETURN_IF_ERROR(journal_->Replay(meta_->checkpoint_sequence() + 1, apply));
  {
    MutexLock lock(order_mutex_);
    last_sequence_ = std::max(last_sequence_, meta_->checkpoint_sequence());
  }
  // Ids that such records name may be given to something else now, so they must not be seen again.
  if (skipped > 0) return Checkpoint();
  return {};
}

Result<void> StoreImpl::Close() {
  closing_.store(true);
  StopBackground();
  WriterLock lock(open_mutex_);
  if (closed_) return {};
  Result<void> result;
  {
    MutexLock flush(flush_mutex_);
    result = CheckpointLocked();
  }
  if (auto synced = journal_->Sync(); result.ok() && !synced.ok()) result = std::move(synced);
  DropDeadFiles();
  // A flipped bit in RocksDB's log stops the next start; in a table it costs the page that it is in.
  if (auto flushed = rocks_->Flush(); result.ok() && !flushed.ok()) {
    TM_LOG(kWarn, "closing: {}", flushed.error().message);
  }
  FailurePoint("close.flushed");
  closed_ = true;
  journal_.reset();
  rocks_->Close();
  return result;
}

}  // namespace tidemark::storage
