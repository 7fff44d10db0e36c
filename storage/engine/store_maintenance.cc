#include <fmt/core.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "storage/base/log.h"
#include "storage/database/journal_record.h"
#include "storage/engine/store_impl.h"

namespace tidemark::storage {
namespace {

// Of splitting and dropping by one ApplyRetention; what is left is done the next time.
constexpr int kSplitRounds = 16;

constexpr int64_t kRetentionIntervalNs = 60'000'000'000;
constexpr int64_t kMemoryIntervalNs = 5'000'000'000;
// Pages are read ten times as fast as heads. So when a load is over (less than a hundredth came in the last second)
// what it left in the heads is made into slabs, provided that it is worth a slab.
constexpr int64_t kIdleNs = 1'000'000'000;
constexpr uint64_t kIdleGrowth = 100;
constexpr uint64_t kIdleShare = 24;
constexpr std::chrono::milliseconds kLongestSleep{200};
constexpr std::chrono::milliseconds kShortestSleep{1};

}  // namespace

bool StoreImpl::IsIdle() {
  const int64_t now_ns = parts_.clock.SteadyNs();
  if (now_ns - idle_looked_at_ns_ < kIdleNs) return false;
  const uint64_t points = parts_.counters.points_written.load(std::memory_order_relaxed);
  const uint64_t bytes = parts_.HeadBytes();
  const bool idle =
      bytes >= parts_.heads.budget_bytes() / kIdleShare && bytes != 0 &&
      (points - idle_points_) * kIdleGrowth <= parts_.points_since_checkpoint.load(std::memory_order_relaxed);
  idle_looked_at_ns_ = now_ns;
  idle_points_ = points;
  return idle;
}

Result<void> StoreImpl::SyncByInterval() {
  ReaderLock open(parts_.open_mutex);
  if (parts_.closed) return {};
  bool unsynced = false;
  for (const DatabasePtr& database : parts_.databases.All()) unsynced |= database->unsynced.exchange(false);
  if (!unsynced) return {};
  auto synced = parts_.journal->Sync();
  if (!synced.ok()) parts_.health.Report(synced.error());
  return synced;
}

void StoreImpl::ReturnFreeMemory() {
  if (parts_.clock.SteadyNs() - memory_looked_at_ns_ < kMemoryIntervalNs) return;
  memory_looked_at_ns_ = parts_.clock.SteadyNs();
  const uint64_t checkpoints = parts_.counters.checkpoints.load();
  const bool released = parts_.blocks->ReleaseUnused() > 0;
  if (!released && checkpoints == memory_checkpoints_) return;
  memory_checkpoints_ = checkpoints;
#ifdef __GLIBC__
  // What a checkpoint frees lies scattered over the arenas of many threads; malloc gives back their ends only.
  malloc_trim(0);
#endif
}

Result<uint64_t> StoreImpl::ApplyRetention() {
  auto reduced = compactor_.ReduceToTiers();
  // Where that found no room, what is dropped makes some.
  const auto no_room = [](const auto& result) {
    return !result.ok() && result.error().code == ErrorCode::kResourceExhausted;
  };
  const bool again = no_room(reduced);
  if (!reduced.ok() && !again) return reduced;
  TM_TRY_ASSIGN(uint64_t dropped, expiry_.DropExpired());
  // What goes of a merged partition are pieces; behind them the next one may have some.
  for (int round = 0; round < kSplitRounds; ++round) {
    const auto split = compactor_.SplitOld();
    if (!split.ok() && !no_room(split)) return split;
    if (!split.ok() || *split == 0) break;
    TM_TRY_ASSIGN(const uint64_t pieces, expiry_.DropExpired());
    dropped += pieces;
  }
  if (again) reduced = compactor_.ReduceToTiers();
  if (!reduced.ok()) return reduced;
  return *reduced + dropped;
}

Result<void> StoreImpl::RunMaintenance() {
  TM_RETURN_IF_ERROR(KeepUp());
  return FoldAndSeal();
}

Result<void> StoreImpl::KeepUp() {
  // First, whatever else fails: writers wait for it.
  if (parts_.HeadBytes() >= parts_.heads.budget_bytes() || IsIdle()) {
    TM_RETURN_IF_ERROR(checkpointer_.FreezeFull());
  } else {
    parts_.heads.SlabsMade(parts_.HeadBytes());
  }
  {
    ReaderLock open(parts_.open_mutex);
    if (parts_.closed) return MakeError(ErrorCode::kUnavailable, "the store is closed");
    if (!parts_.read_only) TM_RETURN_IF_ERROR(KeepWatermark());
    if (parts_.health.Refusal().has_value()) TM_RETURN_IF_ERROR(parts_.TryResume());
    KeepClock();
    if (!parts_.read_only) parts_.KeepReserve();
  }
  TM_RETURN_IF_ERROR(SyncByInterval());
  if (parts_.read_only) return {};
  if (!parts_.health.Refusal().has_value() && checkpointer_.Due()) TM_RETURN_IF_ERROR(checkpointer_.Checkpoint());
  if (parts_.clock.SteadyNs() - last_retention_at_ns_.load() >= kRetentionIntervalNs) {
    last_retention_at_ns_.store(parts_.clock.SteadyNs());
    auto dropped = expiry_.DropExpired();
    if (!dropped.ok()) return std::move(dropped).error();
  }
  checkpointer_.DropDeadFiles();
  ReturnFreeMemory();
  return {};
}

Result<void> StoreImpl::FoldAndSeal() {
  if (parts_.health.Refusal().has_value()) {
    // Of all this only what frees room: somebody deletes on a full disk.
    if (!parts_.reserve.in_use()) return {};
    TM_RETURN_IF_ERROR(compactor_.FoldHidden());
    checkpointer_.DropDeadFiles();
    return {};
  }
  TM_RETURN_IF_ERROR(compactor_.FoldCrowded());
  if (parts_.clock.SteadyNs() - last_hidden_look_at_ns_.load() >= kRetentionIntervalNs) {
    last_hidden_look_at_ns_.store(parts_.clock.SteadyNs());
    TM_RETURN_IF_ERROR(compactor_.FoldHidden());
  }
  if (parts_.clock.SteadyNs() - last_reduction_at_ns_.load() >= kRetentionIntervalNs && !compactor_.compacting()) {
    last_reduction_at_ns_.store(parts_.clock.SteadyNs());
    auto reduced = compactor_.ReduceToTiers();
    if (!reduced.ok()) return std::move(reduced).error();
    // On a disk that is too full for it, what goes whole makes room.
    auto split = compactor_.SplitOld();
    if (!split.ok() && split.error().code != ErrorCode::kResourceExhausted) return std::move(split).error();
  }
  TM_RETURN_IF_ERROR(compactor_.SealPast());
  TM_RETURN_IF_ERROR(compactor_.MergePast());
  checkpointer_.DropDeadFiles();
  return {};
}

void StoreImpl::RunFolding(const std::stop_token& stop) {
  std::string last_error;
  while (!stop.stop_requested()) {
    {
      MutexLock lock(fold_mutex_);
      if (!stop.stop_requested()) fold_wake_.WaitFor(fold_mutex_, kLongestSleep);
    }
    if (stop.stop_requested()) break;
    auto done = FoldAndSeal();
    if (stop.stop_requested()) break;
    const std::string error = done.ok() ? std::string() : done.error().message;
    if (!error.empty() && error != last_error) TM_LOG(kError, "folding: {}", error);
    last_error = error;
  }
}

void StoreImpl::RunBackground(const std::stop_token& stop) {
  std::string last_error;
  while (!stop.stop_requested()) {
    std::chrono::nanoseconds sleep = kLongestSleep;
    for (const DatabasePtr& database : parts_.databases.All()) {
      const int64_t interval_ns = database->options().sync_interval_ns;
      if (interval_ns > 0) sleep = std::min(sleep, std::chrono::nanoseconds(interval_ns));
    }
    parts_.heads.WaitUntilAsked(std::max<std::chrono::nanoseconds>(sleep, kShortestSleep), stop);
    if (stop.stop_requested()) break;
    auto done = KeepUp();
    if (stop.stop_requested()) break;
    // The same failure again and again is one line.
    const std::string error = done.ok() ? std::string() : done.error().message;
    if (!error.empty() && error != last_error) TM_LOG(kError, "background work: {}", error);
    last_error = error;
  }
}

void StoreImpl::StartBackground() {
  writer_.SetBackground(true);
  background_ = std::jthread([this](const std::stop_token& stop) { RunBackground(stop); });
  folding_ = std::jthread([this](const std::stop_token& stop) { RunFolding(stop); });
}

void StoreImpl::StopBackground() {
  background_.request_stop();
  folding_.request_stop();
  parts_.heads.WakeAll();
  {
    MutexLock lock(fold_mutex_);
    fold_wake_.NotifyAll();
  }
  if (background_.joinable()) background_.join();
  if (folding_.joinable()) folding_.join();
}

StoreStats StoreImpl::Stats() const {
  StoreStats stats;
  stats.rows_written = parts_.counters.rows_written.load();
  stats.points_written = parts_.counters.points_written.load();
  stats.rows_rejected = parts_.counters.rows_rejected.load();
  {
    ReaderLock open(parts_.open_mutex);
    if (parts_.journal != nullptr) {
      const journal::JournalStats journal = parts_.journal->Stats();
      stats.journal_bytes_written = journal.bytes_written;
      stats.journal_syncs = journal.syncs;
      stats.journal_live_bytes = journal.live_bytes;
    }
  }
  std::set<std::pair<model::DatabaseId, std::pair<int64_t, int64_t>>> partitions;
  for (const DatabasePtr& database : parts_.databases.All()) {
    const std::shared_ptr<const database::DatabaseState> state = database->state();
    stats.staged_bytes += state->live->heads().Stats().bytes;
    for (const auto& set : state->frozen) stats.staged_bytes += set->heads().Stats().bytes;
    for (const auto& slab : state->slabs) stats.slab_bytes += slab->bytes();
    for (const auto& epoch : state->epochs) {
      const meta::EpochRecord& record = epoch->record();
      stats.disk_bytes += record.bytes;
      if (record.sealed) ++stats.sealed_epochs;
      partitions.emplace(record.database, std::make_pair(record.partition_start_ns, record.partition_ns));
    }
    stats.epochs += state->epochs.size();
    stats.series += database->index().Stats().series;
  }
  stats.partitions = partitions.size();
  const uint64_t loaded = parts_.counters.series_loaded.load();
  stats.series_created = stats.series > loaded ? stats.series - loaded : 0;
  stats.checkpoints = parts_.counters.checkpoints.load();
  stats.checkpoint_failures = parts_.counters.checkpoint_failures.load();
  stats.corrupt_pages = parts_.corrupt_pages->load();
  stats.last_checkpoint_ns = parts_.counters.last_checkpoint_ns.load();
  stats.recovery_ns = parts_.counters.recovery_ns.load();
  stats.longest_write_wait_rounds = parts_.heads.longest_wait();
  stats.recovered_points = parts_.counters.recovered_points.load();
  stats.seals = parts_.counters.seals.load();
  stats.seal_failures = parts_.counters.seal_failures.load();
  stats.seal_queue = parts_.counters.seal_queue.load();
  stats.seal_bytes_read = parts_.counters.seal_bytes_read.load();
  stats.seal_bytes_written = parts_.counters.seal_bytes_written.load();
  stats.last_seal_ns = parts_.counters.last_seal_ns.load();
  stats.merges = parts_.counters.merges.load();
  stats.partitions_merged = parts_.counters.partitions_merged.load();
  stats.splits = parts_.counters.splits.load();
  stats.partitions_left = compactor_.partitions_left();
  stats.fold_memory_peak_bytes = compactor_.memory_peak();
  stats.seal_progress = compactor_.seal_progress();
  stats.last_seal_error = compactor_.last_seal_error();
  stats.reserve_bytes = parts_.reserve.bytes();
  stats.reserve_wanted_bytes = parts_.reserve.wanted_bytes();
  stats.reserve_in_use = parts_.reserve.in_use();
  if (const auto refusal = parts_.health.Refusal(); refusal.has_value()) {
    stats.read_only = true;
    stats.read_only_reason = refusal->message;
    if (stats.reserve_in_use) {
      stats.read_only_reason += fmt::format(
          "; the reserve is in use: drop, delete or compact, or make room of {} bytes for it, and writes come back",
          stats.reserve_wanted_bytes);
    }
  }
  return stats;
}

}  // namespace tidemark::storage
