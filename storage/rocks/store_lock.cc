#include "storage/rocks/store_lock.h"

#include <fmt/core.h>
#include <rocksdb/env.h>

#include "storage/rocks/store_identity.h"

namespace tidemark::storage::rocks {
namespace {

class RocksLock final : public StoreLock {
 public:
  explicit RocksLock(rocksdb::FileLock* lock) : lock_(lock) {}
  ~RocksLock() override { rocksdb::Env::Default()->UnlockFile(lock_).PermitUncheckedError(); }
  RocksLock(const RocksLock&) = delete;
  RocksLock& operator=(const RocksLock&) = delete;

 private:
  rocksdb::FileLock* const lock_;
};

// Of a store without a lock file: nobody has it open.
class NoLock final : public StoreLock {};

}  // namespace

Result<std::unique_ptr<StoreLock>> StoreLock::Take(const std::string& directory) {
  rocksdb::Env* const env = rocksdb::Env::Default();
  const std::string path = directory + "/rocksdb/LOCK";
  // Locking would make the file; whoever has a store open has made it already.
  if (!env->FileExists(path).ok()) {
    for (const std::string& trace : {IdentityPath(directory), directory + "/rocksdb/CURRENT"}) {
      if (env->FileExists(trace).ok()) return std::make_unique<NoLock>();
    }
    return NotFound(
        fmt::format("{} is no data directory: neither {} nor {} is there", directory, IdentityPath(directory), path));
  }
  rocksdb::FileLock* lock = nullptr;
  const rocksdb::Status status = env->LockFile(path, &lock);
  if (!status.ok()) {
    return MakeError(ErrorCode::kUnavailable,
                     fmt::format("{} is in use: stop the server first ({})", directory, status.ToString()));
  }
  return std::make_unique<RocksLock>(lock);
}

}  // namespace tidemark::storage::rocks
