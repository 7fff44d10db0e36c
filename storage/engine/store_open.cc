#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
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
#include "storage/rocks/private_files.h"
#include "storage/rocks/rocks_log.h"
#include "storage/rocks/store_lock.h"

namespace tidemark::storage {
Result<std::unique_ptr<Store>> Store::Open(StoreOptions options) {
  if (options.directory.empty()) return InvalidArgument("a store needs a directory");
  auto store = std::make_unique<StoreImpl>(std::move(options));
  TM_RETURN_IF_ERROR(store->Start());
  return std::unique_ptr<Store>(std::move(store));
}

StoreImpl::StoreImpl(StoreOptions options) : parts_(std::move(options)) {}

StoreImpl::~StoreImpl() {
  parts_.closing.store(true);
  StopBackground();
  WriterLock lock(parts_.open_mutex);
  if (!parts_.closed && parts_.journal != nullptr) {
    if (auto synced = parts_.journal->Sync(); !synced.ok()) TM_LOG(kError, "closing: {}", synced.error().message);
  }
  // Views may outlive the store; the database and its lock do not.
  if (parts_.rocks != nullptr) parts_.rocks->Close();
}

Result<void> StoreImpl::Start() {
  const int64_t started = parts_.clock.SteadyNs();
  TM_TRY_ASSIGN(const rocks::StoreSight sight, rocks::LookForStore(parts_.files.get(), parts_.options.directory));
  bool there = sight.kind == rocks::StoreSight::Kind::kStore;
  if (sight.identity) parts_.store_id = sight.identity->id;
  if (there) {
    TM_TRY_ASSIGN(there, Look(sight));
    FailurePoint("open.looked");
    if (parts_.findings.StopsWrites()) return RefusalToEnter();
  }
  TM_RETURN_IF_ERROR(there ? Enter(sight) : Create(sight));
  TM_RETURN_IF_ERROR(checkpointer_.NoteOrphans());
  TM_RETURN_IF_ERROR(OpenJournal());
  TM_RETURN_IF_ERROR(BeginWatermark());
  rocks::MakePrivate(parts_.options.directory);
  TM_RETURN_IF_ERROR(ReplayJournal());
  FailurePoint("open.replayed");
  checkpointer_.Opened();
  last_retention_at_ns_.store(parts_.clock.SteadyNs());
  last_reduction_at_ns_.store(parts_.clock.SteadyNs());
  last_hidden_look_at_ns_.store(parts_.clock.SteadyNs());
  parts_.counters.recovery_ns.store(parts_.clock.SteadyNs() - started);
  if (parts_.options.background) StartBackground();
  return {};
}

Result<void> StoreImpl::OpenRocks(RocksMode mode) {
  const bool create = mode == RocksMode::kCreate;
  TM_TRY_ASSIGN(parts_.rocks, rocks::RocksStore::Open(
                                  {.directory = parts_.options.directory + "/rocksdb",
                                   .file_system = parts_.options.file_system,
                                   .cache_bytes = parts_.options.cache_bytes,
                                   .max_open_files = parts_.options.max_open_files,
                                   .create = create,
                                   .read_only = !create,
                                   .strict_log = mode == RocksMode::kLook,
                                   .on_error = [this](const std::string& text) { parts_.health.ReportText(text); }}));
  parts_.meta = std::make_unique<meta::MetaStore>(parts_.rocks, parts_.graveyard);
  documents_ = std::make_unique<documents::StoredDocuments>(
      documents::StoredDocumentsOptions{.rocks = parts_.rocks,
                                        .meta = parts_.meta.get(),
                                        .clock = &parts_.clock,
                                        .kinds = parts_.options.document_kinds,
                                        .on_error = [this](const Error& error) { parts_.health.Report(error); }});
  return {};
}

Result<void> StoreImpl::Create(const rocks::StoreSight& sight) {
  // What an old version left of a start that was cut short may be open.
  if (parts_.rocks != nullptr) parts_.rocks->Close();
  const std::string& directory = parts_.options.directory;
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return IoError(fmt::format("creating {}: {}", directory, error.message()));
  if (lock_ == nullptr) {
    TM_TRY_ASSIGN(lock_, rocks::StoreLock::TakeNew(directory));
    TM_TRY_ASSIGN(const rocks::StoreSight now, rocks::LookForStore(parts_.files.get(), directory));
    if (now.kind != sight.kind) {
      return MakeError(ErrorCode::kUnavailable, directory + ": another process has just made a store here: try again");
    }
  }
  lock_->LetRocksDbLock();
  rocks::StoreIdentity identity = sight.identity.value_or(rocks::DrawIdentity());
  identity.state = rocks::StoreIdentity::State::kCreating;
  parts_.store_id = identity.id;
  TM_RETURN_IF_ERROR(rocks::WriteIdentity(parts_.files.get(), directory, identity));
  std::filesystem::create_directories(directory + "/rocksdb", error);
  if (error) return IoError(fmt::format("creating {}/rocksdb: {}", directory, error.message()));
  auto opened = OpenRocks(RocksMode::kCreate);
  if (!opened.ok() && opened.error().code != ErrorCode::kUnavailable &&
      sight.kind == rocks::StoreSight::Kind::kUnfinished) {
    // The power went while RocksDB made its files; there has never been anything in them.
    TM_RETURN_IF_ERROR(rocks::DeleteFilesIn(parts_.files.get(), directory + "/rocksdb"));
    opened = OpenRocks(RocksMode::kCreate);
  }
  TM_RETURN_IF_ERROR(std::move(opened));
  TM_RETURN_IF_ERROR(parts_.meta->Create());
  FailurePoint("create.meta_written");
  TM_RETURN_IF_ERROR(parts_.rocks->Flush());
  FailurePoint("create.flushed");
  identity.state = rocks::StoreIdentity::State::kReady;
  TM_RETURN_IF_ERROR(rocks::WriteIdentity(parts_.files.get(), directory, identity));
  return MakeStaging();
}

Result<void> StoreImpl::OpenForLook() {
  auto opened = OpenRocks(RocksMode::kLook);
  if (!opened.ok() && opened.error().code == ErrorCode::kCorruption) {
    TM_TRY_ASSIGN(const rocks::LogEnd end,
                  rocks::ClassifyLogs(parts_.files.get(), parts_.options.directory + "/rocksdb"));
    if (end == rocks::LogEnd::kTorn) opened = OpenRocks(RocksMode::kLookPastTornEnd);
  }
  if (!opened.ok()) {
    Error error = std::move(opened).error();
    if (error.code == ErrorCode::kCorruption) {
      error.message += "; nothing was changed: put back what is missing, or restore a copy of the directory";
    }
    return error;
  }
  return {};
}

Result<bool> StoreImpl::Look(const rocks::StoreSight& sight) {
  // Whoever has the store open is changing it.
  TM_TRY_ASSIGN(lock_, rocks::StoreLock::Take(parts_.options.directory));
  TM_RETURN_IF_ERROR(OpenForLook());
  if (auto loaded = parts_.meta->Load(); !loaded.ok()) {
    if (loaded.error().code != ErrorCode::kNotFound) return std::move(loaded).error();
    TM_TRY_ASSIGN(const std::vector<rocks::DataFile> pages, parts_.rocks->DataFiles());
    TM_TRY_ASSIGN(const auto segments,
                  journal::ListSegments(parts_.files.get(), parts_.options.directory + "/journal"));
    // Versions that wrote no identity left such a directory when their first start was cut short.
    if (!sight.identity && pages.empty() && segments.empty()) return false;
    return Corruption(
        fmt::format("{}/rocksdb: meta has no store record; nothing was changed", parts_.options.directory));
  }
  TM_RETURN_IF_ERROR(documents_->Load());
  TM_RETURN_IF_ERROR(LoadDatabases());
  TM_RETURN_IF_ERROR(LoadIndexes());
  TM_RETURN_IF_ERROR(deleter_.LoadMasks());
  TM_RETURN_IF_ERROR(LookAtJournal());
  return true;
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
    auto once = CheckOnceKnown(sequence, record.database);
    if (!once.ok()) stray = once.error();
    return once;
  };
  TM_TRY_ASSIGN(const journal::JournalCheck journal,
                journal::CheckJournal(parts_.files.get(), parts_.options.directory + "/journal",
                                      parts_.meta->checkpoint_sequence() + 1, check, tally.watched()));
  if (stray) return *stray;
  JudgeWatermark(journal, tally);
  LookAtMedium();
  return {};
}

