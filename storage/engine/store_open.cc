#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/database/journal_record.h"
#include "storage/database/retention_plan.h"
#include "storage/engine/store_impl.h"
#include "storage/journal/batch_record.h"
#include "storage/journal/journal_scan.h"
#include "storage/journal/local_journal.h"
#include "storage/rocks/directory.h"
#include "storage/rocks/rocks_log.h"
#include "storage/rocks/store_lock.h"

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
      files_(options_.file_system != nullptr ? options_.file_system : rocksdb::FileSystem::Default()),
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
  TM_TRY_ASSIGN(const rocks::StoreSight sight, rocks::LookForStore(files_.get(), options_.directory));
  bool there = sight.kind == rocks::StoreSight::Kind::kStore;
  if (there) {
    TM_TRY_ASSIGN(there, Look(sight));
    FailurePoint("open.looked");
  }
  TM_RETURN_IF_ERROR(there ? Enter(sight) : Create(sight));
  TM_RETURN_IF_ERROR(NoteOrphans());
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

Result<void> StoreImpl::OpenRocks(RocksMode mode) {
  const bool create = mode == RocksMode::kCreate;
  TM_TRY_ASSIGN(rocks_,
                rocks::RocksStore::Open({.directory = options_.directory + "/rocksdb",
                                         .file_system = options_.file_system,
                                         .cache_bytes = options_.cache_bytes,
                                         .max_open_files = options_.max_open_files,
                                         .create = create,
                                         .read_only = !create,
                                         .strict_log = mode == RocksMode::kLook,
                                         .on_error = [this](const std::string& text) { health_.ReportText(text); }}));
  meta_ = std::make_unique<meta::MetaStore>(rocks_, graveyard_);
  return {};
}

Result<void> StoreImpl::Create(const rocks::StoreSight& sight) {
  // What an old version left of a start that was cut short may be open.
  if (rocks_ != nullptr) rocks_->Close();
  const std::string& directory = options_.directory;
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return IoError(fmt::format("creating {}: {}", directory, error.message()));
  rocks::StoreIdentity identity = sight.identity.value_or(rocks::DrawIdentity());
  identity.state = rocks::StoreIdentity::State::kCreating;
  TM_RETURN_IF_ERROR(rocks::WriteIdentity(files_.get(), directory, identity));
  std::filesystem::create_directories(directory + "/rocksdb", error);
  if (error) return IoError(fmt::format("creating {}/rocksdb: {}", directory, error.message()));
  auto opened = OpenRocks(RocksMode::kCreate);
  if (!opened.ok() && opened.error().code != ErrorCode::kUnavailable &&
      sight.kind == rocks::StoreSight::Kind::kUnfinished) {
    // The power went while RocksDB made its files; there has never been anything in them.
    TM_RETURN_IF_ERROR(rocks::DeleteFilesIn(files_.get(), directory + "/rocksdb"));
    opened = OpenRocks(RocksMode::kCreate);
  }
  TM_RETURN_IF_ERROR(std::move(opened));
  TM_RETURN_IF_ERROR(meta_->Create());
  FailurePoint("create.meta_written");
  TM_RETURN_IF_ERROR(rocks_->Flush());
  FailurePoint("create.flushed");
  identity.state = rocks::StoreIdentity::State::kReady;
  TM_RETURN_IF_ERROR(rocks::WriteIdentity(files_.get(), directory, identity));
  return MakeStaging();
}

