#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "storage/base/log.h"
#include "storage/engine/fold.h"
#include "storage/engine/store_impl.h"

namespace tidemark::storage {
namespace {

using EpochList = std::vector<std::shared_ptr<const Epoch>>;
using SlabList = std::vector<std::shared_ptr<const Slab>>;
using PartitionId = std::pair<int64_t, int64_t>;  // start, length

std::map<PartitionId, EpochList> ByPartition(const DatabaseState& state) {
  std::map<PartitionId, EpochList> out;
  for (const auto& epoch : state.epochs) {
    out[{epoch->record().partition_start_ns, epoch->record().partition_ns}].push_back(epoch);
  }
  return out;
}

}  // namespace

int64_t StoreImpl::OldestNs(const Database& database) const {
  const int64_t retention_ns = database.options().retention_ns;
  if (retention_ns == 0) return std::numeric_limits<int64_t>::min();
  int64_t oldest_ns = 0;
  if (__builtin_sub_overflow(clock_.NowNs(), retention_ns, &oldest_ns)) return std::numeric_limits<int64_t>::min();
  return oldest_ns;
}

void StoreImpl::DropDeadFiles() {
  std::vector<KeyRange> dead = graveyard_->TakeAll();
  if (dead.empty()) return;
  if (auto dropped = rocks_->DropFiles(dead); !dropped.ok()) {
    TM_LOG(kWarn, "{}", dropped.error().message);
    for (KeyRange& range : dead) graveyard_->Bury(std::move(range));
  }
}

Result<CompactionProgress> StoreImpl::Compact(std::string_view name, std::stop_token stop,
                                              const std::function<void(const CompactionProgress&)>& progress) {
  TM_RETURN_IF_ERROR(Checkpoint());
  ReaderLock open(open_mutex_);
  if (closed_) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  const DatabasePtr database = Find(name);
  if (database == nullptr) return NotFound(fmt::format("database not found: \"{}\"", name));
  compacting_.store(true);
  MutexLock compact(compact_mutex_);
  std::vector<PartitionId> partitions;
  for (const auto& [partition, epochs] : ByPartition(*database->state())) {
    if (epochs.size() > 1) partitions.push_back(partition);
  }
  CompactionProgress done;
  done.partitions_total = partitions.size();
  Result<void> result;
  for (const PartitionId& partition : partitions) {
    if (stop.stop_requested() || closing_.load()) break;
    // Read anew each time: a state that is kept would keep epochs that are folded away.
    result = FoldEpochs(*database, ByPartition(*database->state())[partition], &done);
    if (!result.ok()) break;
    ++done.partitions_done;
    DropDeadFiles();
    if (progress) progress(done);
  }
  compacting_.store(false);
  if (!result.ok()) return std::move(result).error();
  return done;
}

Result<void> StoreImpl::FoldCrowded() {
  ReaderLock open(open_mutex_);
  // A compaction does this work already.
  if (closed_ || compacting_.load()) return {};
  MutexLock compact(compact_mutex_);
  for (const DatabasePtr& database : AllDatabases()) {
    for (auto& [partition, epochs] : ByPartition(*database->state())) {
      if (epochs.size() <= std::max<size_t>(options_.max_epochs, 2)) continue;
      // From the newest back, as long as an older one is not much larger than all that is folded into it: so each row
      // is rewritten a few times only, however long a partition takes writes.
      size_t begin = epochs.size() - 1;
      uint64_t bytes = epochs[begin]->record().bytes;
      const size_t least = epochs.size() / 2;
      while (begin > 0 && (epochs[begin - 1]->record().bytes <= bytes || begin > least)) {
        bytes += epochs[--begin]->record().bytes;
      }
      epochs.erase(epochs.begin(), epochs.begin() + static_cast<std::ptrdiff_t>(begin));
      const uint64_t newest = epochs.back()->record().epoch;
      if (unfoldable_.contains(newest)) continue;
      CompactionProgress ignored;
      auto folded = FoldEpochs(*database, epochs, &ignored);
      if (!folded.ok() && folded.error().code == ErrorCode::kCorruption) {
        TM_LOG(kError, "{}; the partition stays as it is", folded.error().message);
        unfoldable_.insert(newest);
        continue;
      }
      TM_RETURN_IF_ERROR(std::move(folded));
    }
  }
  return {};
}

Result<void> StoreImpl::FoldEpochs(Database& database, const EpochList& old, CompactionProgress* progress) {
  if (old.size() < 2) return {};
  const int64_t start_ns = old[0]->record().partition_start_ns;
  const int64_t length_ns = old[0]->record().partition_ns;
  const std::vector<std::shared_ptr<const PageSet>> sources(old.begin(), old.end());
  TM_TRY_ASSIGN(PartitionPages pages, Fold(sources, start_ns, length_ns, corrupt_pages_.get()));
  const PageDirectory directory = SortAndList(&pages);
  EpochRecord record;
  record.database = database.id();
  record.epoch = meta_->TakeEpochNumber();
  // Nothing lies between the epochs that are folded, and what comes meanwhile is newer than all of them.
  record.precedence = old.back()->record().precedence;
  const std::string path = StagingPath(record.epoch);
  MetaChange change;
  const auto write = [&]() -> Result<void> {
    TM_TRY_ASSIGN(record, WriteEpochFile(rocks_.get(), path, record, pages, directory));
    change.add.push_back(record);
    for (const auto& epoch : old) change.remove.push_back(epoch->record());
    if (auto ingested = rocks_->Ingest({path}); !ingested.ok()) {
      graveyard_->Bury(EpochKeys(record.database, record.partition_start_ns, record.epoch));
      return ingested;
    }
    return meta_->Commit(std::move(change));
  };
  if (auto written = write(); !written.ok()) {
    rocks_->DeleteLeftover(path);
    // A partition that retention took, or a database that was dropped meanwhile: nothing is left to compact.
    if (written.error().code == ErrorCode::kConflict) {
      graveyard_->Bury(EpochKeys(record.database, record.partition_start_ns, record.epoch));
      DropDeadFiles();
      return {};
    }
    health_.Report(written.error());
    return std::move(written).error().Within(fmt::format("compacting database {}", database.name()));
  }
  database.ReplacePages({}, old, {MakeEpoch(record)});
  for (const auto& epoch : old) {
    epoch->Retire();
    progress->bytes_read += epoch->record().bytes;
  }
  progress->bytes_written += record.bytes;
  return {};
}

Result<uint64_t> StoreImpl::ApplyRetention() {
  ReaderLock open(open_mutex_);
  if (closed_) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  uint64_t dropped = 0;
  for (const DatabasePtr& database : AllDatabases()) {
    const int64_t oldest_ns = OldestNs(*database);
    if (oldest_ns == std::numeric_limits<int64_t>::min()) continue;
    MutexLock flush(flush_mutex_);
    MetaChange change;
    EpochList old;
    SlabList old_slabs;
    std::set<PartitionId> partitions;
    const std::shared_ptr<const DatabaseState> state = database->state();
    for (const auto& [partition, epochs] : ByPartition(*state)) {
      const auto [start_ns, length_ns] = partition;
      if (start_ns + (length_ns - 1) >= oldest_ns) continue;
      partitions.insert(partition);
      for (const auto& epoch : epochs) {
        change.remove.push_back(epoch->record());
        old.push_back(epoch);
      }
    }
    for (const auto& slab : state->slabs) {
      if (slab->partition_start_ns() + (slab->partition_ns() - 1) >= oldest_ns) continue;
      partitions.emplace(slab->partition_start_ns(), slab->partition_ns());
      old_slabs.push_back(slab);
    }
    if (partitions.empty()) continue;
    if (!old.empty()) {
      if (auto committed = meta_->Commit(std::move(change)); !committed.ok()) {
        // A compaction was quicker; the next round sees its epoch.
        if (committed.error().code == ErrorCode::kConflict) continue;
        health_.Report(committed.error());
        return std::move(committed).error();
      }
    }
    for (const auto& epoch : old) epoch->Retire();
    database->ReplacePages(old_slabs, old, {});
    dropped += partitions.size();
    TM_LOG(kInfo, "retention dropped {} partitions of database {}", partitions.size(), database->name());
  }
  DropDeadFiles();
  return dropped;
}

}  // namespace tidemark::storage
