#include "storage/rocks/keeping_file_system.h"

#include <filesystem>
#include <utility>

namespace tidemark::storage::rocks {

KeepingFileSystem::KeepingFileSystem(const std::shared_ptr<rocksdb::FileSystem>& target, const std::string& directory)
    : FileSystemWrapper(target), directory_(std::filesystem::path(directory).lexically_normal().string()) {}

KeepingFileSystem::~KeepingFileSystem() = default;

KeepingFileSystem::Guard::Guard(KeepingFileSystem* files) : files_(files) {
  MutexLock lock(files_->mutex_);
  files_->keeping_.insert(std::this_thread::get_id());
}

KeepingFileSystem::Guard::~Guard() {
  MutexLock lock(files_->mutex_);
  files_->keeping_.erase(std::this_thread::get_id());
}

rocksdb::IOStatus KeepingFileSystem::DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                                                rocksdb::IODebugContext* debug) {
  const std::filesystem::path file = std::filesystem::path(path).lexically_normal();
  if (file.extension() == ".sst" && file.parent_path().string() == directory_) {
    MutexLock lock(mutex_);
    if (keeping_.contains(std::this_thread::get_id())) return rocksdb::IOStatus::OK();
  }
  return FileSystemWrapper::DeleteFile(path, options, debug);
}

}  // namespace tidemark::storage::rocks
