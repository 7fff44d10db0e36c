// StoreImpl: the Store. Its parts lie in one file each:
//
//   store_open.cc         open, recovery, close
//   store_write.cc        the way of a batch into journal and heads
//   store_databases.cc    databases and views
//   store_checkpoint.cc   frozen sets -> slabs -> epochs
//   store_compact.cc      folding epochs
//   store_seal.cc         sealing partitions that are past
//   store_delete.cc       deletions
//   store_retention.cc    what is dropped by age, by bytes and by selector
//   store_reduce.cc       what tiers stay of
//   store_maintenance.cc  background work, self-test, statistics
//
// Locks, in the order in which they are taken:
//   open_mutex_      shared by every call that needs the journal; exclusive to close
//   flush_mutex_     one freeze, checkpoint or drop at a time
//   compact_mutex_   one compaction at a time (never while flush_mutex_ is held)
//   databases_mutex_ the map of databases
//   the journal's    inside Append
//   order_mutex_     the place in line: sequence, live set, ticket
//   locks of single objects (Database, MetaStore, StagedSet, DefinitionLedger ...), never two of a kind
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/database/batch_resolver.h"
#include "storage/database/database.h"
#include "storage/database/partition_epochs.h"
#include "storage/engine/health.h"
#include "storage/journal/journal.h"
#include "storage/meta/meta_store.h"
#include "storage/partition/fold.h"
#include "storage/rocks/rocks_store.h"
#include "storage/rocks/store_sight.h"
#include "storage/storage.h"

namespace tidemark::storage {

class StoreImpl final : public Store {
 public:
  explicit StoreImpl(StoreOptions options);
  ~StoreImpl() override;
  Result<void> Start();

  Result<model::WriteReport> Write(std::string_view database, const model::Batch& batch) override;
  [[nodiscard]] Result<std::shared_ptr<const View>> OpenView(std::string_view database) const override;
  Result<void> CreateDatabase(std::string_view name, const DatabaseOptions& options) override;
  Result<void> DropDatabase(std::string_view name) override;
  Result<void> SetDatabaseOptions(std::string_view name, const DatabaseOptions& options) override;
  [[nodiscard]] std::vector<DatabaseInfo> Databases() const override;
  [[nodiscard]] bool HasDatabase(std::string_view name) const override;
  Result<DeleteReport> Delete(std::string_view database, const DeleteRequest& request) override;
  [[nodiscard]] Result<RetentionReport> PlanRetention(std::string_view database,
                                                      const DatabaseOptions& options) const override;
  Result<void> Checkpoint() override;
  Result<CompactionProgress> Compact(std::string_view database, std::stop_token stop,
                                     const std::function<void(const CompactionProgress&)>& progress) override;
  Result<uint64_t> ApplyRetention() override;
  Result<void> RunMaintenance() override;
  [[nodiscard]] StoreStats Stats() const override;
  Result<void> Close() override;

 private:
  using DatabasePtr = std::shared_ptr<database::Database>;

  // ---- store_open.cc ----
  // An open has two halves. Look changes no byte: it opens RocksDB for reading only, loads meta and the indexes, and
  // reads the journal. Enter, which runs only when Look found the store whole, lets RocksDB write. Look returns false
  // where there is nothing yet and a store may be made.
  Result<bool> Look(const rocks::StoreSight& sight);
  Result<void> LookAtJournal();
  Result<void> Enter(const rocks::StoreSight& sight);
  // Makes a new store, or one anew whose making was cut short.
  Result<void> Create(const rocks::StoreSight& sight);
  // kLook: for reading only, and any damage of RocksDB's log is an error; kLookPastTornEnd: but a last record that a
  // power cut tore.
  enum class RocksMode { kCreate, kLook, kLookPastTornEnd };
  Result<void> OpenRocks(RocksMode mode);
  Result<void> MakeStaging();
  Result<void> LoadDatabases();
  Result<void> LoadIndexes();
  // An error when there never was such a database, which a journal record names.
  [[nodiscard]] Result<void> CheckOnceKnown(uint64_t sequence, model::DatabaseId database) const;
  // Finds what an earlier crash left and nothing names, before a number is given out that it may have.
  Result<void> NoteOrphans() TM_EXCLUDES(flush_mutex_);
  // Deletes it. Only a checkpoint does this, when meta is in table files: what a shortened log does not name may be
  // the only copy of something.
  Result<void> DropOrphans() TM_REQUIRES(flush_mutex_);
  Result<void> OpenJournal();
  Result<void> ReplayJournal();

