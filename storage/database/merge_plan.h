// Which old partitions are merged into longer ones. A partition has one length whatever the distance of its rows, and
// pays for its frames, pages, directory and file each time: rows of every five minutes are 288 in a day.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "storage/database/partition_epochs.h"
#include "storage/storage.h"

namespace tidemark::storage::database {

// A partition that there is.
struct MergePart {
  PartitionId id;
  uint64_t bytes = 0;
  size_t epochs = 1;
  bool reduced = false;  // only tiers are left
  // Nothing of it is on its way, and it may be written again.
  bool ready = true;
};

struct Merge {
  PartitionId result;
  std::vector<PartitionId> parts;  // at least two, ascending
};

struct MergeLimits {
  int64_t now_ns = 0;      // by which rows grow old
  int64_t grace_ns = 0;    // a partition must have been past for so long
  int64_t longest_ns = 0;  // of the longer ones; 0: there are none
};

// Partitions with so many rows a series have frames that are long enough: half of what a frame holds at most.
inline constexpr uint64_t kLongColumn = 4096;
// Epochs that one merge reads at most: a page of each is held at once.
inline constexpr size_t kMaxMergeEpochs = 256;

// What is to be merged of `parts`, which are all that there are, ascending and disjoint. The longer partitions are 64
// or 8 times as long as those of the database, aligned from 1970, and past; what is merged lies whole in one, is of one
// kind, ready, and has less than kLongColumn rows a series (`rows_per_series`, asked only where all else fits; 0: not
// known, which counts as few). None is longer than an eighth of what is kept of its rows and tiers, so that they go in
// time, and none has more than a sixteenth of max_bytes; none begins with what is too old, or has what goes next for
// being too much, which would be split again. So a row is merged twice at most.
std::vector<Merge> PlanMerges(const std::vector<MergePart>& parts, const DatabaseOptions& options,
                              const MergeLimits& limits,
                              const std::function<uint64_t(const PartitionId&)>& rows_per_series);

}  // namespace tidemark::storage::database
