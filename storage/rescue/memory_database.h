// MemoryDatabase: tables and logs of RocksDB, put into a directory in memory and made a database there by RocksDB's own
// repair.
//
//   TM_TRY_ASSIGN(MemoryDatabase database, MemoryDatabase::Begin());
//   TM_RETURN_IF_ERROR(database.AddFile("000012.sst", bytes));
//   TM_TRY_ASSIGN(auto rocks, database.Open(pages, cache_bytes));
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/rocks/rocks_store.h"

namespace rocksdb {
class FileSystem;
}

namespace tidemark::storage::rescue {

class MemoryDatabase {
 public:
  // Knows the families of a store from the beginning, each by its number: a log names them by that.
  static Result<MemoryDatabase> Begin();
  // A table or a log, under its name.
  Result<void> AddFile(const std::string& name, const std::string& bytes);
  // Once, after the last file. `pages`: of family `data`, which has none here.
  Result<std::shared_ptr<rocks::RocksStore>> Open(std::shared_ptr<const rocks::LooseTables> pages,
                                                  uint64_t cache_bytes);

 private:
  explicit MemoryDatabase(std::shared_ptr<rocksdb::FileSystem> files) : files_(std::move(files)) {}
  std::shared_ptr<rocksdb::FileSystem> files_;
};

// The key of the records that give each family a table; no record of a store has it.
inline constexpr std::string_view kSeedKey{"\0\0\0\0seed", 8};

}  // namespace tidemark::storage::rescue