  // ---- store_write.cc ----
  Result<DatabasePtr> FindOrCreateDatabase(std::string_view name);
  // `oldest_ns`: what the batch was resolved with. kConflict when some rows have become too old since.
  Result<void> JournalAndApply(database::Database& database, const model::ResolvedBatch& batch, int64_t oldest_ns,
                               std::string* record);
  std::unique_ptr<database::BatchResolver> TakeResolver();
  void ReturnResolver(std::unique_ptr<database::BatchResolver> resolver);
  // After rows were staged: has slabs made when heads are full, and waits when they are too full.
  void KeepWithinBudget(const database::Database& database, uint64_t points);

  // ---- store_databases.cc ----
  [[nodiscard]] DatabasePtr Find(std::string_view name) const;
  [[nodiscard]] std::vector<DatabasePtr> AllDatabases() const;
  [[nodiscard]] static Result<void> CheckOptions(const DatabaseOptions& options);
  Result<DatabasePtr> Create(std::string_view name, const DatabaseOptions& options);
  DatabasePtr NewDatabase(const meta::DatabaseRecord& record);

  // ---- store_checkpoint.cc ----
  // Freezes the live sets that hold at least `min_bytes`. Returns the sequence of the last record in line before.
  uint64_t Freeze(uint64_t min_bytes);
  // Makes slabs of all frozen sets.
  Result<void> MakeSlabs() TM_REQUIRES(flush_mutex_);
  Result<void> MakeSlabs(database::Database& database, const std::shared_ptr<database::StagedSet>& set)
      TM_REQUIRES(flush_mutex_);
  Result<void> FreezeFull() TM_EXCLUDES(flush_mutex_);
  Result<void> CheckpointLocked() TM_REQUIRES(flush_mutex_);
  [[nodiscard]] std::string StagingPath(uint64_t epoch) const;
  [[nodiscard]] std::shared_ptr<const partition::Epoch> MakeEpoch(const meta::EpochRecord& record) const;
  [[nodiscard]] uint64_t HeadBytes() const;

  // ---- store_compact.cc ----
  // kSeal: as small as possible, for data that is past. kReduce: to the tiers that the database keeps.
  enum class FoldKind { kFold, kSeal, kReduce };
  // Folds epochs of one partition that follow each other in precedence into one. What was sealed stays sealed.
  Result<void> FoldEpochs(database::Database& database, const std::vector<std::shared_ptr<const partition::Epoch>>& run,
                          FoldKind kind, CompactionProgress* progress) TM_REQUIRES(compact_mutex_);
  // Folds the newest epochs of each partition that has too many.
  Result<void> FoldCrowded();
  void DropDeadFiles();

  // ---- store_seal.cc ----
  struct SealCandidate {
    DatabasePtr database;
    database::PartitionId partition;
  };
  // Seals one partition that is past, if there is one and the last was long enough ago.
  Result<void> SealPast();
  Result<void> SealPartition(database::Database& database, const database::EpochList& epochs,
                             CompactionProgress* progress) TM_REQUIRES(compact_mutex_);
  // The partitions to seal now. Notes which are quiet, and since when.
  [[nodiscard]] std::vector<SealCandidate> SealQueue() TM_REQUIRES(compact_mutex_);
  [[nodiscard]] bool IsPast(const database::PartitionId& partition) const;

