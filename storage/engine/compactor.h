// Compactor: makes the past smaller. Folds epochs of one partition into one: when there are many, to seal a partition
// that is past, to free what deletions hide, and to keep of it only tiers; and those of several old partitions into one
// of a longer one.
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

#include "storage/database/merge_plan.h"
#include "storage/database/partition_epochs.h"
#include "storage/database/unfoldable.h"
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
  // See Store::Compact. What cannot be read of one partition keeps none of the others from being folded.
  Result<CompactionProgress> Compact(std::string_view database, const std::stop_token& stop,
                                     const std::function<void(const CompactionProgress&)>& progress);
  // Whether somebody has asked for a compaction, which does the work of all others.
  [[nodiscard]] bool compacting() const { return compacting_.load(); }
  // How many partitions stay as they are because something of them cannot be read.
  [[nodiscard]] uint64_t partitions_left() const;
  // Folds the newest epochs of each partition that has too many.
  Result<void> FoldCrowded();

  // ---- compactor_seal.cc ----
  // Seals one partition that is past, if there is one and the last was long enough ago.
  Result<void> SealPast();
  // How far the partition that is being sealed has come, 0 to 1.
  [[nodiscard]] double seal_progress() const;
  [[nodiscard]] std::string last_seal_error() const;  // "": the last seal succeeded

  // ---- compactor_merge.cc ----
  // Merges old partitions into a longer one, if there are some that have been quiet, and the last fold of what is past
  // was long enough ago.
  Result<void> MergePast() TM_EXCLUDES(checkpointer_.flush_mutex(), compact_mutex_);
  // The most working memory that a fold has taken, in bytes.
  [[nodiscard]] uint64_t memory_peak() const { return memory_.peak(); }

  // ---- compactor_reduce.cc ----
  // Drops the raw rows of partitions that tiers outlive, and tiers that are not kept any more. Returns of how many
  // partitions.
  Result<uint64_t> ReduceToTiers() TM_EXCLUDES(checkpointer_.flush_mutex(), compact_mutex_);

  // ---- compactor_split.cc ----
  // Splits merged partitions of which retentions take a part, so that this part can go. Returns how many.
  Result<uint64_t> SplitOld() TM_EXCLUDES(checkpointer_.flush_mutex(), compact_mutex_);

  // ---- compactor_hidden.cc ----
  // Folds partitions of which a good part is hidden.
  Result<void> FoldHidden();

 private:
  // kSeal: as small as possible, for data that is past. kMerge: the same, of several partitions. kSplit: the same, a
  // piece of one. kReduce: to the tiers that the database keeps.
  enum class FoldKind { kFold, kSeal, kMerge, kSplit, kReduce };
  // Whether what it makes has other bounds than what it is made of.
  static bool MovesBounds(FoldKind kind) { return kind == FoldKind::kMerge || kind == FoldKind::kSplit; }
  // One, on its way: what it reads, and what comes of it.
  struct Fold {
    database::EpochList old;
    database::PartitionId result;
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
  // The same; but what cannot be read is noted, and leaves the partition as it is: false.
  Result<bool> FoldUnlessUnreadable(database::Database& database, const database::EpochList& run, FoldKind kind,
                                    CompactionProgress* progress) TM_REQUIRES(compact_mutex_);
  // Whether a fold that ended with `error` could not read what it was made of. Whoever meets that goes on with others.
  [[nodiscard]] bool IsUnreadable(const Error& error) const;
  // Partitions that were passed over, and why.
  using LeftPartitions = std::map<database::PartitionId, std::string>;
  // Notes which of the partitions that `epochs` are of cannot be read: those that have damaged pages, which become
  // findings; all of them where none is found. They are tried again when they have changed, or, after an error of the
  // disk, later.
  LeftPartitions NoteUnreadable(const database::Database& database, const database::EpochList& epochs,
                                const Error& error) TM_REQUIRES(compact_mutex_);
  // Its pages, not written yet; nullopt: there is nothing to do. `old`: all epochs of the partition `result`, or of the
  // partitions that become it. kCancelled once `stop` is asked.
  Result<std::optional<Fold>> MakeFold(const database::Database& database, const database::EpochList& old,
                                       const database::PartitionId& result, FoldKind kind,
                                       const std::stop_token& stop = {}) TM_REQUIRES(compact_mutex_);
  Result<partition::PartitionPages> MakePages(const database::Database& database, const Fold& fold, bool seal,
                                              const retention::MaskList& masks, const std::stop_token& stop)
      TM_REQUIRES(compact_mutex_);
  // Makes them live, all in one change of meta. Where somebody was quicker with one of them, one by one; a merge is
  // given up then.
  Result<void> CommitFolds(database::Database& database, std::vector<Fold> folds, CompactionProgress* progress)
      TM_REQUIRES(compact_mutex_);
  // Their files, and the change that makes them live.
  struct Written {
    meta::MetaChange change;
    std::vector<std::string> paths;
  };
  Result<Written> WriteFolds(std::vector<Fold>* folds) TM_REQUIRES(compact_mutex_);
  Result<void> MakeLive(database::Database& database, const std::vector<Fold>& folds, Written written,
                        CompactionProgress* progress) TM_REQUIRES(compact_mutex_);
  void PublishFolds(database::Database& database, const std::vector<Fold>& folds, CompactionProgress* progress)
      TM_REQUIRES(compact_mutex_);
  // Partitions to be made into one: a single one is sealed.
  using Job = database::Merge;
  // Folds so many of `jobs` from `*next` on as are worth one change of meta, and moves it on.
  Result<void> FoldBatch(database::Database& database, std::span<const Job> jobs, size_t* next,
                         const std::stop_token& stop, LeftPartitions* left, CompactionProgress* done)
      TM_REQUIRES(compact_mutex_);
  // The same on a full disk, one by one, so that what one has replaced makes room for the next.
  Result<void> FoldWithLittleRoom(database::Database& database, std::span<const Job> jobs, NoRoom* no_room,
                                  LeftPartitions* left, CompactionProgress* done) TM_REQUIRES(compact_mutex_);
  // Makes the tables of names and records small.
  Result<void> RewriteRecords(const database::Database& database);
  Result<void> CompactPartitions(database::Database& database, const std::stop_token& stop,
                                 const std::function<void(const CompactionProgress&)>& progress,
                                 CompactionProgress* done) TM_EXCLUDES(compact_mutex_);
  // Does `jobs`, and frees what they replace. What it passes over goes to `left`.
  Result<void> RunJobs(database::Database& database, std::span<const Job> jobs, const std::stop_token& stop,
                       const std::function<void(const CompactionProgress&)>& progress, LeftPartitions* left,
                       CompactionProgress* done) TM_REQUIRES(compact_mutex_);
  // The partitions that a compaction has to seal, but for those of `merges` and those that were left before.
  [[nodiscard]] std::vector<Job> SealJobs(const database::Database& database, std::span<const Job> merges,
                                          const LeftPartitions& left) const TM_REQUIRES(compact_mutex_);

  struct SealCandidate {
    DatabasePtr database;
    database::PartitionId partition;
  };
  Result<void> SealPartition(database::Database& database, const database::EpochList& epochs,
                             CompactionProgress* progress) TM_REQUIRES(compact_mutex_);
  // The partitions to seal now. Notes which are quiet, and since when.
  [[nodiscard]] std::vector<SealCandidate> SealQueue() TM_REQUIRES(compact_mutex_);
  [[nodiscard]] bool IsPast(const database::PartitionId& partition) const;

  // false: it is left as it is, because something of it cannot be read or rows are on their way to it.
  Result<bool> SplitPartition(database::Database& database, const database::PartitionId& partition)
      TM_REQUIRES(compact_mutex_);

  // Who asks for merges: a compaction takes what is past as it is; the background only what is sealed.
  enum class MergeCaller : uint8_t { kCompaction, kBackground };
  // `left`: partitions that stay as they are; the background leaves those besides that it knows to be unreadable.
  [[nodiscard]] std::vector<Job> PlanMerges(const database::Database& database, MergeCaller caller,
                                            const LeftPartitions& left) TM_REQUIRES(compact_mutex_);
  // Of a partition; 0: not known.
  uint64_t RowsPerSeries(const database::EpochList& epochs) TM_REQUIRES(compact_mutex_);
  static database::EpochList EpochsOf(const std::map<database::PartitionId, database::EpochList>& all, const Job& job);
  // Success while nothing has come to the partitions of the merges since they were begun; kConflict.
  static Result<void> CheckMergesFit(const database::Database& database, const std::vector<Fold>& folds);

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
  using PlaceOfPartition = std::pair<model::DatabaseId, database::PartitionId>;

  StoreParts& parts_;
  Checkpointer& checkpointer_;
  Deleter& deleter_;
  std::atomic<bool> compacting_ = false;  // by Compact
  Mutex compact_mutex_;
  database::Unfoldable unfoldable_;
  std::map<uint64_t, HiddenLook> hidden_looks_ TM_GUARDED_BY(compact_mutex_);
  std::map<PlaceOfPartition, QuietLook> quiet_looks_ TM_GUARDED_BY(compact_mutex_);
  // The same of partitions that are to be merged, by what they become.
  std::map<PlaceOfPartition, QuietLook> merge_looks_ TM_GUARDED_BY(compact_mutex_);
  std::map<uint64_t, uint64_t> series_of_ TM_GUARDED_BY(compact_mutex_);  // how many, by epoch; of PlanMerges
  int64_t next_merge_look_at_ns_ TM_GUARDED_BY(compact_mutex_) = 0;
  int64_t next_seal_at_ns_ TM_GUARDED_BY(compact_mutex_) = 0;
  partition::FoldProgress seal_progress_;  // of the partition being sealed
  partition::WorkingMemory memory_;        // of folds
  mutable Mutex seal_result_mutex_;
  std::string last_seal_error_ TM_GUARDED_BY(seal_result_mutex_);
};

}  // namespace tidemark::storage
