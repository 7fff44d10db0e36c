// RocksStore: the one RocksDB of a store and its three column families, in the few words that the engine needs.
//
//   data    pages; files are only ever ingested, and dropped whole
//   index   entries of the indexes
//   meta    which databases and epochs there are
//
// Thread-safe. After Close, and while Reopen is at work, calls give kUnavailable or wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/rocks/backup_files.h"
#include "storage/rocks/ingest_gate.h"
#include "storage/rocks/keys.h"
#include "storage/rocks/loose_tables.h"
#include "storage/rocks/page_bytes.h"

namespace rocksdb {
class FileSystem;
class Status;
}  // namespace rocksdb

namespace tidemark::storage::rocks {

enum class Family : uint8_t { kData, kIndex, kMeta };

// Changes to `index` and `meta` that become visible, and durable, together.
class RecordBatch {
 public:
  void Put(Family family, std::string key, std::string value) {
    changes_.push_back({Kind::kPut, family, std::move(key), std::move(value)});
  }
  void Delete(Family family, std::string key) { changes_.push_back({Kind::kDelete, family, std::move(key), {}}); }
  void DeleteRange(Family family, KeyRange range) {
    changes_.push_back({Kind::kDeleteRange, family, std::move(range.first), std::move(range.end)});
  }
  // Everything that `other` does, after what this does.
  void Append(RecordBatch other) {
    changes_.insert(changes_.end(), std::make_move_iterator(other.changes_.begin()),
                    std::make_move_iterator(other.changes_.end()));
  }

 private:
  friend class RocksStore;
  enum class Kind : uint8_t { kPut, kDelete, kDeleteRange };
  struct Change {
    Kind kind;
    Family family;
    std::string key;
    std::string value;  // of a range: its end
  };
  std::vector<Change> changes_;
};

// A file of `data`, or of another family where `pages` says so.
struct DataFile {
  std::string name;
  int level = 0;
  uint64_t bytes = 0;
  std::string smallest;
  std::string largest;
  bool pages = true;  // of family `data`
};

struct RocksStoreOptions {
  std::string directory;
  // Null: the system's.
  std::shared_ptr<rocksdb::FileSystem> file_system;
  uint64_t cache_bytes = 0;
  // Table files that are kept open, at most.
  int max_open_files = 4096;
  // Whether a database that is not there is made. Only the first open of a store that is new may say so: whoever makes
  // one where another has lost its CURRENT has RocksDB delete all that the lost one knew.
  bool create = false;
  // Nothing on disk is changed, and no lock is taken (StoreLock): all that writes fails. See Enter.
  bool read_only = false;
  // Of a read-only store: any record of RocksDB's log that is damaged, but a torn last one, is an error.
  bool strict_log = false;
  // Of a read-only store: tables that are missing or cut are found when they are read, not when the store is opened,
  // and a log that is damaged ends there. See LostTables.
  bool past_damage = false;
  // Where the pages of `data` lie, when RocksDB itself does not know them; null: it does.
  std::shared_ptr<const LooseTables> pages = nullptr;
  // Called, on any thread and maybe under the caller's locks, when RocksDB stops writing because of an error, and when
  // it cannot read what it must to change something (kCorruption).
  std::function<void(const Error&)> on_error;
};

class RocksStore {
 public:
  // Errors: kUnavailable when another process has it; as FromRocks, also where a family is missing.
  static Result<std::shared_ptr<RocksStore>> Open(RocksStoreOptions options);
  ~RocksStore();
  RocksStore(const RocksStore&) = delete;
  RocksStore& operator=(const RocksStore&) = delete;

  // The value of a key, in place in the block cache where it lies there; kNotFound when there is none.
  [[nodiscard]] Result<PageBytes> GetPage(Family family, std::string_view key) const;
  [[nodiscard]] Result<std::optional<std::string>> Get(Family family, std::string_view key) const;
  // Calls `visit` for all keys that start with `prefix`, ascending. An error of `visit` ends it.
  using VisitFn = std::function<Result<void>(std::string_view key, std::string_view value)>;
  [[nodiscard]] Result<void> ForEach(Family family, std::string_view prefix, const VisitFn& visit) const;

  // Calls `visit` for all pages of an epoch in `data` that can be read, its lists among them, ascending: without those
  // lists, and past damage. Each block that cannot be read costs the page in it. Returns how many such places there
  // were. Errors: those of `visit`, kIo, kNotFound and kCorruption when there is nothing of it.
  [[nodiscard]] Result<uint64_t> ForEachReadable(const PageKey& of_epoch, const VisitFn& visit) const;

  // RocksDB's number of the last change; it only grows. 0 when the store is closed.
  [[nodiscard]] uint64_t LatestSequence() const;

