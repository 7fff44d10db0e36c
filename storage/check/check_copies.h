// CheckCopies: whether the copies of names and records (storage/copy) are as they were written.
#pragma once

#include <string>
#include <vector>

#include "storage/base/result.h"

namespace rocksdb {
class FileSystem;
}

namespace tidemark::storage::check {

struct DamagedCopy {
  std::string path;
  std::string what;  // a clause
};

// Those that are damaged. None where there are none, as in stores of older versions; what a checkpoint that was cut
// short left is no damage. Nothing is missing by one: the next checkpoint of a server that does not find it makes it
// anew. Errors: kIo.
Result<std::vector<DamagedCopy>> CheckCopies(rocksdb::FileSystem* files, const std::string& directory);

}  // namespace tidemark::storage::check
