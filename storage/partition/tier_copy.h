// CopyTiers: the tiers of an epoch that has nothing else, without those that are not kept and without what is deleted.
#pragma once

#include <vector>

#include "storage/base/result.h"
#include "storage/partition/epoch.h"
#include "storage/partition/partition_pages.h"
#include "storage/retention/mask.h"
#include "storage/storage.h"

namespace tidemark::storage::partition {

// `masks` take every bucket whole that has times of them: from the narrowest tier of the epoch, of which the wider ones
// are made anew as far as its width divides theirs. Errors: kCorruption when a page is damaged, kIo.
Result<PartitionPages> CopyTiers(const Epoch& epoch, const retention::SourceMasks& masks,
                                 const std::vector<RollupTier>& tiers);

}  // namespace tidemark::storage::partition
