#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/engine/store_impl.h"
#include "storage/model/finding_warnings.h"
#include "storage/model/limits.h"
#include "storage/view/view.h"

namespace tidemark::storage {

Result<void> StoreImpl::CreateDatabase(std::string_view name, const DatabaseOptions& options) {
  ReaderLock open(parts_.open_mutex);
  if (parts_.closed) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  TM_RETURN_IF_ERROR(parts_.CheckMayWrite());
  auto created = writer_.CreateDatabase(name.empty() ? kDefaultDatabase : name, options);
  if (!created.ok()) return std::move(created).error();
  return {};
}

Result<void> StoreImpl::DropDatabase(std::string_view name) {
  ReaderLock open(parts_.open_mutex);
  if (parts_.closed) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  TM_RETURN_IF_ERROR(parts_.CheckMayWrite());
  parts_.MakeRoom();
  MutexLock flush(checkpointer_.flush_mutex());
  MutexLock change_lock(parts_.databases.change_mutex());
  const DatabasePtr database = parts_.databases.Find(name);
  if (database == nullptr) return NoDatabase(name);
  meta::MetaChange change;
  change.drop_database = database->id();
  TM_RETURN_IF_ERROR(parts_.CommitAct(std::move(change)));
  FailurePoint("database.dropped");
  database->SetDropped();
  parts_.databases.Remove(database->name());
  const std::shared_ptr<const database::DatabaseState> state = database->state();
  for (const auto& epoch : state->epochs) epoch->Retire();
  database->ReplacePages(state->slabs, state->epochs, {});
  // Certain now, and only now: index entries that went with a drop that did not happen could not be brought back.
  rocks::RecordBatch batch;
  batch.DeleteRange(rocks::Family::kIndex, rocks::DatabaseKeys(database->id()));
  if (auto cleaned = parts_.rocks->Write(batch); !cleaned.ok()) parts_.health.Report(cleaned.error());
  // On a full disk somebody waits for the room.
  if (parts_.reserve.in_use()) checkpointer_.DropDeadFiles();
  return {};
}

Result<void> StoreImpl::RenameDatabase(std::string_view from, std::string_view to,
                                       std::span<const DocumentChange> with) {
  ReaderLock open(parts_.open_mutex);
  if (parts_.closed) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  TM_RETURN_IF_ERROR(parts_.CheckMayWrite());
  TM_RETURN_IF_ERROR(model::CheckDatabaseName(to));
  MutexLock change_lock(parts_.databases.change_mutex());
  const DatabasePtr database = parts_.databases.Find(from);
  if (database == nullptr) return NoDatabase(from);
  if (database->name() == to) return {};
  if (parts_.databases.Find(to) != nullptr) {
    return MakeError(ErrorCode::kAlreadyExists, fmt::format("database \"{}\" exists already", to));
  }
  meta::MetaChange change;
  change.put_databases.push_back({database->id(), std::string(to), database->options()});
  if (with.empty()) {
    TM_RETURN_IF_ERROR(parts_.CommitAct(std::move(change)));
  } else {
    TM_TRY_ASSIGN([[maybe_unused]] const auto versions, documents_->ApplyWith(with, std::move(change)));
  }
  FailurePoint("database.renamed");
  parts_.databases.Rename(database, std::string(to));
  return {};
}

Result<void> StoreImpl::SetDatabaseOptions(std::string_view name, const DatabaseOptions& options) {
  const auto changed = ChangeDatabaseOptions(name, [&options](DatabaseOptions* in_force) -> Status {
    *in_force = options;
    return {};
  });
  if (!changed.ok()) return changed.error();
  return {};
}

Result<DatabaseOptions> StoreImpl::ChangeDatabaseOptions(std::string_view name, const OptionsChange& change_options) {
  ReaderLock open(parts_.open_mutex);
  if (parts_.closed) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  TM_RETURN_IF_ERROR(parts_.CheckMayWrite());
  // It may be a retention.
  parts_.MakeRoom();
  MutexLock change_lock(parts_.databases.change_mutex());
  const DatabasePtr database = parts_.databases.Find(name);
  if (database == nullptr) return NoDatabase(name);
  DatabaseOptions options = database->options();
  TM_RETURN_IF_ERROR(change_options(&options));
  TM_RETURN_IF_ERROR(CheckOptions(options));
  meta::MetaChange change;
  change.put_databases.push_back({database->id(), database->name(), options});
  TM_RETURN_IF_ERROR(parts_.CommitAct(std::move(change)));
  FailurePoint("database.options_set");
  // Other selectors hide other rows.
  const database::ChangeLog::Change noted = database->changes().Begin(model::TimeRange{});
  database->SetOptions(options);
  return options;
}

Result<std::shared_ptr<const View>> StoreImpl::OpenView(std::string_view name) const {
  const DatabasePtr database = parts_.databases.Find(name);
  if (database == nullptr) {
    return NoDatabase(name);
  }
  if (const auto lost = unreadable_.find(database->id()); lost != unreadable_.end()) return lost->second;
  return std::shared_ptr<const View>(
      std::make_shared<view::ViewImpl>(database, parts_.retention_clock.NowNs(), parts_.corrupt_pages,
                                       model::WarningsOf(parts_.findings.Of(database->name()))));
}

std::vector<DatabaseInfo> StoreImpl::Databases() const {
  std::vector<DatabaseInfo> out;
  for (const DatabasePtr& database : parts_.databases.All()) {
    DatabaseInfo info;
    info.id = model::Number(database->id());
    info.name = database->name();
    info.options = database->options();
    const index::IndexStats stats = database->index().Stats();
    info.series = stats.series;
    info.fields = stats.fields;
    std::set<std::pair<int64_t, int64_t>> partitions;
    const std::shared_ptr<const database::DatabaseState> state = database->state();
    for (const auto& epoch : state->epochs) {
      partitions.emplace(epoch->record().partition_start_ns, epoch->record().partition_ns);
      info.disk_bytes += epoch->record().bytes;
    }
    info.partitions = partitions.size();
    out.push_back(std::move(info));
  }
  return out;
}

}  // namespace tidemark::storage
