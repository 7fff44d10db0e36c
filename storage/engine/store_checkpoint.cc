#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/database/retention_plan.h"
#include "storage/engine/store_impl.h"
#include "storage/partition/fold.h"
#include "storage/partition/partition_builder.h"
#include "storage/rocks/directory.h"

namespace tidemark::storage {
namespace {

using SlabList = std::vector<std::shared_ptr<const partition::Slab>>;

// The slabs of one partition, on their way into one epoch.
struct PartitionJob {
  database::Database* database = nullptr;
  SlabList slabs;
  meta::EpochRecord record;
  std::string path;
  rocks::RecordBatch values;  // of a small one
  Result<void> result;
};

}  // namespace

std::string StoreImpl::StagingPath(uint64_t epoch) const {
  return fmt::format("{}/staging/{}", options_.directory, rocks::StagingName(epoch));
}

std::shared_ptr<const partition::Epoch> StoreImpl::MakeEpoch(const meta::EpochRecord& record) const {
  return std::make_shared<const partition::Epoch>(record, rocks_, graveyard_);
}

uint64_t StoreImpl::HeadBytes() const {
  uint64_t bytes = 0;
  for (const DatabasePtr& database : AllDatabases()) {
    const std::shared_ptr<const database::DatabaseState> state = database->state();
    bytes += state->live->heads().Stats().bytes;
    for (const auto& set : state->frozen) bytes += set->heads().Stats().bytes;
  }
  return bytes;
}

uint64_t StoreImpl::Freeze(uint64_t min_bytes) {
  const std::vector<DatabasePtr> databases = AllDatabases();
  // Weighed outside the lock, under which every write takes its place.
  std::vector<DatabasePtr> heavy;
  for (const DatabasePtr& database : databases) {
    if (min_bytes == 0 || database->state()->live->heads().Stats().bytes >= min_bytes) heavy.push_back(database);
  }
  MutexLock order(order_mutex_);
  for (const DatabasePtr& database : heavy) {
    if (database->Freeze(next_set_) != nullptr) ++next_set_;
  }
  return last_sequence_;
}

Result<void> StoreImpl::MakeSlabs(database::Database& database, const std::shared_ptr<database::StagedSet>& set) {
  set->WaitComplete();
  const int64_t length_ns = database.options().partition_ns;
  std::vector<partition::PartitionBounds> wanted;
  for (const int64_t start : set->heads().Partitions(length_ns))
    wanted.push_back(partition::PartitionOf(start, length_ns));
  const std::vector<partition::PartitionBounds> partitions = database::FitPartitions(*database.state(), wanted);
  SlabList slabs(partitions.size());
  std::vector<Result<void>> results(partitions.size());
  scheduler_.ParallelFor(TaskKind::kFlush, partitions.size(), [&](size_t i) {
    auto pages = partition::Transpose(set->heads(), partitions[i]);
    if (!pages.ok()) {
      results[i] = std::move(pages).error();
    } else if (!pages->pages.empty()) {
      slabs[i] = std::make_shared<const partition::Slab>(set->number(), std::move(pages).value());
    }
  });
  std::erase(slabs, nullptr);
  for (Result<void>& result : results) TM_RETURN_IF_ERROR(std::move(result));
  database.ReplaceFrozen(set.get(), std::move(slabs));
  return {};
}

Result<void> StoreImpl::MakeSlabs() {
  for (const DatabasePtr& database : AllDatabases()) {
    // Held: each set that is made into slabs gives the database a new state.
    const std::shared_ptr<const database::DatabaseState> state = database->state();
    for (const auto& set : state->frozen) TM_RETURN_IF_ERROR(MakeSlabs(*database, set));
  }
  return {};
}

Result<void> StoreImpl::FreezeFull() {
  MutexLock flush(flush_mutex_);
  // Small sets stay: a slab of a few rows is worth nothing.
  Freeze(std::max<uint64_t>(options_.staged_bytes / 8, 1));
  Result<void> made = MakeSlabs();
  head_bytes_.store(HeadBytes(), std::memory_order_relaxed);
  MutexLock lock(wake_mutex_);
  slabs_made_.NotifyAll();
  return made;
}

Result<void> StoreImpl::Checkpoint() {
  ReaderLock open(open_mutex_);
  if (closed_) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  MutexLock flush(flush_mutex_);
  return CheckpointLocked();
}

Result<void> StoreImpl::CheckpointLocked() {
  const int64_t started = clock_.SteadyNs();
  const uint64_t points = points_since_checkpoint_.load(std::memory_order_relaxed);
  const uint64_t sequence = Freeze(0);
  FailurePoint("checkpoint.frozen");
  TM_RETURN_IF_ERROR(MakeSlabs());
  FailurePoint("checkpoint.slabs_made");
  head_bytes_.store(HeadBytes(), std::memory_order_relaxed);
  {
    MutexLock lock(wake_mutex_);
    slabs_made_.NotifyAll();
  }

  const std::vector<DatabasePtr> databases = AllDatabases();
  std::vector<PartitionJob> jobs;
  for (const DatabasePtr& database : databases) {
    std::map<std::pair<int64_t, int64_t>, SlabList> partitions;
    const std::shared_ptr<const database::DatabaseState> state = database->state();
    for (const auto& slab : state->slabs) {
      partitions[{slab->partition_start_ns(), slab->partition_ns()}].push_back(slab);
    }
    for (auto& [partition, slabs] : partitions) {
      PartitionJob job;
      job.database = database.get();
      job.slabs = std::move(slabs);
      job.record.database = database->id();
      job.record.epoch = meta_->TakeEpochNumber();
      job.record.precedence = job.record.epoch;
      job.path = StagingPath(job.record.epoch);
      jobs.push_back(std::move(job));
    }
  }

  meta::MetaChange change;
  change.checkpoint_sequence = sequence;
  std::vector<DatabasePtr> saving;
  uint64_t entries = 0;
  std::map<const database::Database*, retention::MaskList> hidden;
  for (const DatabasePtr& database : databases) {
    hidden.emplace(database.get(), HiddenRows(*database));
    const std::shared_ptr<const database::DatabaseState> state = database->state();
    for (const auto& mask : state->masks) {
      change.put_masks.push_back({database->id(), mask->number(), mask->spec()});
    }
    saving.push_back(database);
    for (index::Entry& entry : database->index().BeginSave()) {
      change.records.Put(rocks::Family::kIndex, rocks::IndexKey(database->id(), entry.key), std::move(entry.value));
      ++entries;
    }
  }
  const auto write = [&]() -> Result<void> {
    if (jobs.empty() && entries == 0 && sequence == meta_->checkpoint_sequence()) return {};
    scheduler_.ParallelFor(TaskKind::kFlush, jobs.size(), [&](size_t i) {
      PartitionJob& job = jobs[i];
      const std::vector<std::shared_ptr<const partition::PageSet>> sources(job.slabs.begin(), job.slabs.end());
      std::vector<retention::SourceMasks> masks;
      for (const auto& slab : job.slabs)
        masks.push_back(retention::SourceMasks::OfSet(hidden.at(job.database), slab->number()));
      auto pages =
          Fold(sources, job.slabs[0]->partition_start_ns(), job.slabs[0]->partition_ns(), corrupt_pages_.get(), masks,
               {.tiers = database::LivingTiers(job.database->options(),
                                               {job.slabs[0]->partition_start_ns(), job.slabs[0]->partition_ns()},
                                               clock_.NowNs())});
      if (!pages.ok()) {
        job.result = std::move(pages).error();
        return;
      }
      if (pages->pages.empty()) return;  // all of it was deleted
      const partition::PageDirectory directory = partition::SortAndList(&*pages);
      auto record = partition::WriteEpoch(rocks_.get(), job.path, options_.small_epoch_bytes, job.record, *pages,
                                          directory, &job.values);
      if (record.ok()) {
        job.record = *record;
      } else {
        job.result = std::move(record).error();
      }
    });
    std::vector<std::string> paths;
    for (PartitionJob& job : jobs) {
      TM_RETURN_IF_ERROR(std::move(job.result));
      if (job.record.rows == 0) continue;
      if (!job.record.in_meta) paths.push_back(job.path);
      change.records.Append(std::move(job.values));
      change.add.push_back(job.record);
    }
    FailurePoint("checkpoint.files_finished");
    if (!paths.empty()) {
      if (auto ingested = rocks_->Ingest(paths); !ingested.ok()) {
        // They may be in RocksDB all the same, and nobody will ever name them.
        for (const PartitionJob& job : jobs) {
          graveyard_->Bury(meta::KeysOf(job.record));
        }
        return ingested;
      }
    }
    FailurePoint("checkpoint.ingested");
    return meta_->Commit(std::move(change));
  };
  if (auto written = write(); !written.ok()) {
    for (const DatabasePtr& database : saving) database->index().SaveFailed();
    for (const PartitionJob& job : jobs) rocks_->DeleteLeftover(job.path);
    counters_.checkpoint_failures.fetch_add(1);
    health_.Report(written.error());
    return std::move(written).error().Within("checkpoint");
  }
  FailurePoint("checkpoint.committed");
  for (const DatabasePtr& database : saving) database->index().SaveSucceeded();
  uint64_t bytes = 0;
  // All of a database at once: a state for each of thousands of partitions would be copied thousands of times.
  std::map<database::Database*, std::pair<SlabList, database::EpochList>> made;
  for (PartitionJob& job : jobs) {
    auto& [slabs, epochs] = made[job.database];
    slabs.insert(slabs.end(), job.slabs.begin(), job.slabs.end());
    if (job.record.rows != 0) epochs.push_back(MakeEpoch(job.record));
    bytes += job.record.bytes;
  }
  for (auto& [database, pages] : made) database->ReplacePages(pages.first, {}, std::move(pages.second));
  points_since_checkpoint_.fetch_sub(std::min(points, points_since_checkpoint_.load()));
  counters_.checkpoints.fetch_add(1);
  counters_.last_checkpoint_ns.store(clock_.SteadyNs() - started);
  last_checkpoint_at_ns_.store(clock_.SteadyNs());
  TM_LOG(kDebug, "checkpoint up to record {}: {} partitions, {} bytes, {} index entries", sequence, jobs.size(), bytes,
         entries);
  FailurePoint("checkpoint.published");
  // What names the new epochs and the checkpoint's place lies in RocksDB's log so far. The journal goes only when it is
  // in table files: a log that is cut then costs nothing.
  if (auto flushed = rocks_->Flush(); !flushed.ok()) {
    health_.Report(flushed.error());
    return std::move(flushed).error().Within("checkpoint");
  }
  FailurePoint("checkpoint.flushed");
  // What follows only frees space; the next checkpoint tries again.
  if (auto dropped = DropOrphans(); !dropped.ok()) TM_LOG(kWarn, "{}", dropped.error().message);
  DropDeadFiles();
  if (auto trimmed = journal_->Trim(sequence); !trimmed.ok()) TM_LOG(kWarn, "{}", trimmed.error().message);
  FailurePoint("checkpoint.trimmed");
  return {};
}

}  // namespace tidemark::storage
