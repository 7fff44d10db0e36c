// DatabaseState: where the rows of a database lie at one moment. Immutable: a change makes a new one, so that a view
// keeps what it started with.
#pragma once

#include <memory>
#include <vector>

#include "storage/engine/epoch.h"
#include "storage/engine/mask.h"
#include "storage/engine/partition_bounds.h"
#include "storage/engine/slab.h"
#include "storage/engine/staged_set.h"

namespace tidemark::storage {

struct DatabaseState {
  std::vector<std::shared_ptr<const Epoch>> epochs;  // ascending by precedence
  std::vector<std::shared_ptr<const Slab>> slabs;    // ascending by number; newer than all epochs
  std::vector<std::shared_ptr<StagedSet>> frozen;    // ascending by number
  std::shared_ptr<StagedSet> live;
  MaskList masks;  // ascending by number
};

// The partitions that rows in `wanted` (from PartitionOf, ascending) belong to, ascending and disjoint: those that
// exist, where one holds the time, whatever the length of partitions is now; else what is left between them. Partitions
// never overlap, so that folding one never puts its old rows over newer ones of another.
std::vector<PartitionBounds> FitPartitions(const DatabaseState& state, const std::vector<PartitionBounds>& wanted);

}  // namespace tidemark::storage
