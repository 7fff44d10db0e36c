// From rocksdb::Status to Error: the one place where they are mapped.
#pragma once

#include <string_view>

#include "storage/base/result.h"

namespace rocksdb {
class Status;
}

namespace tidemark::storage::rocks {

// {} when ok; otherwise an error that starts with `what` ("reading page ...").
Result<void> FromRocks(const rocksdb::Status& status, std::string_view what);

// Whether an open or a lock failed because somebody, of this process or another, has RocksDB's lock file locked; not
// because it cannot be opened, or the file system knows no locks.
[[nodiscard]] bool IsLockHeld(const rocksdb::Status& status);

}  // namespace tidemark::storage::rocks
