// Fold: several page sets of one partition (slabs at a checkpoint, epochs at a compaction) into the pages of one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "storage/base/result.h"
#include "storage/engine/mask.h"
#include "storage/engine/page_set.h"
#include "storage/engine/partition_pages.h"

namespace tidemark::storage {

// `sources` ascending in precedence. Every row of them is in the result once, the last write winning, and tiers are
// built. `masks`: one of each source (or
// none at all): the rows that they hide are left out. Errors: kCorruption when a page is damaged (nothing may be
// dropped because it could not be read), kIo.
Result<PartitionPages> Fold(const std::vector<std::shared_ptr<const PageSet>>& sources, int64_t partition_start_ns,
                            int64_t partition_ns, std::atomic<uint64_t>* corrupt_pages,
                            const std::vector<SourceMasks>& masks = {});

}  // namespace tidemark::storage
