// Makes what happened to the names in a directory durable.
#pragma once

#include <string>

#include "storage/base/result.h"

namespace rocksdb {
class FileSystem;
}

namespace tidemark::journal {

// Files that were made, renamed or removed in the directory are so after a power cut. Errors: kIo, kResourceExhausted.
Result<void> SyncDirectory(rocksdb::FileSystem* files, const std::string& path);

}  // namespace tidemark::journal
