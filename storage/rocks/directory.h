// The directories of a store beside RocksDB's own way to its files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/failure_point.h"
#include "storage/base/result.h"

namespace rocksdb {
class FileSystem;
}

namespace tidemark::storage::rocks {

// Whether there is such a file or directory. Errors: kIo.
Result<bool> Exists(rocksdb::FileSystem* files, const std::string& path);
// The names in a directory, sorted; none when it is not there. Errors: kIo.
Result<std::vector<std::string>> NamesIn(rocksdb::FileSystem* files, const std::string& directory);
// Deletes all files of a directory. Errors: kIo.
Result<void> DeleteFilesIn(rocksdb::FileSystem* files, const std::string& directory);

// Puts `bytes` at `path` in place of what is there: durable when it returns, and the old file or the new one whenever
// the power goes. `written`: the point between. Errors: kIo, kResourceExhausted.
Result<void> ReplaceFile(rocksdb::FileSystem* files, const std::string& path, const std::string& bytes,
                         std::optional<FailurePointName> written = {});

// Moves a file or a directory with all that is in it to where nothing is, or an empty directory: durable when it
// returns. Errors: kIo, kResourceExhausted.
Result<void> RenameDurably(rocksdb::FileSystem* files, const std::string& from, const std::string& to);

// Where the file of an epoch is written before RocksDB takes it in: "epoch-12.sst" in `staging`.
[[nodiscard]] std::string StagingName(uint64_t epoch);
// The epoch of such a name; nullopt for any other.
[[nodiscard]] std::optional<uint64_t> EpochOfStagingName(std::string_view name);

}  // namespace tidemark::storage::rocks
