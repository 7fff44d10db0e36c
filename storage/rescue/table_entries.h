// FillFromTable: what can be read of a damaged table of names or records, put where nothing better is.
#pragma once

#include <memory>
#include <string>

#include "storage/base/result.h"
#include "storage/rocks/rocks_store.h"

namespace rocksdb {
class FileSystem;
}

namespace tidemark::storage::rescue {

// Reads the table from its front and from its end, to the first block each that cannot be read. A record that `rocks`
// has stays, but for a shorter list of names (names are only ever added) and for numbers that only ever grow. A table
// of which nothing can be read fills nothing. Errors: those of writing to `rocks`.
Result<void> FillFromTable(const std::shared_ptr<rocksdb::FileSystem>& files, const std::string& path,
                           rocks::Family family, rocks::RocksStore* rocks);

}  // namespace tidemark::storage::rescue
