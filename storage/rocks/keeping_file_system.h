// KeepingFileSystem: the file system under RocksDB, which keeps a file that RocksDB would delete too early.
//
// When the record of an ingestion cannot be synced to the MANIFEST, 7.8 deletes the files that it was about to take in,
// although the record may be in the MANIFEST all the same. A database with such a record and without the file does not
// open any more. So files are not deleted by a thread that ingests; those that turn out to be nobody's are deleted by
// RocksDB at its next open.
#pragma once

#include <rocksdb/file_system.h>

#include <memory>
#include <set>
#include <string>
#include <thread>

#include "storage/base/mutex.h"

namespace tidemark::storage::rocks {

// Thread-safe.
class KeepingFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  // Files directly in `directory` are kept.
  KeepingFileSystem(const std::shared_ptr<rocksdb::FileSystem>& target, const std::string& directory);
  ~KeepingFileSystem() override;
  [[nodiscard]] const char* Name() const override { return "KeepingFileSystem"; }

  // While it lives, the calling thread deletes no SST of the directory.
  class Guard {
   public:
    explicit Guard(KeepingFileSystem* files);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    KeepingFileSystem* const files_;
  };

  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

 private:
  const std::string directory_;
  Mutex mutex_;
  std::set<std::thread::id> keeping_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::storage::rocks
