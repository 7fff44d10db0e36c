// Copies: what of a store cannot be told from its pages, a second time, in files of its own beside RocksDB:
//
//   copy/meta        the records of `meta` (databases, options, live epochs, deletions, documents) but for the pages of
//                    small epochs, as of the last checkpoint; copy/meta.old: of the one before
//   copy/names/<db>  names, as the index saves them, but for which series have which fields, which epochs tell
//
// A checkpoint brings them to disk before it trims the journal. A rescue fills with them what tables and logs of
// RocksDB have lost. Format: storage/FORMAT.md, "Copies".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/deadline.h"
#include "storage/base/result.h"
#include "storage/copy/record_file.h"
#include "storage/model/ids.h"
#include "storage/rocks/rocks_store.h"

namespace tidemark::storage::copy {

[[nodiscard]] std::string MetaPath(const std::string& directory);
[[nodiscard]] std::string OldMetaPath(const std::string& directory);
[[nodiscard]] std::string NamesPath(const std::string& directory, model::DatabaseId database);
// Whether names are copied under this key of the index.
[[nodiscard]] bool IsCopied(std::string_view index_key);

// What copy/meta says of itself.
struct MetaHead {
  std::string store_id;
  // Of the checkpoint that it was made by: later changes are not in it.
  uint64_t checkpoint_sequence = 0;
  struct NameFile {
    uint64_t bytes = 0;       // what stands behind them belongs to a checkpoint that was cut short
    uint64_t made_bytes = 0;  // when it was last made anew, without anything that is dead
  };
  std::map<model::DatabaseId, NameFile> names;
};

struct MetaCopy {
  MetaHead head;
  std::vector<Record> records;  // of family `meta`
};
// The newest of the two that is whole; nullopt: there is none. Errors: kIo.
Result<std::optional<MetaCopy>> ReadMetaCopy(rocksdb::FileSystem* files, const std::string& directory);

// Writes the copies of a store that is open. Of one thread at a time.
class CopyKeeper {
 public:
  // `rocks` outlives it. Nothing is read or written yet.
  CopyKeeper(rocksdb::FileSystem* files, std::string directory, std::string store_id, const rocks::RocksStore* rocks)
      : files_(*files), directory_(std::move(directory)), store_id_(std::move(store_id)), rocks_(*rocks) {}

  // Of a checkpoint that is in table files: `before` is the checkpoint before it, `names` the keys of what it has saved
  // of names, by database, `databases` all that there are. Appends the names and makes copy/meta anew; where the files
  // are not those of `before` (the first time, after a crash or a repair), or half of one is dead, it is made anew from
  // RocksDB. Durable when it returns. Errors: kIo, kResourceExhausted; kCancelled once `deadline`, which may be null,
  // has passed: each database's names are a file that is synced; the next call makes good what is missing.
  Result<void> Keep(uint64_t before, uint64_t checkpoint,
                    const std::map<model::DatabaseId, std::vector<std::string>>& names,
                    const std::vector<model::DatabaseId>& databases, const Deadline* deadline = nullptr);

 private:
  using NameFile = MetaHead::NameFile;
  class Growing;
  void Begin(uint64_t before);
  Result<void> Append(model::DatabaseId database, const std::vector<std::string>& keys, NameFile* file);
  Result<void> Remake(model::DatabaseId database, NameFile* file);
  Result<void> WriteMeta(uint64_t checkpoint);
  Result<void> MakeFolders();

  rocksdb::FileSystem& files_;
  const std::string directory_;
  const std::string store_id_;
  const rocks::RocksStore& rocks_;
  bool begun_ = false;
  std::map<model::DatabaseId, NameFile> names_;
};

}  // namespace tidemark::storage::copy
