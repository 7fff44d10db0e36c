#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/database/merge_plan.h"
#include "storage/database/partition_epochs.h"
#include "storage/database/retention_plan.h"
#include "storage/engine/compactor.h"

namespace tidemark::storage {
namespace {

// How often the background looks for partitions to merge: they have been past for long.
constexpr int64_t kLookEveryNs = 60'000'000'000;

uint64_t NewestOf(const database::EpochList& epochs) {
  uint64_t newest = 0;
  for (const auto& epoch : epochs) newest = std::max(newest, epoch->record().epoch);
  return newest;
}

}  // namespace

database::EpochList Compactor::EpochsOf(const std::map<database::PartitionId, database::EpochList>& all,
                                        const Job& job) {
  database::EpochList epochs;
  for (const database::PartitionId& part : job.parts) {
    const auto found = all.find(part);
    if (found != all.end()) epochs.insert(epochs.end(), found->second.begin(), found->second.end());
  }
  std::sort(epochs.begin(), epochs.end(),
            [](const auto& a, const auto& b) { return a->record().precedence < b->record().precedence; });
  return epochs;
}

uint64_t Compactor::RowsPerSeries(const database::EpochList& epochs) {
  uint64_t rows = 0;
  uint64_t series = 0;
  for (const auto& epoch : epochs) {
    rows += epoch->record().rows;
    const auto [at, added] = series_of_.try_emplace(epoch->record().epoch, 0);
    if (added) {
      // What cannot be read says so when it is merged.
      if (const auto list = epoch->Series(); list.ok() && *list != nullptr) at->second = (*list)->size();
    }
    series = std::max(series, at->second);
  }
  return series == 0 ? 0 : rows / series;
}

std::vector<Compactor::Job> Compactor::PlanMerges(const database::Database& database, MergeCaller caller,
                                                  const LeftPartitions& left) {
  const std::shared_ptr<const database::DatabaseState> state = database.state();
  const std::map<database::PartitionId, database::EpochList> partitions = database::ByPartition(*state);
  std::set<database::PartitionId> staged;
  for (const auto& slab : state->slabs) staged.emplace(slab->partition_start_ns(), slab->partition_ns());
  std::map<database::PartitionId, database::MergePart> parts;
  for (const auto& [id, epochs] : partitions) {
    database::MergePart& part = parts[id];
    part.id = id;
    part.epochs = epochs.size();
    part.reduced = epochs.front()->record().tiers_only;
    for (const auto& epoch : epochs) {
      part.bytes += epoch->record().bytes;
      part.ready = part.ready && (caller == MergeCaller::kCompaction || epoch->record().sealed);
    }
    part.ready = part.ready && !part.reduced && !staged.contains(id) && !left.contains(id) &&
                 (caller == MergeCaller::kCompaction ||
                  !unfoldable_.Holds(epochs.back()->record().epoch, parts_.clock.SteadyNs()));
  }
  // Rows that have no epoch yet are in the way as well.
  for (const database::PartitionId& id : staged) parts.try_emplace(id, database::MergePart{.id = id, .ready = false});
  std::vector<database::MergePart> list;
  list.reserve(parts.size());
  for (const auto& [_, part] : parts) list.push_back(part);
  return database::PlanMerges(
      list, database.options(),
      {parts_.retention_clock.NowNs(), parts_.options.seal_grace_ns, parts_.options.longest_merge_ns},
      [&](const database::PartitionId& id) TM_REQUIRES(compact_mutex_) { return RowsPerSeries(partitions.at(id)); });
}

Result<void> Compactor::CheckMergesFit(const database::Database& database, const std::vector<Fold>& folds) {
  const std::shared_ptr<const database::DatabaseState> state = database.state();
  for (const Fold& fold : folds) {
    if (!MovesBounds(fold.kind)) continue;
    const std::set<std::shared_ptr<const partition::Epoch>> old(fold.old.begin(), fold.old.end());
    const model::TimeRange bounds{{fold.result.first}, {database::EndNs(fold.result)}};
    const auto overlaps = [&](const database::PartitionId& id) {
      return bounds.Overlaps({{id.first}, {database::EndNs(id)}});
    };
    const bool more_epochs = std::any_of(state->epochs.begin(), state->epochs.end(), [&](const auto& epoch) {
      return overlaps({epoch->record().partition_start_ns, epoch->record().partition_ns}) && !old.contains(epoch);
    });
    const bool more_slabs = std::any_of(state->slabs.begin(), state->slabs.end(), [&](const auto& slab) {
      return overlaps({slab->partition_start_ns(), slab->partition_ns()});
    });
    if (more_epochs || more_slabs)
      return MakeError(ErrorCode::kConflict, "rows came to partitions being merged or split");
  }
  return {};
}

Result<void> Compactor::MergePast() {
  ReaderLock open(parts_.open_mutex);
  // A compaction does this work already.
  if (parts_.closed || compacting_.load() || parts_.options.longest_merge_ns == 0) return {};
  MutexLock compact(compact_mutex_);
  const int64_t now_ns = parts_.clock.SteadyNs();
  if (now_ns < next_merge_look_at_ns_ || now_ns < next_seal_at_ns_) return {};
  next_merge_look_at_ns_ = now_ns + kLookEveryNs;
  std::map<PlaceOfPartition, QuietLook> looks;
  struct Due {
    DatabasePtr database;
    Job merge;
    database::EpochList epochs;
  };
  std::vector<Due> due;
  std::set<uint64_t> live;
  for (const DatabasePtr& database : parts_.databases.All()) {
    const std::map<database::PartitionId, database::EpochList> partitions = database::ByPartition(*database->state());
    for (const auto& [_, epochs] : partitions) {
      for (const auto& epoch : epochs) live.insert(epoch->record().epoch);
    }
    for (Job& merge : PlanMerges(*database, MergeCaller::kBackground, {})) {
      database::EpochList epochs = EpochsOf(partitions, merge);
      QuietLook look{NewestOf(epochs), now_ns};
      const PlaceOfPartition place{database->id(), merge.result};
      const auto before = merge_looks_.find(place);
      if (before != merge_looks_.end() && before->second.newest == look.newest) look = before->second;
      looks.emplace(place, look);
      if (now_ns - look.since_ns >= parts_.options.seal_quiet_ns)
        due.push_back({database, std::move(merge), std::move(epochs)});
    }
  }
  merge_looks_ = std::move(looks);
  std::erase_if(series_of_, [&](const auto& known) { return !live.contains(known.first); });
  if (due.empty()) return {};
  // One at a time, as with sealing; with more to do the next comes as soon as the rate lets it.
  const Due& next = due.front();
  if (due.size() > 1) next_merge_look_at_ns_ = now_ns;
  FailurePoint("merge.chosen");
  CompactionProgress done;
  std::vector<Fold> folds;
  Result<void> merged;
  auto fold = MakeFold(*next.database, next.epochs, next.merge.result, FoldKind::kMerge);
  if (!fold.ok()) {
    merged = fold.error();
  } else if (fold->has_value()) {
    folds.push_back(std::move(**fold));
    merged = CommitFolds(*next.database, std::move(folds), &done);
  }
  FailurePoint("merge.done");
  if (!merged.ok() && parts_.closing.load()) return {};
  const uint64_t rate = std::max<uint64_t>(parts_.options.seal_bytes_per_second, 1);
  next_seal_at_ns_ = parts_.clock.SteadyNs() +
                     static_cast<int64_t>(static_cast<double>(done.bytes_read) / static_cast<double>(rate) * 1e9);
  if (!fold.ok() && IsUnreadable(fold.error())) {
    NoteUnreadable(*next.database, next.epochs, fold.error());
    return {};
  }
  if (merged.ok() && done.bytes_read > 0) {
    TM_LOG(kDebug, "merged {} partitions of database {} into {}: {} bytes, now {}", next.merge.parts.size(),
           next.database->name(), next.merge.result.first, done.bytes_read, done.bytes_written);
  }
  return merged;
}

}  // namespace tidemark::storage
