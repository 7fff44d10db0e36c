// MetaStore: which databases and epochs there are, in memory and in column family `meta`, changed together.
//
// A change whose write fails may or may not be on disk. The truth in memory stays what it was, and the next change
// writes that truth down whole, so that the disk agrees again whatever happened. Of documents, whose truth is in
// storage/documents, it writes what RecordChange says.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/meta/meta_records.h"
#include "storage/rocks/graveyard.h"
#include "storage/rocks/rocks_store.h"

namespace tidemark::storage::meta {

// A change of one record of `meta` of which another room keeps the truth. `value` is written (none: the record is
// deleted). Should the write fail, then `otherwise` is written with the next change (none: deleted), whatever came of
// the first: it is what the room holds to be true then.
struct RecordChange {
  std::string key;
  std::optional<std::string> value;
  std::optional<std::string> otherwise;
};

using EpochId = std::pair<model::DatabaseId, uint64_t>;
// The same for the same ones, in whatever order.
[[nodiscard]] uint64_t HashOfEpochs(std::vector<EpochId> epochs);

// The error of an act whose bytes may have got to the disk before it failed, with what that means for who asked; one
// that was refused before anything was written stays as it is.
[[nodiscard]] Error InDoubt(Error error);

struct MetaChange {
  // No partition of theirs may overlap another one: the change fails with kConflict.
  std::vector<EpochRecord> add;
  // Epochs that must be live now: the change fails with kConflict when one is not.
  std::vector<EpochRecord> remove;
  std::vector<DatabaseRecord> put_databases;
  std::vector<MaskRecord> put_masks;  // those that are there already are left as they are
  std::vector<MaskRecord> drop_masks;
  std::optional<model::DatabaseId> drop_database;  // its epochs and masks too
  std::optional<uint64_t> checkpoint_sequence;
  uint32_t format_version = 0;  // at least; what is written needs it
  rocks::RecordBatch records;   // further records, of `index`
  std::vector<RecordChange> documents;
};

// Thread-safe.
class MetaStore {
 public:
  MetaStore(std::shared_ptr<rocks::RocksStore> rocks, std::shared_ptr<rocks::Graveyard> graveyard);

  // Of a new store: writes the first store record, unless a start that was cut short did so.
  Result<void> Create();
  // Reads everything. Errors: kNotFound when there is no record at all; kUnsupported, kCorruption, kIo.
  Result<void> Load();

  // Numbers that were never given out before, and never will be again.
  uint64_t TakeEpochNumber();
  model::DatabaseId TakeDatabaseId();
  // After files with this epoch number were found on disk.
  void SkipEpochNumbersTo(uint64_t epoch);

  // Durable when it returns. On failure nothing has changed, and the files of `add` go as soon as that is certain.
  Result<void> Commit(MetaChange change);
  // From now on every change is refused with `why`, before anything is written. May be called out of a change.
  void RefuseChanges(Error why);
  // Calls `committed` after each change that is on disk, with RocksDB's sequence, the hash of the live epochs and the
  // checkpoint then. It must not come back here. Set while the store is opened.
  using CommittedFn = std::function<void(uint64_t rocks_sequence, uint64_t epochs_hash, uint64_t checkpoint_sequence)>;
  void OnCommitted(CommittedFn committed);
  // Of which epochs are live; the same for the same ones.
  [[nodiscard]] uint64_t epochs_hash() const;
  // Writes the truth down again if a change failed since it was last written.
  Result<void> Settle();

  [[nodiscard]] uint64_t checkpoint_sequence() const;
  [[nodiscard]] uint32_t format_version() const;
  [[nodiscard]] std::vector<DatabaseRecord> databases() const;
  [[nodiscard]] std::vector<EpochRecord> epochs() const;
  [[nodiscard]] std::vector<MaskRecord> masks() const;             // ascending by database and number
  [[nodiscard]] bool KnowsDatabaseId(model::DatabaseId id) const;  // now or earlier

 private:
  struct Truth {
    StoreRecord store;
    std::map<model::DatabaseId, DatabaseRecord> databases;
    std::map<EpochId, EpochRecord> epochs;
    std::map<EpochId, MaskRecord> masks;
  };
  Result<void> CommitLocked(MetaChange change) TM_REQUIRES(mutex_);
  [[nodiscard]] uint64_t HashEpochs() const TM_REQUIRES(mutex_);

  const std::shared_ptr<rocks::RocksStore> rocks_;
  const std::shared_ptr<rocks::Graveyard> graveyard_;
  mutable Mutex mutex_;
  Truth truth_ TM_GUARDED_BY(mutex_);
  CommittedFn committed_ TM_GUARDED_BY(mutex_);
  bool in_doubt_ TM_GUARDED_BY(mutex_) = false;
  std::vector<rocks::KeyRange> files_in_doubt_ TM_GUARDED_BY(mutex_);
  // By key, what the next change writes. All that failed since the last change was made from the same truth.
  std::map<std::string, std::optional<std::string>> documents_in_doubt_ TM_GUARDED_BY(mutex_);

  mutable Mutex refusal_mutex_;  // taken inside mutex_, nothing under it
  std::optional<Error> refusal_ TM_GUARDED_BY(refusal_mutex_);
};

}  // namespace tidemark::storage::meta
