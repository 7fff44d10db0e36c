// Record files: keys and values in blocks that are packed and carry a checksum, one after the other. What a copy is
// made of. Format: storage/FORMAT.md, "Copies".
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/result.h"

namespace rocksdb {
class FileSystem;
}

namespace tidemark::storage::copy {

using Record = std::pair<std::string, std::string>;  // key, value

// Puts records together and appends them to `out` as blocks.
class BlockWriter {
 public:
  explicit BlockWriter(std::string* out) : out_(*out) {}
  void Add(std::string_view key, std::string_view value);
  // The block that is not full yet. After the last record.
  void Finish();

 private:
  std::string& out_;
  std::string raw_;
};

// Calls `visit` with the records of a file, the first `limit` bytes of it, in the order of writing. Returns how many
// bytes are whole: less than there are where a block is damaged or cut, which ends it. Errors: kNotFound, kIo; those of
// `visit`.
using VisitFn = std::function<Result<void>(std::string_view key, std::string_view value)>;
Result<uint64_t> ReadRecordFile(rocksdb::FileSystem* files, const std::string& path, uint64_t limit,
                                const VisitFn& visit);

}  // namespace tidemark::storage::copy
