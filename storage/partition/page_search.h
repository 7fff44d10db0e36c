// SearchPages: the list of the pages of an epoch made anew of the pages themselves, where the list that was written is
// damaged: each says of which series, times and buckets it is. Reads all of the epoch.
#pragma once

#include <cstdint>
#include <string>

#include "storage/base/result.h"
#include "storage/meta/meta_records.h"
#include "storage/partition/page_directory.h"
#include "storage/rocks/rocks_store.h"

namespace tidemark::storage::partition {

struct FoundPages {
  PageDirectory directory;
  // Of those that the record says there are: such that cannot be found, and such that are damaged themselves.
  uint64_t missing = 0;
};

// With a page missing, tiers are left out where raw rows are kept: one with a hole would count rows as not there.
// Errors: kCorruption when not one page can be found, kIo.
Result<FoundPages> SearchPages(const meta::EpochRecord& record, const rocks::RocksStore& rocks);

}  // namespace tidemark::storage::partition
