#include <algorithm>
#include <memory>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/base/text/instant.h"
#include "storage/database/partition_epochs.h"
#include "storage/database/retention_plan.h"
#include "storage/engine/compactor.h"

namespace tidemark::storage {
namespace {

// A partition that is 64 times as long as others is split twice until a piece is as long as they are.
constexpr int kRounds = 2;

}  // namespace

Result<uint64_t> Compactor::SplitOld() {
  ReaderLock open(parts_.open_mutex);
  if (parts_.closed) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  TM_RETURN_IF_ERROR(parts_.CheckMayWrite());
  uint64_t split = 0;
  for (const DatabasePtr& database : parts_.databases.All()) {
    for (int round = 0; round < kRounds; ++round) {
      MutexLock compact(compact_mutex_);
      const std::set<database::PartitionId> due =
          database::PlanPartitions(*database->state(), database->options(), parts_.retention_clock.NowNs()).split;
      uint64_t done = 0;
      for (const database::PartitionId& partition : due) {
        if (parts_.closing.load()) return split;
        TM_TRY_ASSIGN(const bool whole, SplitPartition(*database, partition));
        done += whole ? 1 : 0;
      }
      split += done;
      if (done == 0) break;
    }
  }
  if (split > 0) checkpointer_.DropDeadFiles();
  return split;
}

Result<bool> Compactor::SplitPartition(database::Database& database, const database::PartitionId& partition) {
  // Read anew each time: a state that is kept would keep epochs.
  const std::shared_ptr<const database::DatabaseState> state = database.state();
  // Late rows that are in memory come to it with the next checkpoint, and what is made now would not be taken then.
  const bool awaits_rows = std::any_of(state->slabs.begin(), state->slabs.end(), [&](const auto& slab) {
    return database::PartitionId{slab->partition_start_ns(), slab->partition_ns()} == partition;
  });
  if (awaits_rows) return false;
  const database::EpochList epochs = database::ByPartition(*state)[partition];
  if (epochs.empty() || unfoldable_.Holds(epochs.back()->record().epoch, parts_.clock.SteadyNs())) return false;
  FailurePoint("split.chosen");
  std::vector<Fold> folds;
  uint64_t pieces = 0;
  for (const database::PartitionId& piece :
       database::PiecesOf(partition, database.options(), parts_.retention_clock.NowNs())) {
    auto fold = MakeFold(database, epochs, piece, FoldKind::kSplit);
    if (!fold.ok() && IsUnreadable(fold.error())) {
      NoteUnreadable(database, epochs, fold.error());
      return false;
    }
    if (!fold.ok()) return std::move(fold).error();
    if (fold->has_value()) folds.push_back(std::move(**fold));
    ++pieces;
  }
  FailurePoint("split.pieces_made");
  CompactionProgress done;
  TM_RETURN_IF_ERROR(CommitFolds(database, std::move(folds), &done));
  // Where rows came to it meanwhile, it is done the next time.
  if (done.bytes_read == 0) return false;
  FailurePoint("split.done");
  parts_.counters.splits.fetch_add(1);
  TM_LOG(kInfo, "retention split partition {} of database {} into {}: {} bytes, now {}",
         text::PrintSecond(partition.first), database.name(), pieces, done.bytes_read, done.bytes_written);
  return true;
}

}  // namespace tidemark::storage
