#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/database/partition_epochs.h"
#include "storage/database/retention_plan.h"
#include "storage/engine/expiry.h"
#include "storage/partition/mask_estimate.h"

namespace tidemark::storage {
namespace {

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

}  // namespace

Result<uint64_t> Expiry::DropExpired() {
  ReaderLock open(parts_.open_mutex);
  if (parts_.closed) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  TM_RETURN_IF_ERROR(parts_.CheckMayWrite());
  uint64_t dropped = 0;
  for (const DatabasePtr& database : parts_.databases.All()) {
    TM_TRY_ASSIGN(const uint64_t partitions, DropExpiredOf(database));
    dropped += partitions;
  }
  checkpointer_.DropDeadFiles();
  return dropped;
}

Result<uint64_t> Expiry::DropExpiredOf(const DatabasePtr& database) {
  const DatabaseOptions options = database->options();
  if (options.retention_ns == 0 && options.max_bytes == 0 &&
      database->raw_floor_ns() == std::numeric_limits<int64_t>::min()) {
    return 0;  // nothing was ever reduced either
  }
  MutexLock flush(checkpointer_.flush_mutex());
  meta::MetaChange change;
  database::EpochList old;
  std::vector<std::shared_ptr<const partition::Slab>> old_slabs;
  if (database::PlanPartitions(*database->state(), options, parts_.retention_clock.NowNs()).drop.empty()) return 0;
  // Slabs say which partitions their rows are of; heads do not.
  parts_.line.Freeze(database.get());
  TM_RETURN_IF_ERROR(checkpointer_.MakeSlabs());
  const std::shared_ptr<const database::DatabaseState> state = database->state();
  const std::map<database::PartitionId, uint64_t> partitions =
      database::PlanPartitions(*state, options, parts_.retention_clock.NowNs()).drop;
  if (partitions.empty()) return 0;
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
  TM_RETURN_IF_ERROR(deleter_.DeleteStaged(checkpointer_, *database, staged));
  if (!old.empty()) {
    if (auto committed = parts_.meta->Commit(std::move(change)); !committed.ok()) {
      // A compaction was quicker; the next round sees its epoch.
      if (committed.error().code == ErrorCode::kConflict) return 0;
      parts_.health.Report(committed.error());
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
  TM_LOG(kInfo, "retention dropped {} partitions of database {}", partitions.size(), database->name());
  return partitions.size();
}

Result<RetentionReport> Expiry::Plan(std::string_view name, const DatabaseOptions& options) const {
  TM_RETURN_IF_ERROR(CheckOptions(options));
  const DatabasePtr database = parts_.databases.Find(name);
  if (database == nullptr) return NoDatabase(name);
  const std::shared_ptr<const database::DatabaseState> state = database->state();
  const database::RetentionPlan plan = database::PlanPartitions(*state, options, parts_.retention_clock.NowNs());
  std::map<database::PartitionId, uint64_t> gone = plan.drop;
  RetentionReport report;
  report.partitions = gone.size();
  report.partitions_reduced = plan.reduce.size();
  for (const auto& [_, bytes] : plan.reduce) report.reduced_bytes += bytes;
  for (const auto& [partition, bytes] : gone) report.partition_bytes += bytes;
  retention::MaskList masks;
  for (const SelectorRetention& selector : options.selectors) {
    const int64_t oldest_ns = database::OldestKept(parts_.retention_clock.NowNs(), selector.keep_ns);
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
  if (!masks.empty()) report.selected = Deleter::EstimateHidden(*Without(*state, gone), masks);
  return report;
}

}  // namespace tidemark::storage