Error StoreImpl::RefusalToEnter() const {
  std::vector<model::Finding> stopping = parts_.findings.All();
  std::erase_if(stopping, [](const model::Finding& finding) { return !finding.stops_writes; });
  const std::string more =
      stopping.size() > 1 ? fmt::format(" (and {} more places are damaged)", stopping.size() - 1) : "";
  return Corruption(
      fmt::format("{}{}; nothing was changed: {}", model::Describe(stopping.front()), more, stopping.front().remedy));
}

Result<void> StoreImpl::CheckOnceKnown(uint64_t sequence, model::DatabaseId database) const {
  if (parts_.meta->KnowsDatabaseId(database)) return {};  // dropped since
  return database::UnknownDatabase(sequence, database);
}

Result<void> StoreImpl::Enter(const rocks::StoreSight& sight) {
  lock_->LetRocksDbLock();
  TM_RETURN_IF_ERROR(parts_.rocks->Enter());
  FailurePoint("open.entered");
  if (!sight.identity) {
    rocks::StoreIdentity identity = rocks::DrawIdentity();
    identity.state = rocks::StoreIdentity::State::kReady;
    parts_.store_id = identity.id;
    TM_RETURN_IF_ERROR(rocks::WriteIdentity(parts_.files.get(), parts_.options.directory, identity));
  }
  return MakeStaging();
}

