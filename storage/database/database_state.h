// DatabaseState: where the rows of a database lie at one moment. Immutable: a change makes a new one, so that a view
// keeps what it started with.
#pragma once

#include <memory>
#include <vector>

#include "storage/database/staged_set.h"
#include "storage/partition/epoch.h"
#include "storage/partition/partition_bounds.h"
#include "storage/partition/slab.h"
#include "storage/retention/mask.h"

namespace tidemark::storage::database {

struct DatabaseState {
  std::vector<std::shared_ptr<const partition::Epoch>> epochs;  // ascending by precedence
  std::vector<std::shared_ptr<const partition::Slab>> slabs;    // ascending by number; newer than all epochs
  std::vector<std::shared_ptr<StagedSet>> frozen;               // ascending by number
  std::shared_ptr<StagedSet> live;
  retention::MaskList masks;  // ascending by number
};

// The partitions that rows in `wanted` (from PartitionOf, ascending) belong to, ascending and disjoint: those that
// exist, where one holds the time, whatever the length of partitions is now; else what is left between them. Partitions
// never overlap, so that folding one never puts its old rows over newer ones of another.
std::vector<partition::PartitionBounds> FitPartitions(const DatabaseState& state,
                                                      const std::vector<partition::PartitionBounds>& wanted);

}  // namespace tidemark::storage::database
