#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/base/text/instant.h"
#include "storage/database/partition_epochs.h"
#include "storage/database/retention_plan.h"
#include "storage/engine/compactor.h"

namespace tidemark::storage {
namespace {

// Late data is worth rewriting a sealed partition when it makes this many epochs, or more than one row in so many.
constexpr size_t kLateEpochs = 4;
constexpr uint64_t kLateShare = 20;

// Whether sealing would change anything worth its cost. `tiers`: that the database names and keeps of the partition.
bool WorthSealing(const database::EpochList& epochs, const std::vector<RollupTier>& tiers) {
  if (epochs.front()->record().tiers_only) return false;
  uint64_t sealed_rows = 0;
  uint64_t late_rows = 0;
  for (const auto& epoch : epochs) (epoch->record().sealed ? sealed_rows : late_rows) += epoch->record().rows;
  if (sealed_rows == 0) return true;
  // Its list of pages, made anew of the pages, is written with them.
  if (std::any_of(epochs.begin(), epochs.end(), [](const auto& epoch) { return !epoch->DirectoryDamage().empty(); }))
    return true;
  // A tier that was named after the partition had been sealed.
  if (std::any_of(epochs.begin(), epochs.end(), [&](const auto& epoch) { return !database::HasTiers(*epoch, tiers); }))
    return true;
  return epochs.size() >= kLateEpochs || late_rows * kLateShare > sealed_rows;
}

}  // namespace

bool Compactor::IsPast(const database::PartitionId& partition) const {
  int64_t ready_ns = 0;
  return !__builtin_add_overflow(partition.first + (partition.second - 1), parts_.options.seal_grace_ns, &ready_ns) &&
         ready_ns < parts_.retention_clock.NowNs();
}

std::vector<Compactor::SealCandidate> Compactor::SealQueue() {
  const int64_t now_ns = parts_.clock.SteadyNs();
  std::map<std::pair<model::DatabaseId, database::PartitionId>, QuietLook> looks;
  std::vector<SealCandidate> due;
  for (const DatabasePtr& database : parts_.databases.All()) {
    const std::shared_ptr<const database::DatabaseState> state = database->state();
    const DatabaseOptions options = database->options();
    std::set<database::PartitionId> staged;
    for (const auto& slab : state->slabs) staged.emplace(slab->partition_start_ns(), slab->partition_ns());
    for (auto& [partition, epochs] : database::ByPartition(*state)) {
      if (!IsPast(partition) ||
          !WorthSealing(epochs, database::LivingTiers(options, partition, parts_.retention_clock.NowNs())))
        continue;
      const uint64_t newest = epochs.back()->record().epoch;
      if (unfoldable_.Holds(newest, now_ns)) continue;
      const auto key = std::make_pair(database->id(), partition);
      const auto before = quiet_looks_.find(key);
      QuietLook look{newest, now_ns};
      if (before != quiet_looks_.end() && before->second.newest == newest) look = before->second;
      looks.emplace(key, look);
      if (staged.contains(partition) || now_ns - look.since_ns < parts_.options.seal_quiet_ns) continue;
      due.push_back({database, partition});
    }
  }
  quiet_looks_ = std::move(looks);
  return due;
}

Result<void> Compactor::SealPast() {
  ReaderLock open(parts_.open_mutex);
  // A compaction does this work already.
  if (parts_.closed || compacting_.load()) return {};
  MutexLock compact(compact_mutex_);
  const std::vector<SealCandidate> queue = SealQueue();
  parts_.counters.seal_queue.store(queue.size());
  if (queue.empty() || parts_.clock.SteadyNs() < next_seal_at_ns_) return {};
  // The oldest first, and one at a time: writes, checkpoints and deletions get their turn in between.
  const SealCandidate& next = *std::min_element(queue.begin(), queue.end(),
                                                [](const auto& a, const auto& b) { return a.partition < b.partition; });
  CompactionProgress done;
  auto sealed = SealPartition(*next.database, database::ByPartition(*next.database->state())[next.partition], &done);
  const uint64_t rate = std::max<uint64_t>(parts_.options.seal_bytes_per_second, 1);
  next_seal_at_ns_ = parts_.clock.SteadyNs() +
                     static_cast<int64_t>(static_cast<double>(done.bytes_read) / static_cast<double>(rate) * 1e9);
  parts_.counters.seal_queue.store(queue.size() - 1);
  return sealed;
}

Result<void> Compactor::SealPartition(database::Database& database, const database::EpochList& epochs,
                                      CompactionProgress* progress) {
  if (epochs.empty()) return {};
  const int64_t started_ns = parts_.clock.SteadyNs();
  const int64_t start_ns = epochs.front()->record().partition_start_ns;
  const uint64_t read_before = progress->bytes_read;
  const uint64_t written_before = progress->bytes_written;
  FailurePoint("seal.chosen");
  auto sealed = FoldUnlessUnreadable(database, epochs, FoldKind::kSeal, progress);
  FailurePoint("seal.done");
  // It stays due, and begins anew after the next start.
  if (!sealed.ok() && parts_.closing.load()) return {};
  parts_.counters.last_seal_ns.store(parts_.clock.SteadyNs() - started_ns);
  parts_.counters.seal_bytes_read.fetch_add(progress->bytes_read - read_before);
  parts_.counters.seal_bytes_written.fetch_add(progress->bytes_written - written_before);
  const bool done = sealed.ok() && *sealed;
  {
    MutexLock lock(seal_result_mutex_);
    last_seal_error_ = done          ? std::string()
                       : sealed.ok() ? fmt::format("partition {} cannot be read", text::PrintSecond(start_ns))
                                     : sealed.error().message;
  }
  if (done) {
    parts_.counters.seals.fetch_add(1);
    TM_LOG(kDebug, "sealed partition {} of database {}: {} epochs, {} bytes, now {}", start_ns, database.name(),
           epochs.size(), progress->bytes_read - read_before, progress->bytes_written - written_before);
    return {};
  }
  parts_.counters.seal_failures.fetch_add(1);
  if (!sealed.ok()) return std::move(sealed).error();
  return {};
}

double Compactor::seal_progress() const {
  const uint64_t total = seal_progress_.bytes_total.load();
  return total == 0 ? 0 : static_cast<double>(seal_progress_.bytes_done.load()) / static_cast<double>(total);
}

std::string Compactor::last_seal_error() const {
  MutexLock lock(seal_result_mutex_);
  return last_seal_error_;
}

}  // namespace tidemark::storage
