#include "storage/journal/sync_directory.h"

#include <rocksdb/file_system.h>

#include <memory>

#include "storage/journal/segment_writer.h"

namespace tidemark::journal {

Result<void> SyncDirectory(rocksdb::FileSystem* files, const std::string& path) {
  std::unique_ptr<rocksdb::FSDirectory> directory;
  rocksdb::IOStatus status = files->NewDirectory(path, rocksdb::IOOptions(), &directory, nullptr);
  if (status.ok()) status = directory->Fsync(rocksdb::IOOptions(), nullptr);
  if (!status.ok()) return FromStatus(status, path);
  return {};
}

}  // namespace tidemark::journal