Result<void> StoreImpl::MakeStaging() {
  const std::string directory = parts_.options.directory + "/staging";
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return IoError(fmt::format("creating {}: {}", directory, error.message()));
  return {};
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
    TM_RETURN_IF_ERROR(parts_.rocks->ForEach(
        rocks::Family::kIndex, rocks::IndexKey(database->id(), {}), [&](std::string_view key, std::string_view value) {
          return database->index().Load(key.substr(rocks::kIndexKeyPrefixBytes), value);
        }));
    if (auto finished = database->index().FinishLoad(); !finished.ok()) {
      return std::move(finished).error().Within(fmt::format("the index of database {}", database->name()));
    }
    parts_.counters.series_loaded.fetch_add(database->index().Stats().series);
  }
  return {};
}

Result<void> StoreImpl::OpenJournal() {
  std::optional<uint64_t> acknowledged;
  if (proof_.exact) acknowledged = proof_.sight.newest->durable.sequence;
  TM_TRY_ASSIGN(parts_.journal, journal::OpenLocalJournal({.directory = parts_.options.directory + "/journal",
                                                           .file_system = parts_.options.file_system,
                                                           .segment_bytes = parts_.options.journal_segment_bytes,
                                                           .on_durable =
                                                               [this](const journal::JournalMark& mark) {
                                                                 return parts_.watermark->NoteDurable(
                                                                     mark, parts_.clock.NowNs());
                                                               },
                                                           .acknowledged = acknowledged}));
  return {};
}

Result<void> StoreImpl::Close() {
  parts_.closing.store(true);
  StopBackground();
  WriterLock lock(parts_.open_mutex);
  if (parts_.closed) return {};
  Result<void> result;
  {
    MutexLock flush(checkpointer_.flush_mutex());
    result = checkpointer_.CheckpointLocked();
  }
  if (auto synced = parts_.journal->Sync(); result.ok() && !synced.ok()) result = std::move(synced);
  checkpointer_.DropDeadFiles();
  // A flipped bit in RocksDB's log stops the next start; in a table it costs the page that it is in.
  if (auto flushed = parts_.rocks->Flush(); result.ok() && !flushed.ok()) {
    TM_LOG(kWarn, "closing: {}", flushed.error().message);
  }
  FailurePoint("close.flushed");
  parts_.closed = true;
  parts_.journal.reset();
  parts_.rocks->Close();
  if (auto kept = parts_.watermark->Close(); result.ok() && !kept.ok()) result = std::move(kept);
  FailurePoint("close.watermark_kept");
  lock_.reset();
  return result;
}

}  // namespace tidemark::storage