Result<bool> StoreImpl::Look(const rocks::StoreSight& sight) {
  // Whoever has the store open is changing it.
  TM_TRY_ASSIGN(const std::unique_ptr<rocks::StoreLock> lock, rocks::StoreLock::Take(options_.directory));
  auto opened = OpenRocks(RocksMode::kLook);
  if (!opened.ok() && opened.error().code == ErrorCode::kCorruption) {
    TM_TRY_ASSIGN(const rocks::LogEnd end, rocks::ClassifyLogs(files_.get(), options_.directory + "/rocksdb"));
    if (end == rocks::LogEnd::kTorn) opened = OpenRocks(RocksMode::kLookPastTornEnd);
  }
  if (!opened.ok()) {
    Error error = std::move(opened).error();
    if (error.code == ErrorCode::kCorruption) {
      error.message += "; nothing was changed: put back what is missing, or restore a copy of the directory";
    }
    return error;
  }
  if (auto loaded = meta_->Load(); !loaded.ok()) {
    if (loaded.error().code != ErrorCode::kNotFound) return std::move(loaded).error();
    TM_TRY_ASSIGN(const std::vector<rocks::DataFile> pages, rocks_->DataFiles());
    TM_TRY_ASSIGN(const auto segments, journal::ListSegments(files_.get(), options_.directory + "/journal"));
    // Versions that wrote no identity left such a directory when their first start was cut short.
    if (!sight.identity && pages.empty() && segments.empty()) return false;
    return Corruption(fmt::format("{}/rocksdb: meta has no store record; nothing was changed", options_.directory));
  }
  TM_RETURN_IF_ERROR(LoadDatabases());
  TM_RETURN_IF_ERROR(LoadIndexes());
  TM_RETURN_IF_ERROR(LoadMasks());
  TM_RETURN_IF_ERROR(LookAtJournal());
  return true;
}

Result<void> StoreImpl::LookAtJournal() {
  std::set<model::DatabaseId> known;
  for (const meta::DatabaseRecord& record : meta_->databases()) known.insert(record.id);
  // The rows themselves are decoded by the replay: that a record's bytes are those that were written is known by then.
  const auto check = [&](uint64_t sequence, std::string_view bytes) -> Result<void> {
    TM_TRY_ASSIGN(const database::JournalRecord record, database::DecodeRecord(bytes));
    if (record == database::JournalRecord{} || known.contains(record.database)) return {};
    return CheckOnceKnown(sequence, record.database);
  };
  TM_TRY_ASSIGN(
      const journal::JournalCheck journal,
      journal::CheckJournal(files_.get(), options_.directory + "/journal", meta_->checkpoint_sequence() + 1, check));
  if (journal.damages.empty()) return {};
  const journal::JournalDamage& first = journal.damages.front();
  return Corruption(fmt::format(
      "{}: {}{}; nothing was changed: `tidemark admin verify` lists what is damaged, and "
      "`tidemark admin repair --dry-run` what a repair would give up",
      first.path, first.what,
      journal.damages.size() > 1 ? fmt::format(" (and {} more places are damaged)", journal.damages.size() - 1) : ""));
}

Result<void> StoreImpl::CheckOnceKnown(uint64_t sequence, model::DatabaseId database) const {
  if (meta_->KnowsDatabaseId(database)) return {};  // dropped since
  return Corruption(
      fmt::format("journal record {} is of database {}, which there never was", sequence, model::Number(database)));
}

Result<void> StoreImpl::Enter(const rocks::StoreSight& sight) {
  TM_RETURN_IF_ERROR(rocks_->Enter());
  FailurePoint("open.entered");
  if (!sight.identity) {
    rocks::StoreIdentity identity = rocks::DrawIdentity();
    identity.state = rocks::StoreIdentity::State::kReady;
    TM_RETURN_IF_ERROR(rocks::WriteIdentity(files_.get(), options_.directory, identity));
  }
  return MakeStaging();
}

Result<void> StoreImpl::MakeStaging() {
  const std::string directory = options_.directory + "/staging";
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return IoError(fmt::format("creating {}: {}", directory, error.message()));
  return {};
}

Result<void> StoreImpl::LoadDatabases() {
  std::map<model::DatabaseId, std::vector<std::shared_ptr<const partition::Epoch>>> epochs;
  for (const meta::EpochRecord& record : meta_->epochs()) epochs[record.database].push_back(MakeEpoch(record));
  WriterLock lock(databases_mutex_);
  for (const meta::DatabaseRecord& record : meta_->databases()) {
    DatabasePtr database = NewDatabase(record);
    for (const auto& epoch : epochs[record.id]) {
      const meta::EpochRecord& e = epoch->record();
      if (e.tiers_only) database->RaiseRawFloor(database::EndNs({e.partition_start_ns, e.partition_ns}) + 1);
    }
    database->ReplacePages({}, {}, std::move(epochs[record.id]));
    databases_.emplace(record.name, std::move(database));
  }
  return {};
}

