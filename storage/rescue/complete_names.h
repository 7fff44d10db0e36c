// CompleteNames: makes what was salvaged of `index` a whole again: every id that rows are kept under has a name. What
// is lost gets one that says so (index/made_up_names.h), and is told.
#pragma once

#include <memory>
#include <string>

#include "storage/base/result.h"
#include "storage/rescue/salvage.h"

namespace rocksdb {
class FileSystem;
}

namespace tidemark::storage::rescue {

// After CompleteRecords. What tables have lost is taken from the copies (storage/copy) first; returns whether those are
// whole and of the last checkpoint, so that no name is missing. `directory`: of the store, whose journal tells names
// too. Errors: kUnsupported (what a later version wrote), kIo.
Result<bool> CompleteNames(const std::shared_ptr<rocksdb::FileSystem>& files, const std::string& directory,
                           Salvage* salvage);

}  // namespace tidemark::storage::rescue
