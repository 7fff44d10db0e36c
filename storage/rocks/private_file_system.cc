#include "storage/rocks/private_file_system.h"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace tidemark::storage::rocks {
namespace {

constexpr mode_t kFile = S_IRUSR | S_IWUSR;
constexpr mode_t kFolder = S_IRWXU;

// What it was made with is 0644 or 0755 less the umask: nobody could have opened it for writing meanwhile, and nothing
// is in it yet. A medium that knows no rights refuses, and there is nothing to take.
rocksdb::IOStatus Closed(rocksdb::IOStatus made, const std::string& path, mode_t mode) {
  if (made.ok()) static_cast<void>(::chmod(path.c_str(), mode));
  return made;
}

bool IsThere(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace

PrivateFileSystem::PrivateFileSystem(const std::shared_ptr<rocksdb::FileSystem>& target)
    : rocksdb::FileSystemWrapper(target) {}

rocksdb::IOStatus PrivateFileSystem::NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                                     std::unique_ptr<rocksdb::FSWritableFile>* file,
                                                     rocksdb::IODebugContext* debug) {
  return Closed(target()->NewWritableFile(path, options, file, debug), path, kFile);
}

rocksdb::IOStatus PrivateFileSystem::NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                                                     std::unique_ptr<rocksdb::FSRandomRWFile>* file,
                                                     rocksdb::IODebugContext* debug) {
  return Closed(target()->NewRandomRWFile(path, options, file, debug), path, kFile);
}

rocksdb::IOStatus PrivateFileSystem::CreateDir(const std::string& path, const rocksdb::IOOptions& options,
                                               rocksdb::IODebugContext* debug) {
  return Closed(target()->CreateDir(path, options, debug), path, kFolder);
}

rocksdb::IOStatus PrivateFileSystem::CreateDirIfMissing(const std::string& path, const rocksdb::IOOptions& options,
                                                        rocksdb::IODebugContext* debug) {
  return IsThere(path) ? target()->CreateDirIfMissing(path, options, debug) : CreateDir(path, options, debug);
}

rocksdb::IOStatus PrivateFileSystem::LockFile(const std::string& path, const rocksdb::IOOptions& options,
                                              rocksdb::FileLock** lock, rocksdb::IODebugContext* debug) {
  const bool there = IsThere(path);
  rocksdb::IOStatus locked = target()->LockFile(path, options, lock, debug);
  return there ? locked : Closed(std::move(locked), path, kFile);
}

}  // namespace tidemark::storage::rocks
