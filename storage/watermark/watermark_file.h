// WatermarkFile: the file `watermark` of a store that takes writes. Each acknowledged group of writes and each change
// of meta is noted in it before the answer; once a second it is synced.
//
//   TM_TRY_ASSIGN(const WatermarkSight sight, ReadWatermark(files, directory));        // what was noted last
//   TM_TRY_ASSIGN(auto file, WatermarkFile::Begin(files, directory, first));           // from now on
//   TM_RETURN_IF_ERROR(file->NoteDurable(mark, now_ns));
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/journal/journal.h"
#include "storage/watermark/watermark.h"

namespace rocksdb {
class FileSystem;
class FSRandomRWFile;
}  // namespace rocksdb

namespace tidemark::storage::watermark {

// What a directory says.
struct WatermarkSight {
  bool there = false;               // the file is
  std::optional<Watermark> newest;  // of the slots that can be read
  std::vector<Moment> moments;
  // Why a slot cannot be read that is not empty; "" when all can.
  std::string damage;
};

[[nodiscard]] std::string WatermarkPath(const std::string& directory);
// Changes nothing. Errors: kIo, kUnsupported; damage is no error.
Result<WatermarkSight> ReadWatermark(rocksdb::FileSystem* files, const std::string& directory);
// The run of the machine, as the system says it; "" where it says nothing.
[[nodiscard]] std::string SystemBootId();

// Thread-safe. Its locks are taken last.
class WatermarkFile {
 public:
  // Makes the file anew with `first` in it, durable when it returns; what was there before is replaced at once.
  // Counts of journal marks are added to those of `first.durable`. `moments`: that are still true. Errors: kIo,
  // kResourceExhausted.
  static Result<std::unique_ptr<WatermarkFile>> Begin(rocksdb::FileSystem* files, const std::string& directory,
                                                      const Watermark& first, std::vector<Moment> moments);
  ~WatermarkFile();
  WatermarkFile(const WatermarkFile&) = delete;
  WatermarkFile& operator=(const WatermarkFile&) = delete;

  // A group of records is on disk and about to be acknowledged. In the file when it returns, not synced. Errors: kIo.
  Result<void> NoteDurable(const journal::JournalMark& mark, int64_t now_ns);
  // A checkpoint up to `place` is about to be committed; counts since Begin. Every record up to it has been settled.
  Result<void> NoteCheckpoint(Place place);
  // A change of meta is on disk, at RocksDB's `sequence`. Synced when it returns.
  Result<void> NoteMeta(uint64_t rocks_sequence, uint64_t epochs_hash, uint64_t checkpoint_sequence);
  // Syncs, if anything was noted since, and notes the moment.
  Result<void> Sync(int64_t now_ns);
  // The store has been closed, and everything is synced. Nothing may be noted afterwards.
  Result<void> Close();

 private:
  WatermarkFile(std::string path, const Watermark& first, std::vector<Moment> moments);
  Result<void> WriteLocked() TM_REQUIRES(mutex_);
  Result<void> SyncFile() TM_REQUIRES(sync_mutex_) TM_EXCLUDES(mutex_);

  const std::string path_;
  const Place base_;
  std::unique_ptr<rocksdb::FSRandomRWFile> file_;
  Mutex sync_mutex_;  // taken before mutex_: one sync at a time, beside which others note
  Mutex mutex_;
  Watermark last_ TM_GUARDED_BY(mutex_);
  std::vector<Moment> moments_ TM_GUARDED_BY(mutex_);
  bool dirty_ TM_GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::storage::watermark
