// StoreImpl: the Store. A face over its parts, each with its own fields and locks, in a file of its own:
//
//   store_parts    what all of them share, and the order of all locks
//   writer         the way of a batch into journal and heads
//   checkpointer   frozen sets -> slabs -> epochs; what is superfluous goes (orphans.cc: what a crash left)
//   compactor      folds: of many epochs, to seal (compactor_seal), to tiers (compactor_reduce), of what is hidden
//                  (compactor_hidden)
//   deleter        deletions
//   expiry         retention by age and by bytes
//
// The face itself opens and closes (store_open.cc, store_replay.cc) and runs the background (store_maintenance.cc).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/documents/stored_documents.h"
#include "storage/engine/checkpointer.h"
#include "storage/engine/compactor.h"
#include "storage/engine/deleter.h"
#include "storage/engine/expiry.h"
#include "storage/engine/store_parts.h"
#include "storage/engine/writer.h"
#include "storage/rocks/store_lock.h"
#include "storage/rocks/store_sight.h"
#include "storage/storage.h"
#include "storage/watermark/judge.h"

namespace tidemark::storage {

class StoreImpl final : public Store {
 public:
  explicit StoreImpl(StoreOptions options);
  ~StoreImpl() override;
  Result<void> Start();

  Result<model::WriteReport> Write(std::string_view database, const model::Batch& batch) override {
    return writer_.Write(database, batch);
  }
  [[nodiscard]] Result<std::shared_ptr<const View>> OpenView(std::string_view database) const override;
  Result<void> CreateDatabase(std::string_view name, const DatabaseOptions& options) override;
  Result<void> DropDatabase(std::string_view name) override;
  Result<void> SetDatabaseOptions(std::string_view name, const DatabaseOptions& options) override;
  [[nodiscard]] std::vector<DatabaseInfo> Databases() const override;
  [[nodiscard]] bool HasDatabase(std::string_view name) const override {
    return parts_.databases.Find(name) != nullptr;
  }
  Result<DeleteReport> Delete(std::string_view database, const DeleteRequest& request) override {
    return deleter_.Delete(database, request);
  }
  [[nodiscard]] Result<RetentionReport> PlanRetention(std::string_view database,
                                                      const DatabaseOptions& options) const override {
    return expiry_.Plan(database, options);
  }
  [[nodiscard]] DocumentStore* Documents() const override { return documents_.get(); }
  Result<void> Checkpoint() override { return checkpointer_.Checkpoint(); }
  Result<CompactionProgress> Compact(std::string_view database, std::stop_token stop,
                                     const std::function<void(const CompactionProgress&)>& progress) override {
    return compactor_.Compact(database, stop, progress);
  }
  Result<uint64_t> ApplyRetention() override;
  Result<void> RunMaintenance() override;
  [[nodiscard]] StoreStats Stats() const override;
  [[nodiscard]] std::vector<model::Finding> Findings() const override { return parts_.findings.All(); }
  void Announce(std::string_view address) override;
  Result<void> Close() override;

 private:
  // ---- store_open.cc ----
  // An open has two halves. Look changes no byte: it opens RocksDB for reading only, loads meta and the indexes, and
  // reads the journal. What is not as it was written goes to `findings` of the parts; an error is what keeps it from
  // looking on. Enter, which runs only when nothing found stops writes, lets RocksDB write. Look returns false where
  // there is nothing yet and a store may be made.
  Result<bool> Look(const rocks::StoreSight& sight);
  Result<void> LookAtJournal();
  // ---- store_watermark.cc ----
  // What was read before the journal, to hold it against; and what comes of that. Kept for the watermark that follows.
  struct Proof {
    watermark::WatermarkSight sight;
    watermark::Found found;
    uint64_t last_sequence = 0;  // of the journal
    watermark::Place journal;    // behind the checkpoint
    bool exact = false;
  };
  [[nodiscard]] std::string BootId() const;
  Result<watermark::JournalTally> ReadWatermark(const std::string& store_id);
  // Whether the directory can be written to at all.
  void LookAtMedium();
  void JudgeWatermark(const journal::JournalCheck& check, const watermark::JournalTally& tally);
  // From here on what is acknowledged is noted. The directory is this process' alone.
  Result<void> BeginWatermark();
  // Once a second: looks after the store's files, and syncs the watermark.
  Result<void> KeepWatermark();

  // Of a look that found what stops writes.
  [[nodiscard]] Error RefusalToEnter() const;
  Result<void> Enter(const rocks::StoreSight& sight);
  // Makes a new store, or one anew whose making was cut short.
  Result<void> Create(const rocks::StoreSight& sight);
  // kLook: for reading only, and any damage of RocksDB's log is an error; kLookPastTornEnd: but a last record that a
  // power cut tore.
  enum class RocksMode { kCreate, kLook, kLookPastTornEnd };
  Result<void> OpenRocks(RocksMode mode);
  Result<void> OpenForLook();
  Result<void> MakeStaging();
  Result<void> LoadDatabases();
  Result<void> LoadIndexes();
  // An error when there never was such a database, which a journal record names.
  [[nodiscard]] Result<void> CheckOnceKnown(uint64_t sequence, model::DatabaseId database) const;
  Result<void> OpenJournal();
  Result<void> ReplayJournal();  // store_replay.cc

  // ---- store_maintenance.cc ----
  // What keeps writes going (slabs, checkpoints, syncs, retention), and what makes the past smaller. The second may
  // take long, and has a thread of its own so that the first never waits for it.
  Result<void> KeepUp();
  Result<void> FoldAndSeal();
  void StartBackground();
  void RunBackground(const std::stop_token& stop);
  void RunFolding(const std::stop_token& stop);
  Result<void> SyncByInterval();
  // Whether a load has just ended and left much in the heads. Looks once a second.
  bool IsIdle();
  // Gives memory that a load or a checkpoint has left back to the system, now and then.
  void ReturnFreeMemory();
  void StopBackground();

  StoreParts parts_;
  // Held from the look on.
  std::unique_ptr<rocks::StoreLock> lock_;
  Proof proof_;
  std::unique_ptr<documents::StoredDocuments> documents_;
  Checkpointer checkpointer_{&parts_};
  Deleter deleter_{&parts_, &checkpointer_};
  Writer writer_{&parts_, &checkpointer_};
  Compactor compactor_{&parts_, &checkpointer_, &deleter_};
  Expiry expiry_{&parts_, &checkpointer_, &deleter_};

  Mutex fold_mutex_;
  CondVar fold_wake_;  // for the end of the thread that folds

  std::atomic<int64_t> watermark_kept_at_ns_ = 0;
  std::atomic<int64_t> last_retention_at_ns_ = 0;
  std::atomic<int64_t> last_reduction_at_ns_ = 0;
  std::atomic<int64_t> last_hidden_look_at_ns_ = 0;
  // At the last look of ReturnFreeMemory.
  std::atomic<int64_t> memory_looked_at_ns_ = 0;
  std::atomic<uint64_t> memory_checkpoints_ = 0;
  // At the last look of IsIdle.
  std::atomic<int64_t> idle_looked_at_ns_ = 0;
  std::atomic<uint64_t> idle_points_ = 0;

  // Last: they stop before what they use goes.
  std::jthread background_;
  std::jthread folding_;
};

}  // namespace tidemark::storage
