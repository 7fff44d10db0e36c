// RocksDB's information log, sent to ours.
#pragma once

#include <memory>

namespace rocksdb {
class Logger;
}

namespace tidemark::storage::rocks {

// Errors stay errors. RocksDB warns of much that is as it should be (a file without a unique id, for one), so its
// warnings are written at level debug, the rest at level trace.
std::shared_ptr<rocksdb::Logger> MakeRocksLogger();

}  // namespace tidemark::storage::rocks
