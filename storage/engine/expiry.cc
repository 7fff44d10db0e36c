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
#include "storage/partition/partition_bounds.h"

namespace tidemark::storage {
namespace {

// How often background work drops what is too old, with some time for it.
constexpr int64_t kLookEveryNs = 2 * 60'000'000'000;

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

// Of a page: about how many of its rows are older than `oldest_ns`, taken to be evenly spread.
double ShareBefore(model::TimeRange range, int64_t oldest_ns) {
  if (range.last.ns < oldest_ns) return 1;
  if (range.first.ns >= oldest_ns) return 0;
  return (static_cast<double>(oldest_ns) - static_cast<double>(range.first.ns)) /
         (static_cast<double>(range.last.ns) - static_cast<double>(range.first.ns) + 1);
}

// Raw rows of `pages` before `oldest_ns`, from their directory; what cannot be read is left out.
void AddExpired(const partition::PageSet& pages, int64_t oldest_ns, RetentionReport::Expired* out) {
  const auto directory = pages.Directory();
  if (!directory.ok()) return;
  for (const partition::PageInfo& page : (*directory)->pages()) {
    if (page.tier != rocks::kRawTier || page.field == page::kTimelineField) continue;
    const double share = ShareBefore(page.range, oldest_ns);
    out->rows += static_cast<uint64_t>(static_cast<double>(page.rows) * share);
    out->bytes += static_cast<uint64_t>(static_cast<double>(page.bytes) * share);
  }
}

// Rows in memory before `oldest_ns`. Only sets that have some are looked through.
Result<uint64_t> StagedBefore(const database::Database& database, const database::DatabaseState& state,
                              int64_t oldest_ns) {
  std::vector<std::shared_ptr<const database::StagedSet>> sets(state.frozen.begin(), state.frozen.end());
  sets.push_back(state.live);
  uint64_t rows = 0;
  std::vector<model::SeriesRef> all;
  model::ColumnBuffer buffer;
  const model::TimeRange old{model::Timestamp::Min(), {oldest_ns - 1}};
  for (const auto& set : sets) {
    if (!set->heads().Range().Overlaps(old)) continue;
    if (all.empty()) {
      TM_TRY_ASSIGN(all, database.index().Select({}, /*numeric=*/true, /*strings=*/true, /*max_series=*/0));
    }
    const head::HeadMark mark = set->heads().Mark();
    for (const model::SeriesRef ref : all) {
      if (!set->heads().Touches(ref.series, mark, old)) continue;
      rows += set->heads().Read(ref, mark, old, &buffer).size();
    }
  }
  return rows;
}

}  // namespace

Result<void> Expiry::CountExpired(const database::Database& database, const database::DatabaseState& state,
                                  const DatabaseOptions& options, RetentionReport* report) const {
  const int64_t now_ns = parts_.retention_clock.NowNs();
  int64_t oldest_ns = database::OldestSeen(options, now_ns);
  if (oldest_ns == std::numeric_limits<int64_t>::min()) oldest_ns = database::OldestKept(now_ns, options.retention_ns);
  int64_t gone_by_ns = report->partitions + report->partitions_reduced > 0 ? now_ns : 0;
  if (oldest_ns != std::numeric_limits<int64_t>::min()) {
    // Until a partition's own last row is too old.
    const auto wait_for = [&](int64_t end_ns) {
      int64_t old_at_ns = 0;
      if (__builtin_add_overflow(end_ns, options.retention_ns, &old_at_ns)) {
        old_at_ns = std::numeric_limits<int64_t>::max() / 2;
      }
      gone_by_ns = std::max({gone_by_ns, old_at_ns, now_ns});
    };
    for (const auto& epoch : state.epochs) {
      const meta::EpochRecord& record = epoch->record();
      if (record.tiers_only || record.range.first.ns >= oldest_ns) continue;
      AddExpired(*epoch, oldest_ns, &report->expired);
      wait_for(database::EndNs({record.partition_start_ns, record.partition_ns}));
    }
    for (const auto& slab : state.slabs) {
      if (slab->partition_start_ns() >= oldest_ns) continue;
      AddExpired(*slab, oldest_ns, &report->expired);
      wait_for(database::EndNs({slab->partition_start_ns(), slab->partition_ns()}));
    }
    TM_TRY_ASSIGN(report->expired.staged_rows, StagedBefore(database, state, oldest_ns));
    report->expired.rows += report->expired.staged_rows;
    if (report->expired.staged_rows > 0) {
      const auto youngest = partition::PartitionOf(oldest_ns - 1, database::PartitionLength(options));
      for (const auto& bounds : database::FitPartitions(state, {youngest})) wait_for(bounds.end_ns);
      // They have a partition from the next checkpoint on.
      gone_by_ns = std::max(gone_by_ns, now_ns + parts_.options.checkpoint_interval_ns);
    }
  }
  if (gone_by_ns != 0) report->gone_by_ns = gone_by_ns + kLookEveryNs;
  return {};
}

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
  parts_.MakeRoom();
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
  TM_RETURN_IF_ERROR(CountExpired(*database, *state, options, &report));
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
