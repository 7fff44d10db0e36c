// What the journal of a damaged store can still tell. The directory is only read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "storage/base/result.h"
#include "storage/database/journal_record.h"

namespace rocksdb {
class FileSystem;
}

namespace tidemark::storage::rescue {

// The sequence of the first record that is there; 0: there is none. `directory`: of the store. Errors: kIo,
// kUnsupported (format version).
Result<uint64_t> FirstJournalSequence(rocksdb::FileSystem* files, const std::string& directory);

// Calls `visit` with each record from `first_sequence` on that can be read, those of self-tests left out. Errors: as
// FirstJournalSequence, and those of `visit`.
using JournalRecordFn = std::function<Result<void>(const database::JournalRecord& record)>;
Result<void> ForEachJournalRecord(rocksdb::FileSystem* files, const std::string& directory, uint64_t first_sequence,
                                  const JournalRecordFn& visit);

}  // namespace tidemark::storage::rescue
