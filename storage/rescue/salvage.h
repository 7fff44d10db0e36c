// Salvage: what can still be read of a store whose RocksDB cannot be opened, or whose records or names cannot be read:
// its CURRENT or MANIFEST is gone or damaged, or a table of names or records. The directory is only read.
//
//   TM_TRY_ASSIGN(Salvage salvage, SalvageStore({.directory = directory}));
//   salvage.rocks->ForEach(Family::kMeta, ...);      // as of a store that was opened
//
// Tables of names and records, and RocksDB's logs, are copied into memory, where RocksDB's own repair makes a database
// of them: by the sequence numbers in them the newest of each record wins. Of tables that are damaged, what can be read
// fills what is missing then, and what is missing still of what rows need is made up. Pages stay where they lie.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/finding.h"
#include "storage/rocks/loose_tables.h"
#include "storage/rocks/rocks_store.h"

namespace rocksdb {
class FileSystem;
}

namespace tidemark::storage::rescue {

struct SalvageOptions {
  std::string directory;  // of the store
  // Null: the system's.
  std::shared_ptr<rocksdb::FileSystem> file_system;
  uint64_t cache_bytes = 0;
  // Records or names are known to be lost: a table that no record names may be live all the same.
  bool records_lost = false;
};

struct PageTable {
  rocks::TableSight sight;
  std::string path;
};

struct Salvage {
  // Index and meta in memory, pages in their files. Not to be written to.
  std::shared_ptr<rocks::RocksStore> rocks;
  // Tables of pages of live epochs.
  std::vector<PageTable> pages;
  // Each place that is damaged, and what is missing by it.
  std::vector<model::Finding> findings;
  // Epochs of which a page cannot be read, as far as somebody has looked: a rebuild keeps what is left of them.
  std::set<std::pair<model::DatabaseId, uint64_t>> damaged;
  // Names that nothing tells any more were made up.
  bool names_lost = false;
  // Whether all names and records are there although a table of names could not be read: the copies had the rest.
  bool complete = false;
  // RocksDB's number of the last change, when every table of names and records and every log was whole.
  std::optional<uint64_t> sequence;
};

// Errors: kIo; kNotFound when there is nothing to be read at all.
Result<Salvage> SalvageStore(const SalvageOptions& options);

// The key that no record of a store has; a salvage leaves one in index and meta.
[[nodiscard]] bool IsSeed(std::string_view key);

}  // namespace tidemark::storage::rescue
