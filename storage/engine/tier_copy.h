// CopyTiers: the tiers of an epoch that has nothing else, without those that are not kept and without what is deleted.
#pragma once

#include <vector>

#include "storage/base/result.h"
#include "storage/engine/epoch.h"
#include "storage/engine/mask.h"
#include "storage/engine/partition_pages.h"
#include "storage/storage.h"

namespace tidemark::storage {

// `masks` take every bucket whole that has times of them: from the narrowest tier of the epoch, of which the wider ones
// are made anew as far as its width divides theirs. Errors: kCorruption when a page is damaged, kIo.
Result<PartitionPages> CopyTiers(const Epoch& epoch, const SourceMasks& masks, const std::vector<RollupTier>& tiers);

}  // namespace tidemark::storage