  // Of all that was written since the store was opened, in bytes.
  [[nodiscard]] uint64_t largest_change_bytes() const { return largest_change_bytes_.load(); }
  // Durable when it returns.
  Result<void> Write(const RecordBatch& batch);
  // Why a table of `data` that begins with `key` cannot be taken in; "" when it can. RocksDB reads the first block of
  // the table that comes after it, and where that cannot be read, Ingest fails.
  [[nodiscard]] std::string DamageBehind(std::string_view key) const;
  // Makes the files (of SstWriter, one epoch each) part of `data`, all or none. Moves them.
  Result<void> Ingest(const std::vector<std::string>& paths);
  // Drops the files of `data` that lie whole in one of the ranges, and the values of `meta` in those that say so.
  Result<void> DropFiles(const std::vector<KeyRange>& ranges);
  [[nodiscard]] Result<std::vector<DataFile>> DataFiles() const;
  // The files of all families that are not there, or that have another length than they were written with. No block is
  // read.
  struct LostTable {
    DataFile file;
    std::string why;  // a clause
  };
  [[nodiscard]] Result<std::vector<LostTable>> LostTables() const;
  // Reads every block of every file of all families and calls `visit` with what came of each (kCorruption names the
  // checksums).
  using FileFn = std::function<void(const DataFile& file, Result<void> checked)>;
  [[nodiscard]] Result<void> CheckFiles(const FileFn& visit) const;
  // Brings every change of `index` and `meta` that was written before into table files, so that RocksDB's own logs may
  // go. Until then a change lies in the log alone, and what it makes superfluous must stay: a log that was cut would
  // bring back the state before.
  Result<void> Flush();

  // Writes the tables of `index` and `meta` anew, so that what was deleted of them takes no room any more.
  Result<void> CompactRecords();

  // Copies what is written, as it is at some moment of the call, into a backup of its own. Recover and Close end it.
  // Errors: kCancelled, kResourceExhausted (the disk is full), kUnavailable (another backup is being made there), kIo.
  Result<BackupFiles> BackUp(const BackupRequest& request);

  // The keys of pages in `meta`, one for each epoch that has some.
  [[nodiscard]] Result<std::vector<PageKey>> EpochsInMeta() const;
  // Deletes the `index` entries of all databases but these.
  Result<void> DropUnknownIndexes(const std::set<model::DatabaseId>& known);
  // Deletes a file if it is there; a failure is logged, not more.
  void DeleteLeftover(const std::string& path);
  // Writes, syncs and deletes a file of `bytes`: whether the disk takes writes.
  Result<void> SelfTest(const std::string& path, uint64_t bytes);

  // Of a store that was opened read-only: opens it again, for writing. Errors: as Open; after kResourceExhausted it is
  // read-only still.
  Result<void> Enter();
  // Clears RocksDB's background error, if need be by closing and opening the database.
  Result<void> Recover();
  void Close();

 private:
  friend class SstWriter;
  struct Handles;
  explicit RocksStore(RocksStoreOptions options);
  Result<void> OpenLocked() TM_REQUIRES(mutex_);
  // Those that are being made hold mutex_ until they end.
  void EndBackups() TM_EXCLUDES(backups_mutex_);
  [[nodiscard]] Result<void> CheckOpen() const TM_REQUIRES_SHARED(mutex_);
  // What a change came to. Where RocksDB cannot read what it must for it, on_error (if there is one) is told, and
  // whoever asked gets kUnavailable: it is not their request that is at fault.
  [[nodiscard]] Result<void> FromChange(const rocksdb::Status& status, std::string_view what) const;
  // What a read came to. Of a store that is only read, a table that cannot be opened is damage as a block is.
  [[nodiscard]] Result<void> FromRead(const rocksdb::Status& status, std::string_view what) const
      TM_REQUIRES_SHARED(mutex_);

  const RocksStoreOptions options_;
  std::atomic<uint64_t> largest_change_bytes_ = 0;
  IngestGate ingest_gate_;
  Mutex backups_mutex_;
  std::stop_source end_backups_ TM_GUARDED_BY(backups_mutex_);  // of those that are being made
  mutable SharedMutex mutex_;                                   // exclusive only while opening and closing
  std::unique_ptr<Handles> handles_;
  bool read_only_ TM_GUARDED_BY(mutex_) = false;
  bool may_create_ TM_GUARDED_BY(mutex_) = false;
  bool closed_ TM_GUARDED_BY(mutex_) = false;
};

// Writes the pages of one epoch of one partition, in key order, into a file that Ingest takes.
class SstWriter {
 public:
  // `properties` are stored in the file, so that it says itself what it is.
  static Result<std::unique_ptr<SstWriter>> Open(RocksStore* store, std::string path,
                                                 std::vector<std::pair<std::string, std::string>> properties);
  ~SstWriter();
  Result<void> Put(std::string_view key, std::string_view value);
  // Syncs the file. Returns its size.
  Result<uint64_t> Finish();

 private:
  struct Impl;
  SstWriter();
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemark::storage::rocks
