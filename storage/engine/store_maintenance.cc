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

constexpr int64_t kRetentionIntervalNs = 60'000'000'000;
constexpr int64_t kSelfTestIntervalNs = 1'000'000'000;
constexpr int64_t kMemoryIntervalNs = 5'000'000'000;
// Pages are read ten times as fast as heads. So when a load is over (less than a hundredth came in the last second)
// what it left in the heads is made into slabs, provided that it is worth a slab.
constexpr int64_t kIdleNs = 1'000'000'000;
constexpr uint64_t kIdleGrowth = 100;
constexpr uint64_t kIdleShare = 24;
// What must fit on the disk before writes are taken again.
constexpr uint64_t kSelfTestBytes = uint64_t{1} << 20;
constexpr std::chrono::milliseconds kLongestSleep{200};
constexpr std::chrono::milliseconds kShortestSleep{1};

}  // namespace

bool StoreImpl::CheckpointDue() const {
  const uint64_t points = points_since_checkpoint_.load(std::memory_order_relaxed);
  if (points == 0) return false;
  return points >= options_.checkpoint_points ||
         clock_.SteadyNs() - last_checkpoint_at_ns_.load() >= options_.checkpoint_interval_ns;
}

bool StoreImpl::IsIdle() {
  const int64_t now_ns = clock_.SteadyNs();
  if (now_ns - idle_looked_at_ns_ < kIdleNs) return false;
  const uint64_t points = counters_.points_written.load(std::memory_order_relaxed);
  const uint64_t bytes = HeadBytes();
  const bool idle = bytes >= options_.staged_bytes / kIdleShare && bytes != 0 &&
                    (points - idle_points_) * kIdleGrowth <= points_since_checkpoint_.load(std::memory_order_relaxed);
  idle_looked_at_ns_ = now_ns;
  idle_points_ = points;
  return idle;
}

Result<void> StoreImpl::TryResume() {
  if (!health_.DueForTest(clock_.SteadyNs(), kSelfTestIntervalNs)) return {};
  TM_RETURN_IF_ERROR(rocks_->SelfTest(options_.directory + "/staging/self-test", kSelfTestBytes));
  TM_RETURN_IF_ERROR(rocks_->Recover());
  TM_RETURN_IF_ERROR(meta_->Settle());
  // A record without content: only writing shows that the journal can write.
  TM_TRY_ASSIGN(const uint64_t sequence, journal_->Append([this](uint64_t next, std::string* out) {
    MutexLock order(order_mutex_);
    last_sequence_ = next;
    database::EncodeRecord({}, out);
  }));
  TM_RETURN_IF_ERROR(journal_->WaitDurable(sequence));
  health_.Clear();
  return {};
}

Result<void> StoreImpl::SyncByInterval() {
  ReaderLock open(open_mutex_);
  if (closed_) return {};
  bool unsynced = false;
  for (const DatabasePtr& database : AllDatabases()) unsynced |= database->unsynced.exchange(false);
  if (!unsynced) return {};
  auto synced = journal_->Sync();
  if (!synced.ok()) health_.Report(synced.error());
  return synced;
}

void StoreImpl::ReturnFreeMemory() {
  if (clock_.SteadyNs() - memory_looked_at_ns_ < kMemoryIntervalNs) return;
  memory_looked_at_ns_ = clock_.SteadyNs();
  const uint64_t checkpoints = counters_.checkpoints.load();
  const bool released = blocks_->ReleaseUnused() > 0;
  if (!released && checkpoints == memory_checkpoints_) return;
  memory_checkpoints_ = checkpoints;
#ifdef __GLIBC__
  // What a checkpoint frees lies scattered over the arenas of many threads; malloc gives back their ends only.
  malloc_trim(0);
#endif
}

Result<void> StoreImpl::RunMaintenance() {
  TM_RETURN_IF_ERROR(KeepUp());
  return FoldAndSeal();
}

Result<void> StoreImpl::KeepUp() {
  {
    ReaderLock open(open_mutex_);
    if (closed_) return MakeError(ErrorCode::kUnavailable, "the store is closed");
    if (health_.Refusal().has_value()) TM_RETURN_IF_ERROR(TryResume());
  }
  TM_RETURN_IF_ERROR(SyncByInterval());
  if (HeadBytes() >= options_.staged_bytes || IsIdle()) TM_RETURN_IF_ERROR(FreezeFull());
  if (!health_.Refusal().has_value() && CheckpointDue()) TM_RETURN_IF_ERROR(Checkpoint());
  if (clock_.SteadyNs() - last_retention_at_ns_.load() >= kRetentionIntervalNs) {
    last_retention_at_ns_.store(clock_.SteadyNs());
    auto dropped = DropExpired();
    if (!dropped.ok()) return std::move(dropped).error();
  }
  DropDeadFiles();
  ReturnFreeMemory();
  return {};
}

