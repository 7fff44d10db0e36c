// The epochs of a database, partition by partition.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "storage/engine/database_state.h"

namespace tidemark::storage {

using EpochList = std::vector<std::shared_ptr<const Epoch>>;  // ascending by precedence
using PartitionId = std::pair<int64_t, int64_t>;              // start, length

std::map<PartitionId, EpochList> ByPartition(const DatabaseState& state);

// Whether some row of `epochs` may be hidden by one of the masks.
bool AnyMasked(const EpochList& epochs, const MaskList& masks);

}  // namespace tidemark::storage
