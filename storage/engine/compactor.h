// Compactor: makes the past smaller. Folds epochs of one partition into one: when there are many, to seal a partition
// that is past, to free what deletions hide, and to keep of it only tiers.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/database/partition_epochs.h"
#include "storage/engine/checkpointer.h"
#include "storage/engine/deleter.h"
#include "storage/engine/store_parts.h"
#include "storage/partition/fold.h"
#include "storage/partition/partition_pages.h"

namespace tidemark::storage {

// Thread-safe.
class Compactor {
 public:
  // All outlive it.
  Compactor(StoreParts* parts, Checkpointer* checkpointer, Deleter* deleter)
      : parts_(*parts), checkpointer_(*checkpointer), deleter_(*deleter) {}

  // ---- compactor.cc ----
  // See Store::Compact.
  Result<CompactionProgress> Compact(std::string_view database, const std::stop_token& stop,
                                     const std::function<void(const CompactionProgress&)>& progress);
  // Whether somebody has asked for a compaction, which does the work of all others.
  [[nodiscard]] bool compacting() const { return compacting_.load(); }
  // Folds the newest epochs of each partition that has too many.
  Result<void> FoldCrowded();

  // ---- compactor_seal.cc ----
  // Seals one partition that is past, if there is one and the last was long enough ago.
  Result<void> SealPast();
  // How far the partition that is being sealed has come, 0 to 1.
  [[nodiscard]] double seal_progress() const;
  [[nodiscard]] std::string last_seal_error() const;  // "": the last seal succeeded

  // ---- compactor_reduce.cc ----
  // Drops the raw rows of partitions that tiers outlive, and tiers that are not kept any more. Returns of how many
  // partitions.
  Result<uint64_t> ReduceToTiers() TM_EXCLUDES(checkpointer_.flush_mutex(), compact_mutex_);

  // ---- compactor_hidden.cc ----
  // Folds partitions of which a good part is hidden.
  Result<void> FoldHidden();

 private:
  // kSeal: as small as possible, for data that is past. kReduce: to the tiers that the database keeps.
  enum class FoldKind { kFold, kSeal, kReduce };
  // One, on its way: what it reads, and what comes of it.
  struct Fold {
    database::EpochList old;
    FoldKind kind = FoldKind::kFold;
    partition::PartitionPages pages;
    meta::EpochRecord record;
  };
  // Partitions that could not be folded for want of room: how many, and what the last of them said.
  struct NoRoom {
    uint64_t times = 0;
    Result<void> result;
  };
  // Folds epochs of one partition that follow each other in precedence into one. What was sealed stays sealed.
  Result<void> FoldEpochs(database::Database& database, const database::EpochList& run, FoldKind kind,
                          CompactionProgress* progress) TM_REQUIRES(compact_mutex_);
  // The same; but damage is logged and remembered, and leaves the partition as it is: false.
  Result<bool> FoldUnlessDamaged(database::Database& database, const database::EpochList& run, FoldKind kind,
                                 CompactionProgress* progress) TM_REQUIRES(compact_mutex_);
  // Its pages, not written yet; nullopt: there is nothing to do.
  Result<std::optional<Fold>> MakeFold(const database::Database& database, const database::EpochList& old,
                                       FoldKind kind) TM_REQUIRES(compact_mutex_);
  // Makes them live, all in one change of meta. Where somebody was quicker with one of them, one by one.
  Result<void> CommitFolds(database::Database& database, std::vector<Fold> folds, CompactionProgress* progress)
      TM_REQUIRES(compact_mutex_);
  Result<void> WriteFolds(std::vector<Fold>* folds) TM_REQUIRES(compact_mutex_);
  void PublishFolds(database::Database& database, const std::vector<Fold>& folds, CompactionProgress* progress)
      TM_REQUIRES(compact_mutex_);
  // Seals so many of `partitions` from `*next` on as are worth one change of meta, and moves it on.
  Result<void> FoldBatch(database::Database& database, const std::vector<database::PartitionId>& partitions,
                         size_t* next, const std::stop_token& stop, CompactionProgress* done)
      TM_REQUIRES(compact_mutex_);
  // The same on a full disk, one by one, so that what one has replaced makes room for the next.
  Result<void> FoldWithLittleRoom(database::Database& database, std::span<const database::PartitionId> partitions,
                                  NoRoom* no_room, CompactionProgress* done) TM_REQUIRES(compact_mutex_);
  Result<void> CompactPartitions(database::Database& database, const std::stop_token& stop,
                                 const std::function<void(const CompactionProgress&)>& progress,
                                 CompactionProgress* done) TM_EXCLUDES(compact_mutex_);

  struct SealCandidate {
    DatabasePtr database;
    database::PartitionId partition;
  };
  Result<void> SealPartition(database::Database& database, const database::EpochList& epochs,
                             CompactionProgress* progress) TM_REQUIRES(compact_mutex_);
  // The partitions to seal now. Notes which are quiet, and since when.
  [[nodiscard]] std::vector<SealCandidate> SealQueue() TM_REQUIRES(compact_mutex_);
  [[nodiscard]] bool IsPast(const database::PartitionId& partition) const;

  // When FoldHidden last weighed a partition, by its newest epoch: the last deletion and the end of what retentions
  // hid.
  struct HiddenLook {
    uint64_t number = 0;
    int64_t until_ns = 0;
  };
  // Since when a partition that is past has had no newer epoch.
  struct QuietLook {
    uint64_t newest = 0;
    int64_t since_ns = 0;
  };

  StoreParts& parts_;
  Checkpointer& checkpointer_;
  Deleter& deleter_;
  std::atomic<bool> compacting_ = false;  // by Compact
  Mutex compact_mutex_;
  // Epochs whose fold found damage, by the newest one: not tried again until the partition has a newer one.
  std::set<uint64_t> unfoldable_ TM_GUARDED_BY(compact_mutex_);
  std::map<uint64_t, HiddenLook> hidden_looks_ TM_GUARDED_BY(compact_mutex_);
  std::map<std::pair<model::DatabaseId, database::PartitionId>, QuietLook> quiet_looks_ TM_GUARDED_BY(compact_mutex_);
  int64_t next_seal_at_ns_ TM_GUARDED_BY(compact_mutex_) = 0;
  partition::FoldProgress seal_progress_;  // of the partition being sealed
  mutable Mutex seal_result_mutex_;
  std::string last_seal_error_ TM_GUARDED_BY(seal_result_mutex_);
};

}  // namespace tidemark::storage