  // ---- store_delete.cc ----
  // Everything that hides rows of `database` now: deletions and retentions of selectors.
  [[nodiscard]] retention::MaskList HiddenRows(const database::Database& database) const;
  // What `masks` (their series enumerated: RefSet::Select with an open end) hide of `state`.
  [[nodiscard]] static DeleteReport EstimateHidden(const database::DatabaseState& state,
                                                   const retention::MaskList& masks);
  // Writes a deletion into the journal, and waits until it is there. No checkpoint may come between that and AddMask.
  // Returns the staged set before which its place is.
  Result<uint64_t> JournalDeletion(database::Database& database, const meta::MaskSpec& spec) TM_REQUIRES(flush_mutex_);
  // Partitions that are dropped may have rows in the journal too, which would come back with it after a crash: those
  // are deleted, as by Delete.
  Result<void> DeleteStaged(database::Database& database, const std::set<database::PartitionId>& partitions)
      TM_REQUIRES(flush_mutex_);
  // Makes a deletion visible whose place lies before the staged set `before_set`.
  Result<void> AddMask(database::Database& database, uint64_t before_set, const meta::MaskSpec& spec);
  Result<void> LoadMasks();
  Result<void> ReplayDelete(database::Database& database, std::string_view encoded);
  // Forgets deletions that no older row is left of.
  Result<void> DropSpentMasks() TM_EXCLUDES(flush_mutex_);

  // ---- store_retention.cc ----
  // The oldest time of which a database takes rows; INT64_MIN when it takes all.
  [[nodiscard]] int64_t OldestNs(const database::Database& database) const;
  // Drops what no tier outlives.
  Result<uint64_t> DropExpired();

  // ---- store_reduce.cc ----
  // Drops the raw rows of partitions that tiers outlive, and tiers that are not kept any more. Returns of how many
  // partitions.
  Result<uint64_t> ReduceToTiers() TM_EXCLUDES(flush_mutex_, compact_mutex_);

  // ---- store_retention.cc ----
  // Folds partitions of which a good part is hidden.
  Result<void> FoldHidden();

  // ---- store_maintenance.cc ----
  // What keeps writes going (slabs, checkpoints, syncs, retention), and what makes the past smaller. The second may
  // take long, and has a thread of its own so that the first never waits for it.
  Result<void> KeepUp();
  Result<void> FoldAndSeal();
  void RunBackground(const std::stop_token& stop);
  void RunFolding(const std::stop_token& stop);
  Result<void> SyncByInterval();
  Result<void> TryResume();
  [[nodiscard]] bool CheckpointDue() const;
  // Whether a load has just ended and left much in the heads. Looks once a second.
  bool IsIdle();
  // Gives memory that a load or a checkpoint has left back to the system, now and then.
  void ReturnFreeMemory();
  void StopBackground();

  const StoreOptions options_;
  InlineScheduler inline_scheduler_;
  const std::shared_ptr<rocksdb::FileSystem> files_;
  Clock& clock_;
  Scheduler& scheduler_;
  const uint32_t head_shards_;
  // Memory of heads, of all databases: as much as may be staged is kept for the next rows.
  const std::shared_ptr<head::BlockPool> blocks_ = std::make_shared<head::BlockPool>(options_.staged_bytes);
  const std::shared_ptr<rocks::Graveyard> graveyard_ = std::make_shared<rocks::Graveyard>();
  const std::shared_ptr<std::atomic<uint64_t>> corrupt_pages_ = std::make_shared<std::atomic<uint64_t>>(0);
  Health health_;

  std::shared_ptr<rocks::RocksStore> rocks_;
  std::unique_ptr<meta::MetaStore> meta_;
  std::unique_ptr<journal::Journal> journal_;

  mutable SharedMutex open_mutex_;
  std::atomic<bool> closing_ = false;
  bool closed_ TM_GUARDED_BY(open_mutex_) = false;

