// PrivateFileSystem: what is made through it is its owner's alone, whichever umask the process has.
#pragma once

#include <rocksdb/file_system.h>

#include <memory>
#include <string>

namespace tidemark::storage::rocks {

// Files are made with 0600 and folders with 0700; what is there already keeps what it has (MakePrivate). On a medium
// without owners all is as it is there. Thread-safe.
class PrivateFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  // `target`: one whose paths are the system's.
  explicit PrivateFileSystem(const std::shared_ptr<rocksdb::FileSystem>& target);
  [[nodiscard]] const char* Name() const override { return "PrivateFileSystem"; }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus CreateDir(const std::string& path, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus CreateDirIfMissing(const std::string& path, const rocksdb::IOOptions& options,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus LockFile(const std::string& path, const rocksdb::IOOptions& options, rocksdb::FileLock** lock,
                             rocksdb::IODebugContext* debug) override;
};

}  // namespace tidemark::storage::rocks
