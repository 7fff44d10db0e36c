// WriteIdBook: which requests with an X-Write-Id have been written, so that one that is sent again, because its answer
// was lost, writes each row once. It outlives restarts, and is bounded in number and time.
//
//   WriteIdBook::Turn turn = book.Begin(id, now);          // busy: the first attempt is still under way
//   decode with turn.time() in place of now;               // rows without a time get the one they had the first time
//   if (turn.Repeats(digest)) return turn.status();        // as it was answered
//   if (rows were given the time) turn.Promise();          // durable, before a row is
//   turn.Finish(digest, status);                           // or nothing: what the next attempt meets is the same time
//
// On disk: DIRECTORY/log, records of 48 bytes, little-endian, appended:
//
//   u64 XXH3-64 of what follows | u64, u64 id | u64 digest | i64 time in ns | u16 status, 0 while promised | 6 bytes 0
//
// A record that does not carry its checksum ends the file. The last of an id counts.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "storage/base/hash.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/model/batch.h"
#include "storage/model/timestamp.h"

namespace tidemark::server {

struct WriteIdOptions {
  // Ids that are remembered: the one that began first goes. At least 1.
  size_t ids_max = 65'536;
  // How long, by the clock of the requests.
  int64_t keep_ns = int64_t{24} * 3600 * 1'000'000'000;
};

// Thread-safe.
class WriteIdBook {
 public:
  static constexpr size_t kMaxIdBytes = 128;

  // What is known of an id, and the right to write under it until it goes out of scope.
  class Turn {
   public:
    Turn(Turn&& other) noexcept;
    Turn& operator=(Turn&&) = delete;
    ~Turn();

    // Another request with this id is under way; everything else is for turns that are not busy.
    [[nodiscard]] bool busy() const { return busy_; }
    // What stands in place of a time that a row does not have.
    [[nodiscard]] model::Timestamp time() const { return time_; }
    // Whether the same rows were written under this id. kConflict: others were.
    [[nodiscard]] Result<bool> Repeats(uint64_t digest) const;
    // Makes time() last. kIo.
    Result<void> Promise();
    // The rows are written, those that were refused excepted: `status` is 204 or 400.
    void Finish(uint64_t digest, uint16_t status);
    // How that was answered.
    [[nodiscard]] uint16_t status() const { return status_; }

   private:
    friend class WriteIdBook;
    Turn() = default;
    WriteIdBook* book_ = nullptr;
    Hash128 id_;
    bool busy_ = false;
    model::Timestamp time_;
    uint64_t digest_ = 0;
    uint16_t status_ = 0;
    bool kept_ = false;  // stays known when the turn ends
  };

  // Reads what there is; makes the folder when it is missing. `directory` "": nothing outlives the process. Errors:
  // kIo.
  static Result<std::unique_ptr<WriteIdBook>> Open(const std::string& directory, const WriteIdOptions& options = {});
  ~WriteIdBook();
  WriteIdBook(const WriteIdBook&) = delete;
  WriteIdBook& operator=(const WriteIdBook&) = delete;

  // The id is one of this sender and database only.
  Turn Begin(std::string_view sender, std::string_view database, std::string_view id, model::Timestamp now);

  [[nodiscard]] size_t size() const;
  [[nodiscard]] uint64_t repeats() const { return repeats_.load(std::memory_order_relaxed); }

 private:
  struct Record {
    Hash128 id;
    uint64_t digest = 0;
    int64_t time_ns = 0;
    uint16_t status = 0;
  };
  struct Entry {
    Record record;
    bool busy = false;
    std::list<Hash128>::iterator age;
  };
  struct IdHash {
    size_t operator()(const Hash128& id) const { return static_cast<size_t>(id.low); }
  };

  WriteIdBook(std::string directory, const WriteIdOptions& options)
      : directory_(std::move(directory)), options_(options) {}
  Status Load() TM_EXCLUDES(mutex_);
  void Take(const Record& record) TM_REQUIRES(mutex_);
  void Forget(int64_t now_ns) TM_REQUIRES(mutex_);
  // Appends; the number of the record, to be waited for.
  Result<uint64_t> Append(const Record& record) TM_REQUIRES(mutex_);
  Result<uint64_t> Put(const Record& record) TM_REQUIRES(mutex_);
  Status Rewrite() TM_REQUIRES(mutex_);
  Status Sync(uint64_t number) TM_EXCLUDES(mutex_, sync_mutex_);
  void End(const Turn& turn) TM_EXCLUDES(mutex_);
  Status Promise(const Turn& turn) TM_EXCLUDES(mutex_);
  void Finish(const Turn& turn) TM_EXCLUDES(mutex_);

  const std::string directory_;
  const WriteIdOptions options_;
  std::atomic<uint64_t> repeats_{0};
  mutable Mutex mutex_;
  std::unordered_map<Hash128, Entry, IdHash> entries_ TM_GUARDED_BY(mutex_);
  std::list<Hash128> ages_ TM_GUARDED_BY(mutex_);  // the first that began is in front
  int file_ TM_GUARDED_BY(mutex_) = -1;
  uint64_t records_ TM_GUARDED_BY(mutex_) = 0;   // in the file
  uint64_t appended_ TM_GUARDED_BY(mutex_) = 0;  // since the start
  Mutex sync_mutex_;                             // before mutex_ where both are held
  uint64_t synced_ TM_GUARDED_BY(sync_mutex_) = 0;
};

// What a repeat must have in common with the first attempt: the rows, each with its series, fields, types, time and
// values. (Not the bytes: a native batch may bring its dictionary once, and once not. A time that was not sent is that
// of the turn, which a repeat is given again.)
uint64_t DigestOf(const model::Batch& batch);

}  // namespace tidemark::server