  Mutex flush_mutex_;
  struct Orphans {
    std::vector<rocks::KeyRange> pages;
    std::vector<std::string> staged;  // paths
  };
  std::optional<Orphans> orphans_ TM_GUARDED_BY(flush_mutex_);  // until they are dropped
  Mutex compact_mutex_;
  std::atomic<bool> compacting_ = false;  // by Compact
  // Epochs whose fold found damage, by the newest one: not tried again until the partition has a newer one.
  std::set<uint64_t> unfoldable_ TM_GUARDED_BY(compact_mutex_);
  // When FoldHidden last weighed a partition, by its newest epoch: the last deletion and the end of what retentions
  // hid.
  struct HiddenLook {
    uint64_t number = 0;
    int64_t until_ns = 0;
  };
  std::map<uint64_t, HiddenLook> hidden_looks_ TM_GUARDED_BY(compact_mutex_);

  // Since when a partition that is past has had no newer epoch.
  struct QuietLook {
    uint64_t newest = 0;
    int64_t since_ns = 0;
  };
  std::map<std::pair<model::DatabaseId, database::PartitionId>, QuietLook> quiet_looks_ TM_GUARDED_BY(compact_mutex_);
  int64_t next_seal_at_ns_ TM_GUARDED_BY(compact_mutex_) = 0;
  partition::FoldProgress seal_progress_;  // of the partition being sealed
  mutable Mutex seal_result_mutex_;
  std::string last_seal_error_ TM_GUARDED_BY(seal_result_mutex_);

  mutable SharedMutex databases_mutex_;
  std::map<std::string, DatabasePtr, std::less<>> databases_ TM_GUARDED_BY(databases_mutex_);
  Mutex create_mutex_;  // one creation or drop at a time

  Mutex order_mutex_;
  uint64_t last_sequence_ TM_GUARDED_BY(order_mutex_) = 0;
  uint64_t next_set_ TM_GUARDED_BY(order_mutex_) = 1;

  Mutex resolvers_mutex_;
  std::vector<std::unique_ptr<database::BatchResolver>> resolvers_ TM_GUARDED_BY(resolvers_mutex_);

  Mutex wake_mutex_;
  CondVar wake_;       // background work to do
  CondVar fold_wake_;  // for the end of the thread that folds
  CondVar slabs_made_;
  bool wanted_ TM_GUARDED_BY(wake_mutex_) = false;

  // Since the last look at the heads' size, since the last checkpoint.
  std::atomic<uint64_t> points_unweighed_ = 0;
  std::atomic<uint64_t> points_since_checkpoint_ = 0;
  std::atomic<uint64_t> head_bytes_ = 0;  // at the last look
  std::atomic<int64_t> last_checkpoint_at_ns_ = 0;
  std::atomic<int64_t> last_retention_at_ns_ = 0;
  std::atomic<int64_t> last_reduction_at_ns_ = 0;
  std::atomic<int64_t> last_hidden_look_at_ns_ = 0;
  // At the last look of ReturnFreeMemory.
  std::atomic<int64_t> memory_looked_at_ns_ = 0;
  std::atomic<uint64_t> memory_checkpoints_ = 0;
  // At the last look of IsIdle.
  std::atomic<int64_t> idle_looked_at_ns_ = 0;
  std::atomic<uint64_t> idle_points_ = 0;

  struct Counters {
    std::atomic<uint64_t> rows_written = 0;
    std::atomic<uint64_t> points_written = 0;
    std::atomic<uint64_t> rows_rejected = 0;
    std::atomic<uint64_t> checkpoints = 0;
    std::atomic<uint64_t> checkpoint_failures = 0;
    std::atomic<int64_t> last_checkpoint_ns = 0;
    std::atomic<int64_t> recovery_ns = 0;
    std::atomic<uint64_t> recovered_points = 0;
    std::atomic<uint64_t> series_loaded = 0;
    std::atomic<uint64_t> seals = 0;
    std::atomic<uint64_t> seal_failures = 0;
    std::atomic<uint64_t> seal_queue = 0;
    std::atomic<uint64_t> seal_bytes_read = 0;
    std::atomic<uint64_t> seal_bytes_written = 0;
    std::atomic<int64_t> last_seal_ns = 0;
  } counters_;

  // Last: they stop before what they use goes.
  std::jthread background_;
  std::jthread folding_;
};

}  // namespace tidemark::storage