Result<void> StoreImpl::FoldAndSeal() {
  if (health_.Refusal().has_value()) return {};
  TM_RETURN_IF_ERROR(FoldCrowded());
  if (clock_.SteadyNs() - last_hidden_look_at_ns_.load() >= kRetentionIntervalNs) {
    last_hidden_look_at_ns_.store(clock_.SteadyNs());
    TM_RETURN_IF_ERROR(FoldHidden());
  }
  if (clock_.SteadyNs() - last_reduction_at_ns_.load() >= kRetentionIntervalNs && !compacting_.load()) {
    last_reduction_at_ns_.store(clock_.SteadyNs());
    auto reduced = ReduceToTiers();
    if (!reduced.ok()) return std::move(reduced).error();
  }
  TM_RETURN_IF_ERROR(SealPast());
  DropDeadFiles();
  return {};
}

void StoreImpl::RunFolding(const std::stop_token& stop) {
  std::string last_error;
  while (!stop.stop_requested()) {
    {
      MutexLock lock(wake_mutex_);
      if (!stop.stop_requested()) fold_wake_.WaitFor(wake_mutex_, kLongestSleep);
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
    for (const DatabasePtr& database : AllDatabases()) {
      const int64_t interval_ns = database->options().sync_interval_ns;
      if (interval_ns > 0) sleep = std::min(sleep, std::chrono::nanoseconds(interval_ns));
    }
    {
      MutexLock lock(wake_mutex_);
      if (!wanted_ && !stop.stop_requested()) {
        wake_.WaitFor(wake_mutex_, std::max<std::chrono::nanoseconds>(sleep, kShortestSleep));
      }
      wanted_ = false;
    }
    if (stop.stop_requested()) break;
    auto done = KeepUp();
    // The same failure again and again is one line.
    const std::string error = done.ok() ? std::string() : done.error().message;
    if (!error.empty() && error != last_error) TM_LOG(kError, "background work: {}", error);
    last_error = error;
  }
}

void StoreImpl::StopBackground() {
  background_.request_stop();
  folding_.request_stop();
  {
    MutexLock lock(wake_mutex_);
    wanted_ = true;
    wake_.NotifyAll();
    fold_wake_.NotifyAll();
    slabs_made_.NotifyAll();
  }
  if (background_.joinable()) background_.join();
  if (folding_.joinable()) folding_.join();
}

StoreStats StoreImpl::Stats() const {
  StoreStats stats;
  stats.rows_written = counters_.rows_written.load();
  stats.points_written = counters_.points_written.load();
  stats.rows_rejected = counters_.rows_rejected.load();
  {
    ReaderLock open(open_mutex_);
    if (journal_ != nullptr) {
      const journal::JournalStats journal = journal_->Stats();
      stats.journal_bytes_written = journal.bytes_written;
      stats.journal_syncs = journal.syncs;
      stats.journal_live_bytes = journal.live_bytes;
    }
  }
  std::set<std::pair<model::DatabaseId, std::pair<int64_t, int64_t>>> partitions;
  for (const DatabasePtr& database : AllDatabases()) {
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
  const uint64_t loaded = counters_.series_loaded.load();
  stats.series_created = stats.series > loaded ? stats.series - loaded : 0;
  stats.checkpoints = counters_.checkpoints.load();
  stats.checkpoint_failures = counters_.checkpoint_failures.load();
  stats.corrupt_pages = corrupt_pages_->load();
  stats.last_checkpoint_ns = counters_.last_checkpoint_ns.load();
  stats.recovery_ns = counters_.recovery_ns.load();
  stats.recovered_points = counters_.recovered_points.load();
  stats.seals = counters_.seals.load();
  stats.seal_failures = counters_.seal_failures.load();
  stats.seal_queue = counters_.seal_queue.load();
  stats.seal_bytes_read = counters_.seal_bytes_read.load();
  stats.seal_bytes_written = counters_.seal_bytes_written.load();
  stats.last_seal_ns = counters_.last_seal_ns.load();
  if (const uint64_t total = seal_progress_.series_total.load(); total != 0) {
    stats.seal_progress = static_cast<double>(seal_progress_.series_done.load()) / static_cast<double>(total);
  }
  {
    MutexLock lock(seal_result_mutex_);
    stats.last_seal_error = last_seal_error_;
  }
  if (const auto refusal = health_.Refusal(); refusal.has_value()) {
    stats.read_only = true;
    stats.read_only_reason = refusal->message;
  }
  return stats;
}

}  // namespace tidemark::storage
