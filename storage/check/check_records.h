// CheckRecords: whether a start could read all records and names of a store. Pages, and the bytes of documents, are not
// read.
#pragma once

#include <cstdint>
#include <functional>
#include <set>

#include "storage/base/result.h"
#include "storage/meta/meta_store.h"
#include "storage/rocks/rocks_store.h"

namespace tidemark::storage::check {

// Errors: kCorruption with the first that is damaged or missing; kUnsupported, kIo.
Result<void> CheckRecords(const rocks::RocksStore& rocks);

// Whether a table can be put beside every table of pages: RocksDB reads the first page of the one that follows for
// that. Errors: kCorruption, kIo.
Result<void> CheckFirstPages(const rocks::RocksStore& rocks);

// Epochs of which a page, the list of pages or that of series cannot be read, or is not what was written. Reads all
// pages; `progress` is told now and then how many. Errors: of records that cannot be read.
Result<std::set<meta::EpochId>> FindDamagedEpochs(const rocks::RocksStore& rocks,
                                                  const std::function<void(uint64_t pages)>& progress);

}  // namespace tidemark::storage::check
