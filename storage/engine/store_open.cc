#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/engine/store_impl.h"
#include "storage/journal/local_journal.h"
#include "storage/rocks/directory.h"
#include "storage/rocks/private_files.h"
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
    if (parts_.findings.StopsWrites()) {
      BeginClock();
      TM_RETURN_IF_ERROR(ServeReadOnly());
      parts_.counters.recovery_ns.store(parts_.clock.SteadyNs() - started);
      return {};
    }
  }
  parts_.reserve_kept_at_ns.store(started);
  if (there) parts_.MakeRoomToEnter();
  Result<void> entered = there ? Enter(sight) : Create(sight);
  if (entered.ok()) {
    BeginClock();
    entered = OpenJournal();
  }
  if (entered.ok()) entered = BeginWatermark();
  if (!entered.ok()) {
    if (!there || entered.error().code != ErrorCode::kResourceExhausted) return entered;
    TM_RETURN_IF_ERROR(ServeFullDisk(std::move(entered).error()));
    parts_.counters.recovery_ns.store(parts_.clock.SteadyNs() - started);
    return {};
  }
  rocks::MakePrivate(parts_.options.directory);
  TM_RETURN_IF_ERROR(ReplayJournal());
  FailurePoint("open.replayed");
  checkpointer_.Opened();
  last_retention_at_ns_.store(parts_.clock.SteadyNs());
  last_reduction_at_ns_.store(parts_.clock.SteadyNs());
  last_hidden_look_at_ns_.store(parts_.clock.SteadyNs());
  parts_.counters.recovery_ns.store(parts_.clock.SteadyNs() - started);
  // Before anybody looks: that it is missing for a second would be told as a fault.
  if (parts_.options.background) {
    parts_.reserve_kept_at_ns.store(0);
    parts_.KeepReserve();
    StartBackground();
  }
  return {};
}

Result<void> StoreImpl::OpenRocks(RocksMode mode) {
  const bool create = mode == RocksMode::kCreate;
  TM_TRY_ASSIGN(parts_.rocks,
                rocks::RocksStore::Open({.directory = parts_.options.directory + "/rocksdb",
                                         .file_system = parts_.files,
                                         .cache_bytes = parts_.options.cache_bytes,
                                         .max_open_files = parts_.options.max_open_files,
                                         .create = create,
                                         .read_only = !create,
                                         .strict_log = mode == RocksMode::kLook,
                                         .past_damage = mode == RocksMode::kLookPastDamage,
                                         .on_error = [this](const Error& error) { parts_.ReportRocks(error); }}));
  UseRocks();
  return {};
}

void StoreImpl::UseRocks() {
  parts_.meta = std::make_unique<meta::MetaStore>(parts_.rocks, parts_.graveyard);
  std::vector<DocumentKind> kinds = parts_.options.document_kinds;
  kinds.push_back({.word = std::string(kClockKind), .history = 1, .deleted = 1, .max_documents = 1});
  documents_ = std::make_unique<documents::StoredDocuments>(
      documents::StoredDocumentsOptions{.rocks = parts_.rocks,
                                        .meta = parts_.meta.get(),
                                        .clock = &parts_.clock,
                                        .kinds = std::move(kinds),
                                        .on_error = [this](const Error& error) { parts_.health.Report(error); }});
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
  TM_RETURN_IF_ERROR(MakeStaging());
  return checkpointer_.NoteOrphans();
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

Result<void> StoreImpl::OpenJournal() {
  std::optional<uint64_t> acknowledged;
  if (proof_.exact) acknowledged = proof_.sight.newest->durable.sequence;
  TM_TRY_ASSIGN(parts_.journal, journal::OpenLocalJournal({.directory = parts_.options.directory + "/journal",
                                                           .file_system = parts_.files,
                                                           .segment_bytes = parts_.options.journal_segment_bytes,
                                                           .on_durable =
                                                               [this](const journal::JournalMark& mark) {
                                                                 return parts_.watermark->NoteDurable(
                                                                     mark, parts_.clock.NowNs());
                                                               },
                                                           .acknowledged = acknowledged}));
  return {};
}

Result<void> StoreImpl::Close(int64_t deadline_ns) {
  parts_.end_of_checkpoints.Set(deadline_ns);
  parts_.closing.store(true);
  // First of all, for databases that sync by interval: then the journal has what was acknowledged, whatever becomes of
  // the rest. The background may be amid a checkpoint.
  if (auto synced = SyncByInterval(); !synced.ok()) TM_LOG(kError, "closing: {}", synced.error().message);
  StopBackground();
  WriterLock lock(parts_.open_mutex);
  if (parts_.closed) return {};
  if (parts_.read_only) return CloseReadOnly();
  if (!parts_.health.Refusal().has_value()) {
    if (auto kept = WriteClock(); !kept.ok()) TM_LOG(kWarn, "closing: {}", kept.error().message);
  }
  Result<void> result = parts_.journal->Sync();
  {
    MutexLock flush(checkpointer_.flush_mutex());
    auto taken = checkpointer_.CheckpointLocked();
    if (!taken.ok() && taken.error().code == ErrorCode::kCancelled) {
      TM_LOG(kInfo, "closing: {}: {} points are replayed at the next start", taken.error().message,
             parts_.points_since_checkpoint.load());
    } else if (result.ok()) {
      result = std::move(taken);
    }
  }
  if (auto synced = parts_.journal->Sync(); result.ok() && !synced.ok()) result = std::move(synced);
  if (!parts_.end_of_checkpoints.passed()) checkpointer_.DropDeadFiles();
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
