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

}  // namespace tidemark::storage::rocks
