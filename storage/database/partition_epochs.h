// The epochs of a database, partition by partition.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "storage/database/database_state.h"

namespace tidemark::storage::database {

using EpochList = std::vector<std::shared_ptr<const partition::Epoch>>;  // ascending by precedence
using PartitionId = std::pair<int64_t, int64_t>;                         // start, length

std::map<PartitionId, EpochList> ByPartition(const DatabaseState& state);

// Whether some row of `epochs` may be hidden by one of the masks.
bool AnyMasked(const EpochList& epochs, const retention::MaskList& masks);

}  // namespace tidemark::storage::database
