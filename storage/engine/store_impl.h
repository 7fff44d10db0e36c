// StoreImpl: the Store. A face over its parts, each with its own fields and locks, in a file of its own:
//
//   store_parts    what all of them share, and the order of all locks
//   writer         the way of a batch into journal and heads
//   checkpointer   frozen sets -> slabs -> epochs; what is superfluous goes (orphans.cc: what a crash left)
//   compactor      folds: of many epochs, to seal (compactor_seal), to tiers (compactor_reduce), of what is hidden
//                  (compactor_hidden)
//   deleter        deletions
//   expiry         retention by age and by bytes
//   store_backup   copies of it all
//
// The face itself opens and closes (store_look.cc, store_open.cc, store_replay.cc; store_read_only.cc) and runs the
// background (store_maintenance.cc).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
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
#include "storage/journal/batch_record.h"
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
  using Store::RenameDatabase;
  Result<void> RenameDatabase(std::string_view from, std::string_view to,
                              std::span<const DocumentChange> with) override;
  Result<void> SetDatabaseOptions(std::string_view name, const DatabaseOptions& options) override;
  Result<DatabaseOptions> ChangeDatabaseOptions(std::string_view name, const OptionsChange& change) override;
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
  [[nodiscard]] RetentionTime ReadClock() const override { return parts_.retention_clock.Read(); }
  Result<void> AcceptClock() override;
  [[nodiscard]] DocumentStore* Documents() const override { return documents_.get(); }
  Result<void> Checkpoint() override { return checkpointer_.Checkpoint(); }
  Result<CompactionProgress> Compact(std::string_view database, std::stop_token stop,
                                     const std::function<void(const CompactionProgress&)>& progress) override {
    return compactor_.Compact(database, stop, progress);
  }
  Result<uint64_t> ApplyRetention() override;
  Result<BackupInfo> Backup(const BackupOptions& options) override;
  Result<void> RunMaintenance() override;
  Result<ScrubStep> Scrub(ScrubPlace from, uint64_t bytes) override;
  [[nodiscard]] StoreStats Stats() const override;
  [[nodiscard]] std::vector<model::Finding> Findings() const override;
  void Announce(std::string_view address) override;
  Result<void> Close(int64_t deadline_ns) override;

 private:
  // ---- store_look.cc ----
  // An open has two halves. Look changes no byte: it opens RocksDB for reading only, loads meta and the indexes, and
  // reads the journal. What is not as it was written goes to `findings` of the parts; an error is what keeps it from
  // looking on. Enter, which runs only when nothing found stops writes, lets RocksDB write; otherwise ServeReadOnly
  // shows what Look has. Look returns false where there is nothing yet and a store may be made.
  Result<bool> Look(const rocks::StoreSight& sight);
  Result<void> OpenForLook();
  // Meta, documents, names and deletions, out of parts_.rocks. Damage is an error, until it is a salvage.
  Result<void> LoadRecords();
  // Where that did not do: puts what can be read in memory, in the place of parts_.rocks.
  // `records_lost`: RocksDB could be opened, and what lies in it could not be read.
  Result<void> LookAtSalvage(Error damage, bool records_lost);
  // Where RocksDB could be opened past damage only: names what that is.
  Result<void> LookAtTables();
  [[nodiscard]] std::string NameOfDatabase(model::DatabaseId id) const;
  Result<void> LookAtJournal();
  Result<void> LoadDatabases();
  // A database whose names cannot be read is `unreadable_`.
  Result<void> LoadIndexes();
  Result<void> LoadMasks();
  // An error when there never was such a database, which a journal record names.
  [[nodiscard]] Result<void> CheckOnceKnown(uint64_t sequence, model::DatabaseId database) const;
  // ---- store_read_only.cc ----
  // Of a look that found what stops writes: replays the journal into memory as far as it can be read.
  Result<void> ServeReadOnly();
  // Of a store that is whole and could not be entered for want of room, the reserve being gone too.
  Result<void> ServeFullDisk(Error error);
  // What every act gets then.
  [[nodiscard]] Error ReadOnlyRefusal() const;
  // Closes a store that is read-only, from its start or since it met damage at work.
  Result<void> CloseReadOnly() TM_REQUIRES(parts_.open_mutex);
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

  // ---- store_scrub.cc ----
  // Damage that scrubs and folds have met, of pages that are live; of the others nothing is known any more.
  [[nodiscard]] std::vector<model::Finding> DamagedPages() const;

  // ---- store_clock.cc ----
  static constexpr std::string_view kClockKind = "clock";
  // The time by which rows grow old goes on from what the last process knew, if documents tell.
  void BeginClock();
  // Once a second: looks at the machine's clock; every ten minutes, and when it jumps, notes what is known.
  void KeepClock();
  Result<void> WriteClock();
  // The time by which rows grow old has jumped: what was read before may be told otherwise.
  void NoteOtherRowsSeen() const;

  // ---- store_open.cc ----
  Result<void> Enter(const rocks::StoreSight& sight);
  // Makes a new store, or one anew whose making was cut short.
  Result<void> Create(const rocks::StoreSight& sight);
  // kLook: for reading only, and any damage of RocksDB's log is an error; kLookPastTornEnd: but a last record that a
  // power cut tore; kLookPastDamage: whatever can be read.
  enum class RocksMode { kCreate, kLook, kLookPastTornEnd, kLookPastDamage };
  Result<void> OpenRocks(RocksMode mode);
  // Puts meta and documents on parts_.rocks.
  void UseRocks();
  Result<void> MakeStaging();
  Result<void> OpenJournal();
  // ---- store_replay.cc ----
  struct Replayed {
    std::map<model::DatabaseId, DatabasePtr> databases;
    uint64_t skipped = 0;  // records that name what is not defined
    journal::DecodedBatch batch;
  };
  [[nodiscard]] Replayed BeginReplay() const;
  Result<void> ReplayRecord(uint64_t sequence, std::string_view bytes, Replayed* replayed);
  Result<void> ReplayJournal();

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
  // What the strict open said, where only a lenient one came about.
  std::optional<Error> past_damage_;
  // Whether parts_.rocks is a salvage, and its sequence where that is known.
  bool salvaged_ = false;
  std::optional<uint64_t> salvage_sequence_;
  // Databases whose names cannot be read, and what whoever asks for one is told. Set while the store is opened.
  std::map<model::DatabaseId, Error> unreadable_;
  std::unique_ptr<documents::StoredDocuments> documents_;
  Checkpointer checkpointer_{&parts_};
  Deleter deleter_{&parts_, &checkpointer_};
  Writer writer_{&parts_, &checkpointer_};
  Compactor compactor_{&parts_, &checkpointer_, &deleter_};
  Expiry expiry_{&parts_, &checkpointer_, &deleter_};

  Mutex fold_mutex_;
  CondVar fold_wake_;  // for the end of the thread that folds

  std::atomic<int64_t> watermark_kept_at_ns_ = 0;
  std::atomic<int64_t> clock_looked_at_ns_ = 0;
  std::atomic<int64_t> clock_kept_at_ns_ = 0;
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
