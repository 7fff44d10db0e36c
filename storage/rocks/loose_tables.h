// LooseTables: tables of pages that are read where they lie, without a RocksDB that knows them: of a directory whose
// CURRENT, MANIFEST or records are damaged. Only reads.
//
//   TM_TRY_ASSIGN(const TableSight sight, LookAtTable(files, path));    // what a table is, by what it says itself
//   tables.Add(sight, path);
//   TM_TRY_ASSIGN(const PageBytes page, tables.Get(key));
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/rocks/keys.h"
#include "storage/rocks/page_bytes.h"

namespace rocksdb {
class Env;
class FileSystem;
class Iterator;
class SstFileReader;
}  // namespace rocksdb

namespace tidemark::storage::rocks {

struct TableSight {
  enum class Kind { kPages, kIndex, kMeta, kOther };
  Kind kind = Kind::kOther;
  uint64_t bytes = 0;
  // Of pages: the epoch that they are, and its partition's length.
  model::DatabaseId database{};
  int64_t partition_start_ns = 0;
  int64_t partition_ns = 0;
  uint64_t epoch = 0;
  uint64_t precedence = 0;
  // Of pages: whether its first block and its last can be read. RocksDB takes in a table of which they cannot be, under
  // keys that are none.
  bool ends_readable = true;
};

// What a table file says that it is. With `whole` all of its blocks are read too. Errors: kCorruption when it cannot be
// read as a table, kIo.
Result<TableSight> LookAtTable(const std::shared_ptr<rocksdb::FileSystem>& files, const std::string& path, bool whole);

// Calls `visit` for all keys in [range.first, range.end) that can be read, ascending. Blocks that cannot be read cost
// what lies in them, and nothing else: where each ends is known from the index of the table. `make`: an iterator over
// all of it, anew at each call, since one that failed stays so. Returns how many such blocks there were. Errors: those
// of `visit`, kIo.
using NewIterator = std::function<std::unique_ptr<rocksdb::Iterator>()>;
using VisitKey = std::function<Result<void>(std::string_view key, std::string_view value)>;
Result<uint64_t> VisitReadable(const NewIterator& make, const KeyRange& range, const VisitKey& visit);

// Thread-safe once all tables have been added.
class LooseTables {
 public:
  explicit LooseTables(std::shared_ptr<rocksdb::FileSystem> files);
  ~LooseTables();
  LooseTables(const LooseTables&) = delete;
  LooseTables& operator=(const LooseTables&) = delete;

  void Add(const TableSight& sight, std::string path);
  // The value of a key of `data`. Errors: kNotFound when no table has it, kCorruption when the table cannot be read.
  [[nodiscard]] Result<PageBytes> Get(std::string_view key) const;
  // VisitReadable of the table of an epoch. Errors besides: kNotFound, kCorruption when nothing of it can be read.
  [[nodiscard]] Result<uint64_t> VisitEpoch(const PageKey& of_epoch, const VisitKey& visit) const;
  [[nodiscard]] bool empty() const { return paths_.empty(); }

 private:
  using EpochPlace = std::tuple<model::DatabaseId, int64_t, uint64_t>;
  Result<std::shared_ptr<rocksdb::SstFileReader>> ReaderOf(const EpochPlace& place) const;

  const std::shared_ptr<rocksdb::FileSystem> files_;
  const std::unique_ptr<rocksdb::Env> env_;
  std::map<EpochPlace, std::string> paths_;
  mutable Mutex mutex_;
  // Those that are open.
  mutable std::map<EpochPlace, std::shared_ptr<rocksdb::SstFileReader>> readers_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::storage::rocks
