// CheckRecords: whether a start could read all records and names of a store. Pages, and the bytes of documents, are not
// read.
#pragma once

#include "storage/base/result.h"
#include "storage/rocks/rocks_store.h"

namespace tidemark::storage::check {

// Errors: kCorruption with the first that is damaged or missing; kUnsupported, kIo.
Result<void> CheckRecords(const rocks::RocksStore& rocks);

// Whether a table can be put beside every table of pages: RocksDB reads the first page of the one that follows for
// that. Errors: kCorruption, kIo.
Result<void> CheckFirstPages(const rocks::RocksStore& rocks);

}  // namespace tidemark::storage::check
