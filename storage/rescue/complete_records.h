// CompleteRecords: makes what was salvaged of `meta` a whole again: every epoch has its pages and its database, and
// there is a store record. What is missing is made anew from what tables of pages say of themselves, and told.
#pragma once

#include <string>
#include <vector>

#include "storage/base/result.h"
#include "storage/rescue/salvage.h"

namespace tidemark::storage::rescue {

struct TablesFound {
  rocksdb::FileSystem* files = nullptr;
  std::string directory;  // of the store, whose journal tells of databases too
  std::vector<PageTable> tables;
  // Whether every record is there: a table that no record names is one that is not live then.
  bool whole = false;
};

// Errors: kUnsupported (a record of a later version), kIo.
Result<void> CompleteRecords(const TablesFound& found, Salvage* salvage);

}  // namespace tidemark::storage::rescue
