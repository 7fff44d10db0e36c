// Checkpointer: brings what is staged to disk. Live sets are frozen, frozen sets become slabs, and slabs become epochs
// that one synced change of meta makes live. It also frees what that, folds and drops have made superfluous: only when
// the change that says so is in a table file.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/copy/copies.h"
#include "storage/engine/store_parts.h"

namespace tidemark::storage {

struct PartitionJob;

// Thread-safe.
class Checkpointer {
 public:
  // `parts` outlives it.
  explicit Checkpointer(StoreParts* parts) : parts_(*parts) {}

  // Held by whoever freezes, deletes or drops: one at a time, and no checkpoint meanwhile.
  [[nodiscard]] Mutex& flush_mutex() TM_RETURN_CAPABILITY(flush_mutex_) { return flush_mutex_; }

  // In steps, between which writers that wait for room get it. Errors: kUnavailable when the store is closed;
  // kCancelled when StoreParts::end_of_checkpoints has passed before it was committed: then nothing has changed; those
  // of the disk.
  Result<void> Checkpoint() TM_EXCLUDES(flush_mutex_);
  Result<void> CheckpointLocked() TM_REQUIRES(flush_mutex_);
  // Makes slabs of the live sets that are worth one, and of the largest until the budget is kept: see freeze_choice.h.
  Result<void> FreezeFull() TM_EXCLUDES(flush_mutex_);
  // Makes slabs of all frozen sets.
  Result<void> MakeSlabs() TM_REQUIRES(flush_mutex_);
  // Whether so much has come, or so much time gone by, that a checkpoint is due.
  [[nodiscard]] bool Due() const;
  // From now on the interval of checkpoints counts.
  void Opened() { last_at_ns_.store(parts_.clock.SteadyNs()); }

  // Finds what an earlier crash left and nothing names, before a number is given out that it may have. Changes nothing.
  Result<void> NoteOrphans() TM_EXCLUDES(flush_mutex_);
  // Drops the pages that nothing names or reads any more.
  void DropDeadFiles();

 private:
  struct Work;  // of one checkpoint
  // A file, or what takes its place, of one partition.
  void WriteFile(PartitionJob* job, const Work& work);
  // FreezeFull while the lock is held, as between the steps of a checkpoint.
  Result<void> MakeRoom() TM_REQUIRES(flush_mutex_);
  [[nodiscard]] Result<void> CheckGoesOn() const;
  Result<void> MakeSlabs(database::Database& database, const std::shared_ptr<database::StagedSet>& set)
      TM_REQUIRES(flush_mutex_);
  // The steps of a checkpoint.
  void Collect(Work* work) TM_REQUIRES(flush_mutex_);
  Result<void> WriteFiles(Work* work) TM_REQUIRES(flush_mutex_);
  Result<void> Commit(Work* work) TM_REQUIRES(flush_mutex_);
  void Publish(const Work& work) TM_REQUIRES(flush_mutex_);
  Result<void> FreeSuperfluous(const Work& work) TM_REQUIRES(flush_mutex_);
  // Brings what is new of names and records into the copies beside RocksDB.
  Result<void> Copy(const Work& work) TM_REQUIRES(flush_mutex_);
  // Deletes orphans. Only a checkpoint does this, when meta is in table files: what a shortened log does not name may
  // be the only copy of something.
  Result<void> DropOrphans() TM_REQUIRES(flush_mutex_);

  StoreParts& parts_;
  Mutex flush_mutex_;
  struct Orphans {
    std::vector<rocks::KeyRange> pages;
    std::vector<std::string> staged;  // paths
  };
  std::optional<copy::CopyKeeper> copies_ TM_GUARDED_BY(flush_mutex_);  // from the first checkpoint on
  std::optional<Orphans> orphans_ TM_GUARDED_BY(flush_mutex_);          // until they are dropped
  std::atomic<int64_t> last_at_ns_ = 0;
};

}  // namespace tidemark::storage