Result<void> StoreImpl::LoadIndexes() {
  for (const DatabasePtr& database : AllDatabases()) {
    TM_RETURN_IF_ERROR(rocks_->ForEach(rocks::Family::kIndex, rocks::IndexKey(database->id(), {}),
                                       [&](std::string_view key, std::string_view value) {
                                         return database->index().Load(key.substr(rocks::kIndexKeyPrefixBytes), value);
                                       }));
    if (auto finished = database->index().FinishLoad(); !finished.ok()) {
      return std::move(finished).error().Within(fmt::format("the index of database {}", database->name()));
    }
    counters_.series_loaded.fetch_add(database->index().Stats().series);
  }
  return {};
}

Result<void> StoreImpl::NoteOrphans() {
  Orphans orphans;
  std::set<std::pair<model::DatabaseId, uint64_t>> live;
  for (const meta::EpochRecord& record : meta_->epochs()) live.emplace(record.database, record.epoch);
  TM_TRY_ASSIGN(const std::vector<rocks::DataFile> files, rocks_->DataFiles());
  for (const rocks::DataFile& file : files) {
    TM_TRY_ASSIGN(const rocks::PageKey key, rocks::DecodePageKey(file.smallest));
    // Numbers of orphans are passed over, so that a file which cannot be dropped is never taken for a later epoch.
    meta_->SkipEpochNumbersTo(key.epoch);
    if (live.contains({key.database, key.epoch})) continue;
    if (file.level == 0) TM_LOG(kWarn, "{} is in level 0 and cannot be freed", file.name);
    orphans.pages.push_back(rocks::EpochKeys(key.database, key.partition_start_ns, key.epoch));
  }
  TM_TRY_ASSIGN(const std::vector<rocks::PageKey> small, rocks_->EpochsInMeta());
  for (const rocks::PageKey& key : small) {
    meta_->SkipEpochNumbersTo(key.epoch);
    if (live.contains({key.database, key.epoch})) continue;
    orphans.pages.push_back(rocks::EpochKeysInMeta(key.database, key.partition_start_ns, key.epoch));
  }
  TM_TRY_ASSIGN(const std::vector<std::string> staged, rocks::NamesIn(files_.get(), options_.directory + "/staging"));
  for (const std::string& name : staged) {
    // A new file of the same number would be written over it, and through it over what RocksDB has linked.
    if (const auto epoch = rocks::EpochOfStagingName(name)) meta_->SkipEpochNumbersTo(*epoch);
    orphans.staged.push_back(options_.directory + "/staging/" + name);
  }
  MutexLock flush(flush_mutex_);
  orphans_ = std::move(orphans);
  return {};
}

Result<void> StoreImpl::DropOrphans() {
  if (!orphans_) return {};
  if (!orphans_->pages.empty())
    TM_LOG(kInfo, "dropping the pages of {} epochs that are not live", orphans_->pages.size());
  TM_RETURN_IF_ERROR(rocks_->DropFiles(orphans_->pages));
  for (const std::string& path : orphans_->staged) rocks_->DeleteLeftover(path);
  // Entries of databases that were dropped.
  std::set<model::DatabaseId> known;
  for (const meta::DatabaseRecord& record : meta_->databases()) known.insert(record.id);
  TM_RETURN_IF_ERROR(rocks_->DropUnknownIndexes(known));
  orphans_.reset();
  FailurePoint("checkpoint.orphans_dropped");
  return {};
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
    auto decoded = database::DecodeRecord(bytes);
    if (!decoded.ok()) return std::move(decoded).error().Within(fmt::format("journal record {}", sequence));
    {
      MutexLock lock(order_mutex_);
      last_sequence_ = sequence;
    }
    if (*decoded == database::JournalRecord{}) return {};  // of a self-test
    const auto found = by_id.find(decoded->database);
    if (found == by_id.end()) {
      return CheckOnceKnown(sequence, decoded->database);
    }
    database::Database& database = *found->second;
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
    const std::shared_ptr<database::StagedSet> set = database.live();
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
