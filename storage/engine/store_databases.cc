#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/engine/store_impl.h"
#include "storage/model/limits.h"
#include "storage/view/view.h"

namespace tidemark::storage {
namespace {

// Tiers have numbers of one byte, and storage adds some of its own.
constexpr size_t kMaxNamedTiers = 32;
constexpr int64_t kMinTierWidthNs = 1'000'000'000;
constexpr int64_t kMinPartitionNs = 60'000'000'000;
constexpr int64_t kMaxPartitionNs = 366 * kNsPerDay;

}  // namespace

Result<void> StoreImpl::CheckOptions(const DatabaseOptions& options) {
  if (options.partition_ns < kMinPartitionNs || options.partition_ns > kMaxPartitionNs) {
    return InvalidArgument("a partition is from 1 minute to 366 days long");
  }
  if (options.retention_ns < 0) return InvalidArgument("a retention is not negative");
  if (options.sync_interval_ns < 0) return InvalidArgument("a sync interval is not negative");
  for (const SelectorRetention& selector : options.selectors) {
    if (selector.keep_ns <= 0) return InvalidArgument("a selector keeps its points for some time");
    if (selector.matchers.empty()) return InvalidArgument("a selector has at least one matcher");
    // An empty index shows whether the expressions can be read.
    meta::MaskSpec spec;
    spec.selectors.push_back(selector.matchers);
    if (auto read = retention::RefSet::Select(spec, *index::Index::Create({.max_series = 1}), true); !read.ok()) {
      return std::move(read).error();
    }
  }
  if (options.tiers.size() > kMaxNamedTiers) return InvalidArgument("a database names at most 32 tiers");
  for (size_t i = 0; i < options.tiers.size(); ++i) {
    const RollupTier& tier = options.tiers[i];
    if (tier.width_ns <= 0 || tier.keep_ns < 0) return InvalidArgument("a tier has a width and a time that it is kept");
    if (tier.width_ns < kMinTierWidthNs || tier.width_ns > kMaxPartitionNs) {
      return InvalidArgument("a tier is from 1 second to 366 days wide");
    }
    if (i > 0 && tier.width_ns <= options.tiers[i - 1].width_ns) {
      return InvalidArgument("tiers ascend by their widths, each once");
    }
  }
  return {};
}

StoreImpl::DatabasePtr StoreImpl::NewDatabase(const meta::DatabaseRecord& record) {
  return std::make_shared<database::Database>(record.id, record.name, record.options, options_.max_series_per_database,
                                              head_shards_, blocks_);
}

StoreImpl::DatabasePtr StoreImpl::Find(std::string_view name) const {
  ReaderLock lock(databases_mutex_);
  const auto found = databases_.find(name.empty() ? kDefaultDatabase : name);
  return found == databases_.end() ? nullptr : found->second;
}

std::vector<StoreImpl::DatabasePtr> StoreImpl::AllDatabases() const {
  ReaderLock lock(databases_mutex_);
  std::vector<DatabasePtr> out;
  out.reserve(databases_.size());
  for (const auto& [name, database] : databases_) out.push_back(database);
  return out;
}

Result<StoreImpl::DatabasePtr> StoreImpl::Create(std::string_view name, const DatabaseOptions& options) {
  TM_RETURN_IF_ERROR(model::CheckDatabaseName(name));
  TM_RETURN_IF_ERROR(CheckOptions(options));
  MutexLock create(create_mutex_);
  if (Find(name) != nullptr) {
    return MakeError(ErrorCode::kAlreadyExists, fmt::format("database \"{}\" exists already", name));
  }
  const meta::DatabaseRecord record{meta_->TakeDatabaseId(), std::string(name), options};
  meta::MetaChange change;
  change.put_databases.push_back(record);
  if (auto committed = meta_->Commit(std::move(change)); !committed.ok()) {
    health_.Report(committed.error());
    return std::move(committed).error();
  }
  FailurePoint("database.created");
  DatabasePtr database = NewDatabase(record);
  WriterLock lock(databases_mutex_);
  databases_.emplace(record.name, database);
  return database;
}

Result<void> StoreImpl::CreateDatabase(std::string_view name, const DatabaseOptions& options) {
  ReaderLock open(open_mutex_);
  if (closed_) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  auto created = Create(name.empty() ? kDefaultDatabase : name, options);
  if (!created.ok()) return std::move(created).error();
  return {};
}

Result<void> StoreImpl::DropDatabase(std::string_view name) {
  ReaderLock open(open_mutex_);
  if (closed_) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  MutexLock flush(flush_mutex_);
  MutexLock create(create_mutex_);
  const DatabasePtr database = Find(name);
  if (database == nullptr) return NotFound(fmt::format("database not found: \"{}\"", name));
  meta::MetaChange change;
  change.drop_database = database->id();
  if (auto committed = meta_->Commit(std::move(change)); !committed.ok()) {
    health_.Report(committed.error());
    return committed;
  }
  FailurePoint("database.dropped");
  database->SetDropped();
  {
    WriterLock lock(databases_mutex_);
    databases_.erase(database->name());
  }
  const std::shared_ptr<const database::DatabaseState> state = database->state();
  for (const auto& epoch : state->epochs) epoch->Retire();
  database->ReplacePages(state->slabs, state->epochs, {});
  // Certain now, and only now: index entries that went with a drop that did not happen could not be brought back.
  rocks::RecordBatch batch;
  batch.DeleteRange(rocks::Family::kIndex, rocks::DatabaseKeys(database->id()));
  if (auto cleaned = rocks_->Write(batch); !cleaned.ok()) health_.Report(cleaned.error());
  return {};
}

Result<void> StoreImpl::SetDatabaseOptions(std::string_view name, const DatabaseOptions& options) {
  TM_RETURN_IF_ERROR(CheckOptions(options));
  ReaderLock open(open_mutex_);
  if (closed_) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  MutexLock create(create_mutex_);
  const DatabasePtr database = Find(name);
  if (database == nullptr) return NotFound(fmt::format("database not found: \"{}\"", name));
  meta::MetaChange change;
  change.put_databases.push_back({database->id(), database->name(), options});
  if (auto committed = meta_->Commit(std::move(change)); !committed.ok()) {
    health_.Report(committed.error());
    return committed;
  }
  FailurePoint("database.options_set");
  // Other selectors hide other rows.
  const database::ChangeLog::Change noted = database->changes().Begin(model::TimeRange{});
  database->SetOptions(options);
  return {};
}

Result<std::shared_ptr<const View>> StoreImpl::OpenView(std::string_view name) const {
  const DatabasePtr database = Find(name);
  if (database == nullptr) {
    return NotFound(fmt::format("database not found: \"{}\"", name.empty() ? kDefaultDatabase : name));
  }
  return std::shared_ptr<const View>(std::make_shared<view::ViewImpl>(database, clock_.NowNs(), corrupt_pages_));
}

std::vector<DatabaseInfo> StoreImpl::Databases() const {
  std::vector<DatabaseInfo> out;
  for (const DatabasePtr& database : AllDatabases()) {
    DatabaseInfo info;
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

bool StoreImpl::HasDatabase(std::string_view name) const { return Find(name) != nullptr; }

}  // namespace tidemark::storage
