// Rebuild: a RocksDB made anew on disk from a Salvage, in place of the damaged one.
#pragma once

#include <string>

#include "storage/base/result.h"
#include "storage/rescue/salvage.h"

namespace tidemark::storage::rescue {

// Makes `directory`/rocksdb anew: records and names out of `salvage`, its tables of pages linked, not copied. What was
// there before is moved to `aside`/rocksdb. Until the last step, a rename, what was there stays where it is;
// interrupted between the two renames, FinishExchange goes on. A table that cannot be taken in is added to the
// salvage's findings, and its epoch is left out. Errors: kIo, kResourceExhausted.
Result<void> Rebuild(const std::string& directory, const std::string& aside, Salvage* salvage);

// Of a rebuild that was interrupted before its last rename: does that, under the store's lock. Whether there was one.
// Errors: kUnavailable when somebody has the store, kIo.
Result<bool> FinishExchange(const std::string& directory);

}  // namespace tidemark::storage::rescue
