#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/database/partition_epochs.h"
#include "storage/database/retention_plan.h"
#include "storage/engine/compactor.h"

namespace tidemark::storage {

Result<uint64_t> Compactor::ReduceToTiers() {
  ReaderLock open(parts_.open_mutex);
  if (parts_.closed) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  TM_RETURN_IF_ERROR(parts_.CheckMayWrite());
  std::vector<std::pair<DatabasePtr, database::PartitionId>> due;
  for (const DatabasePtr& database : parts_.databases.All()) {
    const database::RetentionPlan plan =
        database::PlanPartitions(*database->state(), database->options(), parts_.retention_clock.NowNs());
    for (const auto& [partition, _] : plan.reduce) due.emplace_back(database, partition);
  }
  if (due.empty()) return 0;
  {
    // From here on no row gets a place in line that would belong there; what has one is made part of epochs.
    MutexLock flush(checkpointer_.flush_mutex());
    parts_.line.Hold([&due] {
      for (const auto& [database, id] : due) database->RaiseRawFloor(database::EndNs(id) + 1);
    });
    FailurePoint("reduce.chosen");
    TM_RETURN_IF_ERROR(checkpointer_.CheckpointLocked());
  }
  uint64_t reduced = 0;
  {
    MutexLock compact(compact_mutex_);
    for (const auto& [database, partition] : due) {
      // Read anew each time: retention or a drop may have been quicker, and a state that is kept would keep epochs.
      const database::EpochList epochs = database::ByPartition(*database->state())[partition];
      if (epochs.empty() || unfoldable_.Holds(epochs.back()->record().epoch, parts_.clock.SteadyNs())) continue;
      if (parts_.closing.load()) return reduced;
      CompactionProgress done;
      auto folded = FoldUnlessUnreadable(*database, epochs, FoldKind::kReduce, &done);
      if (!folded.ok() && parts_.closing.load()) return reduced;
      if (!folded.ok()) return std::move(folded).error();
      if (!*folded) continue;
      ++reduced;
      TM_LOG(kInfo, "retention reduced partition {} of database {} to tiers: {} bytes, now {}", partition.first,
             database->name(), done.bytes_read, done.bytes_written);
    }
  }
  FailurePoint("reduce.done");
  checkpointer_.DropDeadFiles();
  return reduced;
}

}  // namespace tidemark::storage
