// Reserve: room of the disk, and names in its directory, that are kept for what gives space back when it is full: the
// log and the tables of RocksDB that say that something is gone come before anything can go.
//
//   <data>/reserve/space      allocated, not written
//   <data>/reserve/name-00    empty; each keeps an inode
#pragma once

#include <cstdint>
#include <string>

#include "storage/base/mutex.h"
#include "storage/base/result.h"

namespace tidemark::storage::disk {

// What a disk has for this process; `known` is false where the system does not say.
struct DiskRoom {
  bool known = false;
  uint64_t bytes = 0;     // free
  uint64_t capacity = 0;  // in bytes
  uint64_t names = 0;     // free inodes; many where the file system does not count them
};
[[nodiscard]] DiskRoom RoomOf(const std::string& directory);

// How large a reserve of a disk is to be: at least `least_bytes`, twice `change_bytes` (of the largest change of meta)
// where that is more, a sixteenth of the disk at most. 0 when `least_bytes` is.
[[nodiscard]] uint64_t ReserveBytes(uint64_t least_bytes, uint64_t change_bytes, const DiskRoom& disk);

// Thread-safe.
class Reserve {
 public:
  static constexpr uint64_t kNames = 32;

  // `directory`: of the store. `least_bytes` 0: there is none, and what an earlier start left goes. Changes nothing.
  Reserve(std::string directory, uint64_t least_bytes);

  // Makes it as large as it is to be. Errors: kResourceExhausted while the disk has not so much and a little more: then
  // nothing of that is taken; kIo. Whoever let it go has it again when this succeeds.
  Result<void> Keep(uint64_t change_bytes);
  // Whether the disk is so full that acts may fail: less than 4 MiB (or half
  // of the reserve) is free beside it, or less than half as many names as it has, see its
  // names.
  [[nodiscard]] bool DiskIsFull() const;
  // Gives all of it to the disk. It is in use from here on, whether there was one or not.
  void Release();

  [[nodiscard]] uint64_t bytes() const;
  [[nodiscard]] uint64_t wanted_bytes() const;
  [[nodiscard]] bool in_use() const;

 private:
  [[nodiscard]] std::string SpacePath() const;
  [[nodiscard]] std::string NamePath(uint64_t number) const;
  // What lies there, as the disk counts it.
  void Look() TM_REQUIRES(mutex_);
  Result<void> MakeSpace(uint64_t bytes) TM_REQUIRES(mutex_);
  Result<void> MakeNames() TM_REQUIRES(mutex_);
  void Remove() TM_REQUIRES(mutex_);

  const std::string directory_;
  const uint64_t least_bytes_;
  mutable Mutex mutex_;
  uint64_t bytes_ TM_GUARDED_BY(mutex_) = 0;
  uint64_t wanted_ TM_GUARDED_BY(mutex_) = 0;
  uint64_t largest_change_ TM_GUARDED_BY(mutex_) = 0;
  uint64_t names_ TM_GUARDED_BY(mutex_) = 0;
  bool in_use_ TM_GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::storage::disk
