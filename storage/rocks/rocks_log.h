// How a log file of RocksDB ends. RocksDB tells a torn last record, which was never acknowledged, from a damaged one
// only where bytes are missing; a power cut can also leave a last record of full length with sectors that are not its
// own. Every change of ours is synced before the next is written, so that the beginning of a later record proves that
// what lies before it was on disk.
//
// Format: https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format (logs are not recycled here).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace rocksdb {
class FileSystem;
}

namespace tidemark::storage::rocks {

enum class LogEnd : uint8_t {
  kWhole,    // records up to the end, or up to zeros
  kTorn,     // a last record that is not whole; nothing says that it ever was
  kDamaged,  // a record that is not what was written, and a later one behind it
};

// `log`: the bytes of one file.
[[nodiscard]] LogEnd ClassifyLog(std::string_view log);

// Where the last record ends that can be read from the front of `log` without a gap.
[[nodiscard]] size_t WholeBytes(std::string_view log);

// The paths of the log files of a database directory, in the order in which they were written. Errors: kIo.
Result<std::vector<std::string>> LogsIn(rocksdb::FileSystem* files, const std::string& directory);

// That of all log files of a database directory: kTorn only where it is the newest file that has a torn end and all
// others are whole. Errors: kIo.
Result<LogEnd> ClassifyLogs(rocksdb::FileSystem* files, const std::string& directory);

}  // namespace tidemark::storage::rocks
