// StoreLock: that nobody else has a data directory open. It is on the directory itself, on the file LOCK in it, and on
// the lock file of RocksDB, so that no removal of a file lets a second process in.
#pragma once

#include <memory>
#include <string>

#include "storage/base/result.h"

namespace rocksdb {
class FileLock;
}

namespace tidemark::storage::rocks {

// Held while it lives. Of one thread.
class StoreLock {
 public:
  // `directory`: of a store. Changes nothing. Errors: kNotFound when there is none, kUnavailable when somebody has it
  // open: the message says who.
  static Result<std::unique_ptr<StoreLock>> Take(const std::string& directory);
  // The same of a directory in which a store is about to be made.
  static Result<std::unique_ptr<StoreLock>> TakeNew(const std::string& directory);
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

  // Lets go of RocksDB's lock file, which RocksDB takes itself when it opens the directory for writing.
  void LetRocksDbLock();
  // Writes into the file LOCK who has the store: this process and `address` (one line; "": none). Makes the file
  // the first time. Errors: kIo.
  Result<void> Announce(const std::string& address);

 private:
  explicit StoreLock(std::string directory) : directory_(std::move(directory)) {}
  Result<void> LockDirectory();
  Result<void> LockRocksDb();

  const std::string directory_;
  int folder_ = -1;  // file descriptors
  int file_ = -1;
  bool announced_ = false;
  rocksdb::FileLock* rocks_ = nullptr;
};

}  // namespace tidemark::storage::rocks
