#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/base/memory/budget.h"
#include "storage/database/partition_epochs.h"
#include "storage/database/retention_plan.h"
#include "storage/engine/checkpointer.h"
#include "storage/engine/freeze_choice.h"
#include "storage/model/repair_remedy.h"
#include "storage/partition/fold.h"
#include "storage/partition/partition_builder.h"

namespace tidemark::storage {
namespace {

using SlabList = std::vector<std::shared_ptr<const partition::Slab>>;

// Slabs that a checkpoint folds between two looks at whether writers wait and whether its time is over; about as many
// bytes of pages are in memory twice meanwhile.
constexpr uint64_t kStepBytes = uint64_t{32} << 20;
// Writers that wait for room are looked after so often while one budget of heads is made into slabs.
constexpr uint64_t kRoundsPerBudget = 8;
// Slabs take as much memory as this many budgets of heads at most before a checkpoint is due. Points that compress well
// never come to it.
constexpr uint64_t kSlabBudgets = 4;
constexpr uint64_t kLeastSlabLimit = uint64_t{32} << 20;
// While the memory of the process is short a checkpoint is due as soon as it gives back so much.
constexpr uint64_t kWorthInNeed = uint64_t{16} << 20;

uint64_t SlabLimit(const StoreParts& parts) {
  return std::max(kLeastSlabLimit, kSlabBudgets * parts.heads.budget_bytes());
}

}  // namespace

// The slabs of one partition, on their way into one epoch.
struct PartitionJob {
  database::Database* database = nullptr;
  SlabList slabs;
  meta::EpochRecord record;
  std::string path;
  rocks::RecordBatch values;  // of a small one
  Result<void> result;
};

struct Checkpointer::Work {
  uint64_t points = 0;  // that had come since the last one
  LinePlace place;      // of the last record that it holds
  uint64_t before = 0;  // the checkpoint before it
  std::vector<DatabasePtr> databases;
  std::map<const database::Database*, retention::MaskList> hidden;
  std::vector<PartitionJob> jobs;
  meta::MetaChange change;
  uint64_t entries = 0;                                         // of indexes
  std::map<model::DatabaseId, std::vector<std::string>> names;  // keys of those that are copied
};

Result<void> Checkpointer::MakeSlabs(database::Database& database, const std::shared_ptr<database::StagedSet>& set) {
  set->WaitComplete();
  const int64_t length_ns = database::PartitionLength(database.options());
  std::vector<partition::PartitionBounds> wanted;
  for (const int64_t start : set->heads().Partitions(length_ns))
    wanted.push_back(partition::PartitionOf(start, length_ns));
  const std::vector<partition::PartitionBounds> partitions = database::FitPartitions(*database.state(), wanted);
  SlabList slabs(partitions.size());
  std::vector<Result<void>> results(partitions.size());
  parts_.scheduler.ParallelFor(TaskKind::kFlush, partitions.size(), [&](size_t i) {
    auto pages = partition::Transpose(set->heads(), partitions[i], &parts_.end_of_checkpoints);
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

Result<void> Checkpointer::CheckGoesOn() const {
  if (!parts_.end_of_checkpoints.passed()) return {};
  return MakeError(ErrorCode::kCancelled, "the time for it is over; the journal has the rest");
}

Result<void> Checkpointer::MakeSlabs() {
  uint64_t made = 0;
  for (const DatabasePtr& database : parts_.databases.All()) {
    // Held: each set that is made into slabs gives the database a new state.
    const std::shared_ptr<const database::DatabaseState> state = database->state();
    for (const auto& set : state->frozen) {
      TM_RETURN_IF_ERROR(CheckGoesOn());
      made += set->heads().Stats().bytes;
      TM_RETURN_IF_ERROR(MakeSlabs(*database, set));
    }
    if (made < parts_.heads.budget_bytes() / kRoundsPerBudget) continue;
    // Writers need not wait for the rest.
    made = 0;
    parts_.heads.SlabsMade(parts_.HeadBytes());
  }
  return {};
}

Result<void> Checkpointer::MakeRoom() {
  const std::vector<DatabasePtr> databases = parts_.databases.All();
  // Weighed outside the lock of the line, under which every write takes its place.
  std::vector<uint64_t> bytes;
  bytes.reserve(databases.size());
  for (const DatabasePtr& database : databases) bytes.push_back(database->state()->live->heads().Stats().bytes);
  std::vector<DatabasePtr> heavy;
  for (const size_t place : ChooseToFreeze(bytes, parts_.heads.budget_bytes())) heavy.push_back(databases[place]);
  parts_.line.Freeze(heavy);
  Result<void> made = MakeSlabs();
  parts_.heads.SlabsMade(parts_.HeadBytes());
  return made;
}

Result<void> Checkpointer::FreezeFull() {
  MutexLock flush(flush_mutex_);
  return MakeRoom();
}

Result<void> Checkpointer::Checkpoint() {
  ReaderLock open(parts_.open_mutex);
  if (parts_.closed) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  TM_RETURN_IF_ERROR(parts_.CheckMayWrite());
  MutexLock flush(flush_mutex_);
  return CheckpointLocked();
}

bool Checkpointer::Due() const {
  const uint64_t points = parts_.points_since_checkpoint.load(std::memory_order_relaxed);
  if (points == 0) return false;
  const uint64_t slab_bytes = parts_.SlabBytes();
  const bool scarce = parts_.options.memory != nullptr && parts_.options.memory->level() >= memory::Level::kCheckpoint;
  return points >= parts_.options.checkpoint_points || slab_bytes >= SlabLimit(parts_) ||
         (scarce && slab_bytes + parts_.HeadBytes() >= kWorthInNeed) ||
         parts_.clock.SteadyNs() - last_at_ns_.load() >= parts_.options.checkpoint_interval_ns;
}

Result<void> Checkpointer::CheckpointLocked() {
  const int64_t started = parts_.clock.SteadyNs();
  Work work;
  work.points = parts_.points_since_checkpoint.load(std::memory_order_relaxed);
  TM_RETURN_IF_ERROR(CheckGoesOn());
  work.place = parts_.line.Freeze(parts_.databases.All());
  FailurePoint("checkpoint.frozen");
  TM_RETURN_IF_ERROR(MakeSlabs());
  FailurePoint("checkpoint.slabs_made");
  parts_.heads.SlabsMade(parts_.HeadBytes());
  TM_RETURN_IF_ERROR(CheckGoesOn());
  Collect(&work);
  auto written = WriteFiles(&work);
  if (written.ok()) written = Commit(&work);
  if (!written.ok()) {
    for (const DatabasePtr& database : work.databases) database->index().SaveFailed();
    for (const PartitionJob& job : work.jobs) parts_.rocks->DeleteLeftover(job.path);
    if (written.error().code != ErrorCode::kCancelled) {
      parts_.counters.checkpoint_failures.fetch_add(1);
      parts_.health.Report(written.error());
    }
    return std::move(written).error().Within("checkpoint");
  }
  FailurePoint("checkpoint.committed");
  Publish(work);
  parts_.points_since_checkpoint.fetch_sub(std::min(work.points, parts_.points_since_checkpoint.load()));
  parts_.counters.checkpoints.fetch_add(1);
  parts_.counters.last_checkpoint_ns.store(parts_.clock.SteadyNs() - started);
  last_at_ns_.store(parts_.clock.SteadyNs());
  FailurePoint("checkpoint.published");
  return FreeSuperfluous(work);
}

void Checkpointer::Collect(Work* work) {
  work->databases = parts_.databases.All();
  work->before = parts_.meta->checkpoint_sequence();
  work->change.checkpoint_sequence = work->place.sequence;
  for (const DatabasePtr& database : work->databases) {
    const std::shared_ptr<const database::DatabaseState> state = database->state();
    std::map<std::pair<int64_t, int64_t>, SlabList> partitions;
    for (const auto& slab : state->slabs) {
      partitions[{slab->partition_start_ns(), slab->partition_ns()}].push_back(slab);
    }
    for (auto& [_, slabs] : partitions) {
      PartitionJob& job = work->jobs.emplace_back();
      job.database = database.get();
      job.slabs = std::move(slabs);
      job.record.database = database->id();
      job.record.epoch = parts_.meta->TakeEpochNumber();
      job.record.precedence = job.record.epoch;
      job.path = parts_.StagingPath(job.record.epoch);
    }
  }
  for (const DatabasePtr& database : work->databases) {
    work->hidden.emplace(database.get(), database->HiddenRows(parts_.retention_clock.NowNs()));
    for (const auto& mask : database->state()->masks) {
      work->change.put_masks.push_back({database->id(), mask->number(), mask->spec()});
    }
    for (index::Entry& entry : database->index().BeginSave()) {
      if (copy::IsCopied(entry.key)) work->names[database->id()].push_back(entry.key);
      work->change.records.Put(rocks::Family::kIndex, rocks::IndexKey(database->id(), entry.key),
                               std::move(entry.value));
      ++work->entries;
    }
  }
}

void Checkpointer::WriteFile(PartitionJob* job, const Work& work) {
  const std::vector<std::shared_ptr<const partition::PageSet>> sources(job->slabs.begin(), job->slabs.end());
  std::vector<retention::SourceMasks> masks;
  for (const auto& slab : job->slabs) {
    masks.push_back(retention::SourceMasks::OfSet(work.hidden.at(job->database), slab->number()));
  }
  const database::PartitionId id{job->slabs[0]->partition_start_ns(), job->slabs[0]->partition_ns()};
  auto pages =
      partition::Fold(sources, {id.first, database::EndNs(id)}, parts_.corrupt_pages.get(), masks,
                      {.tiers = database::LivingTiers(job->database->options(), id, parts_.retention_clock.NowNs()),
                       .newest_of = [&](model::FieldId field) { return job->database->index().Field(field).newest; },
                       .scheduler = &parts_.scheduler,
                       .memory_bytes = parts_.options.fold_memory_bytes,
                       .spool_directory = parts_.StagingDirectory(),
                       .deadline = &parts_.end_of_checkpoints});
  if (!pages.ok()) {
    job->result = std::move(pages).error();
    return;
  }
  if (pages->pages.empty()) return;  // all of it was deleted
  const partition::PageDirectory directory = partition::SortAndList(&*pages);
  auto record = partition::WriteEpoch(parts_.rocks.get(), job->path, parts_.options.small_epoch_bytes, job->record,
                                      *pages, directory, &job->values);
  if (record.ok()) {
    job->record = *record;
  } else {
    job->result = std::move(record).error();
  }
}

Result<void> Checkpointer::WriteFiles(Work* work) {
  std::vector<PartitionJob>& jobs = work->jobs;
  for (size_t begin = 0, end = 0; begin < jobs.size(); begin = end) {
    TM_RETURN_IF_ERROR(CheckGoesOn());
    uint64_t bytes = 0;
    for (; end < jobs.size() && (bytes < kStepBytes || end - begin < parts_.scheduler.concurrency()); ++end) {
      for (const auto& slab : jobs[end].slabs) bytes += slab->bytes();
    }
    parts_.scheduler.ParallelFor(TaskKind::kFlush, end - begin, [&](size_t i) { WriteFile(&jobs[begin + i], *work); });
    for (size_t i = begin; i < end; ++i) TM_RETURN_IF_ERROR(std::move(jobs[i].result));
    if (parts_.HeadBytes() >= parts_.heads.budget_bytes()) TM_RETURN_IF_ERROR(MakeRoom());
  }
  return CheckGoesOn();
}

Result<void> Checkpointer::Commit(Work* work) {
  if (work->jobs.empty() && work->entries == 0 && work->place.sequence == parts_.meta->checkpoint_sequence()) return {};
  std::vector<std::string> paths;
  for (PartitionJob& job : work->jobs) {
    if (job.record.rows == 0) continue;
    if (!job.record.in_meta) paths.push_back(job.path);
    work->change.records.Append(std::move(job.values));
    work->change.add.push_back(job.record);
  }
  TM_RETURN_IF_ERROR(parts_.NoteCheckpoint(work->place));
  FailurePoint("checkpoint.files_finished");
  if (!paths.empty()) {
    if (auto ingested = parts_.rocks->Ingest(paths); !ingested.ok()) {
      // They may be in RocksDB all the same, and nobody will ever name them.
      for (const PartitionJob& job : work->jobs) parts_.graveyard->Bury(meta::KeysOf(job.record));
      return ingested;
    }
  }
  FailurePoint("checkpoint.ingested");
  return parts_.meta->Commit(std::move(work->change));
}

void Checkpointer::Publish(const Work& work) {
  for (const DatabasePtr& database : work.databases) database->index().SaveSucceeded();
  uint64_t bytes = 0;
  // All of a database at once: a state for each of thousands of partitions would be copied thousands of times.
  std::map<database::Database*, std::pair<SlabList, database::EpochList>> made;
  for (const PartitionJob& job : work.jobs) {
    auto& [slabs, epochs] = made[job.database];
    slabs.insert(slabs.end(), job.slabs.begin(), job.slabs.end());
    if (job.record.rows != 0) epochs.push_back(parts_.MakeEpoch(job.record));
    bytes += job.record.bytes;
  }
  for (auto& [database, pages] : made) database->ReplacePages(pages.first, {}, std::move(pages.second));
  TM_LOG(kDebug, "checkpoint up to record {}: {} partitions, {} bytes, {} index entries", work.place.sequence,
         work.jobs.size(), bytes, work.entries);
}

Result<void> Checkpointer::Copy(const Work& work) {
  if (!copies_) copies_.emplace(parts_.files.get(), parts_.options.directory, parts_.store_id, parts_.rocks.get());
  std::vector<model::DatabaseId> databases;
  for (const meta::DatabaseRecord& record : parts_.meta->databases()) databases.push_back(record.id);
  return copies_->Keep(work.before, work.place.sequence, work.names, databases, &parts_.end_of_checkpoints);
}

Result<void> Checkpointer::FreeSuperfluous(const Work& work) {
  // What names the new epochs and the checkpoint's place lies in RocksDB's log so far. The journal goes only when it is
  // in table files: a log that is cut then costs nothing.
  if (auto flushed = parts_.rocks->Flush(); !flushed.ok()) {
    parts_.health.Report(flushed.error());
    return std::move(flushed).error().Within("checkpoint");
  }
  FailurePoint("checkpoint.flushed");
  // What follows only frees space; the next checkpoint tries again.
  if (auto dropped = DropOrphans(); !dropped.ok()) TM_LOG(kWarn, "{}", dropped.error().message);
  DropDeadFiles();
  // The journal has the names since the last checkpoint, too.
  if (auto copied = Copy(work); !copied.ok()) {
    // Of a close: the journal keeps them, and the next checkpoint copies what is missing.
    if (copied.error().code == ErrorCode::kCancelled) return {};
    parts_.ReportRocks(copied.error());
    Error error = std::move(copied).error().Within("checkpoint");
    if (error.code == ErrorCode::kCorruption) {
      // Damage that was met: whoever asked is not at fault, and is told what to do.
      error.code = ErrorCode::kUnavailable;
      error.message += fmt::format("; {}", model::kRepairRemedy);
    }
    return error;
  }
  if (auto trimmed = parts_.journal->Trim(work.place.sequence); !trimmed.ok())
    TM_LOG(kWarn, "{}", trimmed.error().message);
  FailurePoint("checkpoint.trimmed");
  return {};
}

void Checkpointer::DropDeadFiles() {
  std::vector<rocks::KeyRange> dead = parts_.graveyard->TakeAll();
  if (dead.empty()) return;
  const auto drop = [&]() -> Result<void> {
    // Everything that was buried before is named no more by what this writes down.
    TM_RETURN_IF_ERROR(parts_.rocks->Flush());
    FailurePoint("files.flushed");
    return parts_.rocks->DropFiles(dead);
  };
  if (auto dropped = drop(); !dropped.ok()) {
    TM_LOG(kWarn, "{}", dropped.error().message);
    for (rocks::KeyRange& range : dead) parts_.graveyard->Bury(std::move(range));
  }
}

}  // namespace tidemark::storage
