#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/database/partition_epochs.h"
#include "storage/database/retention_plan.h"
#include "storage/engine/store_impl.h"
#include "storage/partition/fold.h"
#include "storage/partition/tier_copy.h"

namespace tidemark::storage {
namespace {

// A compaction deletes what it has replaced each time that so much has been read since.
constexpr uint64_t kFreeBytes = uint64_t{64} << 20;
constexpr uint64_t kFreePartitions = 64;

}  // namespace

void StoreImpl::DropDeadFiles() {
  std::vector<rocks::KeyRange> dead = graveyard_->TakeAll();
  if (dead.empty()) return;
  const auto drop = [&]() -> Result<void> {
    // Everything that was buried before is named no more by what this writes down.
    TM_RETURN_IF_ERROR(rocks_->Flush());
    FailurePoint("files.flushed");
    return rocks_->DropFiles(dead);
  };
  if (auto dropped = drop(); !dropped.ok()) {
    TM_LOG(kWarn, "{}", dropped.error().message);
    for (rocks::KeyRange& range : dead) graveyard_->Bury(std::move(range));
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
  CompactionProgress done;
  Result<void> result;
  {
    MutexLock compact(compact_mutex_);
    const retention::MaskList hidden = HiddenRows(*database);
    const DatabaseOptions options = database->options();
    std::vector<database::PartitionId> partitions;
    for (const auto& [partition, epochs] : database::ByPartition(*database->state())) {
      const std::vector<RollupTier> tiers = database::LivingTiers(options, partition, clock_.NowNs());
      const bool reduced = epochs.front()->record().tiers_only;
      if (epochs.size() > 1 || !epochs.front()->record().sealed || database::AnyMasked(epochs, hidden) ||
          (!reduced && !database::HasTiers(*epochs.front(), tiers))) {
        partitions.push_back(partition);
      }
    }
    done.partitions_total = partitions.size();
    uint64_t freed_bytes = 0;
    uint64_t freed_partitions = 0;
    for (const database::PartitionId& partition : partitions) {
      if (stop.stop_requested() || closing_.load()) break;
      // Read anew each time: a state that is kept would keep epochs that are folded away.
      result = FoldEpochs(*database, database::ByPartition(*database->state())[partition], FoldKind::kSeal, &done);
      if (!result.ok()) break;
      ++done.partitions_done;
      // Each time brings meta to disk, which for thousands of small partitions would be most of the work.
      if (done.bytes_read - freed_bytes >= kFreeBytes || done.partitions_done - freed_partitions >= kFreePartitions) {
        freed_bytes = done.bytes_read;
        freed_partitions = done.partitions_done;
        DropDeadFiles();
      }
      if (progress) progress(done);
    }
    DropDeadFiles();
  }
  if (result.ok()) result = DropSpentMasks();
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
    for (auto& [partition, epochs] : database::ByPartition(*database->state())) {
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
      auto folded = FoldEpochs(*database, epochs, FoldKind::kFold, &ignored);
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

Result<void> StoreImpl::FoldEpochs(database::Database& database, const database::EpochList& old, FoldKind kind,
                                   CompactionProgress* progress) {
  const retention::MaskList masks = HiddenRows(database);
  const bool were_sealed =
      std::all_of(old.begin(), old.end(), [](const auto& epoch) { return epoch->record().sealed; });
  const bool seal = kind == FoldKind::kSeal || were_sealed;
  if (old.empty()) return {};
  const bool reduced = old[0]->record().tiers_only;  // then it is the only one
  const bool reduce = kind == FoldKind::kReduce;
  const database::PartitionId partition{old[0]->record().partition_start_ns, old[0]->record().partition_ns};
  const std::vector<RollupTier> tiers = database::LivingTiers(database.options(), partition, clock_.NowNs());
  if (!reduce && old.size() < 2 && seal == were_sealed && !database::AnyMasked(old, masks) &&
      (reduced || !seal || database::HasTiers(*old[0], tiers))) {
    return {};
  }
  const int64_t start_ns = old[0]->record().partition_start_ns;
  const int64_t length_ns = old[0]->record().partition_ns;
  const std::vector<std::shared_ptr<const partition::PageSet>> sources(old.begin(), old.end());
  std::vector<retention::SourceMasks> hidden;
  for (const auto& epoch : old) hidden.push_back(retention::SourceMasks::OfEpoch(masks, epoch->record()));
  const auto make_pages = [&] {
    if (reduced) return partition::CopyTiers(*old[0], hidden[0], tiers);
    return Fold(sources, start_ns, length_ns, corrupt_pages_.get(), hidden,
                {.effort = seal || reduce ? codec::Effort::kSmallest : codec::Effort::kFast,
                 .tiers = tiers,
                 .raw = !reduce,
                 .progress = kind == FoldKind::kSeal ? &seal_progress_ : nullptr,
                 .stop = &closing_});
  };
  TM_TRY_ASSIGN(partition::PartitionPages pages, make_pages());
  FailurePoint("fold.merged");
  const partition::PageDirectory directory = partition::SortAndList(&pages);
  meta::EpochRecord record;
  record.database = database.id();
  record.epoch = meta_->TakeEpochNumber();
  // Nothing lies between the epochs that are folded, and what comes meanwhile is newer than all of them.
  record.precedence = old.back()->record().precedence;
  record.tiers_only = reduced || reduce;
  record.sealed = seal || record.tiers_only;
  record.masked_through = retention::HighestNumber(masks);
  for (const auto& epoch : old) record.masked_through = std::max(record.masked_through, epoch->record().masked_through);
  const std::string path = StagingPath(record.epoch);
  meta::MetaChange change;
  const auto write = [&]() -> Result<void> {
    for (const auto& epoch : old) change.remove.push_back(epoch->record());
    if (pages.pages.empty()) return meta_->Commit(std::move(change));  // all of it was deleted
    TM_TRY_ASSIGN(record, partition::WriteEpoch(rocks_.get(), path, options_.small_epoch_bytes, record, pages,
                                                directory, &change.records));
    change.add.push_back(record);
    FailurePoint("fold.file_finished");
    if (!record.in_meta) {
      if (auto ingested = rocks_->Ingest({path}); !ingested.ok()) {
        graveyard_->Bury(meta::KeysOf(record));
        return ingested;
      }
    }
    FailurePoint("fold.ingested");
    return meta_->Commit(std::move(change));
  };
  if (auto written = write(); !written.ok()) {
    rocks_->DeleteLeftover(path);
    // A partition that retention took, or a database that was dropped meanwhile: nothing is left to compact.
    if (written.error().code == ErrorCode::kConflict) {
      graveyard_->Bury(meta::KeysOf(record));
      DropDeadFiles();
      return {};
    }
    health_.Report(written.error());
    return std::move(written).error().Within(fmt::format("compacting database {}", database.name()));
  }
  FailurePoint("fold.committed");
  std::vector<std::shared_ptr<const partition::Epoch>> folded;
  if (!pages.pages.empty()) folded.push_back(MakeEpoch(record));
  if (record.tiers_only) {
    const database::ChangeLog::Change noted =
        database.changes().Begin(model::TimeRange{{start_ns}, {database::EndNs(partition)}});
    database.ReplacePages({}, old, std::move(folded));
  } else {
    database.ReplacePages({}, old, std::move(folded));
  }
  for (const auto& epoch : old) {
    epoch->Retire();
    progress->bytes_read += epoch->record().bytes;
  }
  FailurePoint("fold.published");
  progress->bytes_written += record.bytes;
  return {};
}

}  // namespace tidemark::storage
