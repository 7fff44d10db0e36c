#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/database/partition_epochs.h"
#include "storage/database/retention_plan.h"
#include "storage/engine/store_impl.h"
#include "storage/partition/mask_estimate.h"

namespace tidemark::storage {
namespace {

// A partition is rewritten for its hidden rows when at least a tenth of its bytes falls free.
constexpr uint64_t kWorthFolding = 10;
// Until then it is looked at again each time the retention has moved on by this share of its length.
constexpr int64_t kLooksPerPartition = 16;

// The state without partitions that go whole, so that nothing of them is counted twice.
std::shared_ptr<const database::DatabaseState> Without(const database::DatabaseState& state,
                                                       const std::map<database::PartitionId, uint64_t>& gone) {
  auto out = std::make_shared<database::DatabaseState>(state);
  std::erase_if(out->epochs, [&](const auto& epoch) {
    return gone.contains({epoch->record().partition_start_ns, epoch->record().partition_ns});
  });
  std::erase_if(out->slabs,
                [&](const auto& slab) { return gone.contains({slab->partition_start_ns(), slab->partition_ns()}); });
  return out;
}

// Whether `ns` is at most `by_ns` past `before_ns`, or not past it. Without a retention both are the first time there
// is.
bool IsSoonAfter(int64_t before_ns, int64_t ns, int64_t by_ns) {
  return before_ns >= ns ||
         static_cast<uint64_t>(ns) - static_cast<uint64_t>(before_ns) <= static_cast<uint64_t>(by_ns);
}

}  // namespace

int64_t StoreImpl::OldestNs(const database::Database& database) const {
  return std::max(database::OldestKept(clock_.NowNs(), database.options().retention_ns), database.raw_floor_ns());
}

Result<uint64_t> StoreImpl::ApplyRetention() {
  TM_TRY_ASSIGN(const uint64_t reduced, ReduceToTiers());
  TM_TRY_ASSIGN(const uint64_t dropped, DropExpired());
  return reduced + dropped;
}

Result<uint64_t> StoreImpl::DropExpired() {
  ReaderLock open(open_mutex_);
  if (closed_) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  uint64_t dropped = 0;
  for (const DatabasePtr& database : AllDatabases()) {
    const DatabaseOptions options = database->options();
    if (options.retention_ns == 0 && options.max_bytes == 0 &&
        database->raw_floor_ns() == std::numeric_limits<int64_t>::min()) {
      continue;  // nothing was ever reduced either
    }
    MutexLock flush(flush_mutex_);
    meta::MetaChange change;
    database::EpochList old;
    std::vector<std::shared_ptr<const partition::Slab>> old_slabs;
    if (database::PlanPartitions(*database->state(), options, clock_.NowNs()).drop.empty()) continue;
    // Slabs say which partitions their rows are of; heads do not.
    {
      MutexLock order(order_mutex_);
      if (database->Freeze(next_set_) != nullptr) ++next_set_;
    }
    TM_RETURN_IF_ERROR(MakeSlabs());
    const std::shared_ptr<const database::DatabaseState> state = database->state();
    const std::map<database::PartitionId, uint64_t> partitions =
        database::PlanPartitions(*state, options, clock_.NowNs()).drop;
    if (partitions.empty()) continue;
    std::set<database::PartitionId> staged;
    for (const auto& epoch : state->epochs) {
      if (!partitions.contains({epoch->record().partition_start_ns, epoch->record().partition_ns})) continue;
      change.remove.push_back(epoch->record());
      old.push_back(epoch);
    }
    for (const auto& slab : state->slabs) {
      const database::PartitionId partition{slab->partition_start_ns(), slab->partition_ns()};
      if (!partitions.contains(partition)) continue;
      old_slabs.push_back(slab);
      staged.insert(partition);
    }
    FailurePoint("retention.chosen");
    TM_RETURN_IF_ERROR(DeleteStaged(*database, staged));
    if (!old.empty()) {
      if (auto committed = meta_->Commit(std::move(change)); !committed.ok()) {
        // A compaction was quicker; the next round sees its epoch.
        if (committed.error().code == ErrorCode::kConflict) continue;
        health_.Report(committed.error());
        return std::move(committed).error();
      }
    }
    FailurePoint("retention.committed");
    for (const auto& epoch : old) epoch->Retire();
    {
      std::vector<model::TimeRange> ranges;
      ranges.reserve(partitions.size());
      for (const auto& [partition, _] : partitions) ranges.push_back({{partition.first}, {database::EndNs(partition)}});
      const database::ChangeLog::Change noted = database->changes().Begin(ranges);
      database->ReplacePages(old_slabs, old, {});
    }
    FailurePoint("retention.published");
    dropped += partitions.size();
    TM_LOG(kInfo, "retention dropped {} partitions of database {}", partitions.size(), database->name());
  }
  DropDeadFiles();
  return dropped;
}

Result<void> StoreImpl::DeleteStaged(database::Database& database, const std::set<database::PartitionId>& partitions) {
  for (const database::PartitionId& partition : partitions) {
    // Of every series.
    const meta::MaskSpec spec{
        {{{model::MatchOp::kNotEqual, "__name__", ""}}}, {{partition.first}, {database::EndNs(partition)}}, {}};
    TM_TRY_ASSIGN(const uint64_t before_set, JournalDeletion(database, spec));
    FailurePoint("retention.deletion_durable");
    for (const auto& set : database.state()->frozen) set->WaitComplete();
    const database::ChangeLog::Change noted = database.changes().Begin(spec.range);
    TM_RETURN_IF_ERROR(AddMask(database, before_set, spec));
  }
  return {};
}

Result<RetentionReport> StoreImpl::PlanRetention(std::string_view name, const DatabaseOptions& options) const {
  TM_RETURN_IF_ERROR(CheckOptions(options));
  const DatabasePtr database = Find(name);
  if (database == nullptr) return NotFound("database not found: \"" + std::string(name) + "\"");
  const std::shared_ptr<const database::DatabaseState> state = database->state();
  const database::RetentionPlan plan = database::PlanPartitions(*state, options, clock_.NowNs());
  std::map<database::PartitionId, uint64_t> gone = plan.drop;
  RetentionReport report;
  report.partitions = gone.size();
  report.partitions_reduced = plan.reduce.size();
  for (const auto& [_, bytes] : plan.reduce) report.reduced_bytes += bytes;
  for (const auto& [partition, bytes] : gone) report.partition_bytes += bytes;
  retention::MaskList masks;
  for (const SelectorRetention& selector : options.selectors) {
    const int64_t oldest_ns = database::OldestKept(clock_.NowNs(), selector.keep_ns);
    if (oldest_ns == std::numeric_limits<int64_t>::min()) continue;
    meta::MaskSpec spec;
    spec.selectors.push_back(selector.matchers);
    TM_TRY_ASSIGN(retention::RefSet refs, retention::RefSet::Select(spec, database->index(), /*open_end=*/true));
    masks.push_back(
        std::make_shared<const retention::Mask>(retention::Mask::kRetention, retention::Mask::kRetention,
                                                model::TimeRange{model::Timestamp::Min(), {oldest_ns - 1}},
                                                std::make_shared<const retention::RefSet>(std::move(refs))));
  }
  gone.insert(plan.reduce.begin(), plan.reduce.end());
  if (!masks.empty()) report.selected = EstimateHidden(*Without(*state, gone), masks);
  return report;
}

Result<void> StoreImpl::FoldHidden() {
  ReaderLock open(open_mutex_);
  // A compaction does this work already.
  if (closed_ || compacting_.load()) return {};
  {
    MutexLock compact(compact_mutex_);
    std::map<uint64_t, HiddenLook> looked;
    for (const DatabasePtr& database : AllDatabases()) {
      const retention::MaskList masks = HiddenRows(*database);
      if (masks.empty()) continue;
      int64_t until_ns = std::numeric_limits<int64_t>::min();
      for (const auto& mask : masks) {
        if (mask->number() == retention::Mask::kRetention) until_ns = std::max(until_ns, mask->range().last.ns);
      }
      for (const auto& [partition, epochs] : database::ByPartition(*database->state())) {
        const uint64_t newest = epochs.back()->record().epoch;
        if (!database::AnyMasked(epochs, masks) || unfoldable_.contains(newest)) continue;
        const HiddenLook look{retention::HighestNumber(masks), std::min(until_ns, database::EndNs(partition))};
        const auto before = hidden_looks_.find(newest);
        if (before != hidden_looks_.end() && before->second.number == look.number &&
            IsSoonAfter(before->second.until_ns, look.until_ns, partition.second / kLooksPerPartition) &&
            (look.until_ns < database::EndNs(partition) || before->second.until_ns == look.until_ns)) {
          looked.insert(*before);
          continue;
        }
        looked.emplace(newest, look);
        partition::MaskedRows hidden;
        uint64_t bytes = 0;
        for (const auto& epoch : epochs) {
          bytes += epoch->record().bytes;
          partition::AddMaskedRows(*epoch, retention::SourceMasks::OfEpoch(masks, epoch->record()), &hidden);
        }
        if (hidden.rows == 0 || hidden.bytes * kWorthFolding < bytes) continue;
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
    hidden_looks_ = std::move(looked);
  }
  return DropSpentMasks();
}

}  // namespace tidemark::storage
