// What retentions take from a database: whole partitions, and the raw rows (or some tiers) of partitions of which tiers
// are kept longer.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "storage/database/database_state.h"
#include "storage/database/partition_epochs.h"
#include "storage/storage.h"

namespace tidemark::storage::database {

// The oldest time that is kept; INT64_MIN when everything is.
int64_t OldestKept(int64_t now_ns, int64_t keep_ns);

// The oldest time whose rows readers see of a database, as writers are refused what is older: a whole second, and where
// a bucket of every named tier begins, so that none is split. INT64_MIN when everything is kept, and where a tier
// outlives the rows: then their partition tells of that time until it is reduced.
int64_t OldestSeen(const DatabaseOptions& options, int64_t now_ns);

// The length of a partition of times that have none yet: as `options` say, but where rows go sooner than that and no
// tier outlives them, a quarter of their time (at least an hour), so that they do go: a partition goes whole.
int64_t PartitionLength(const DatabaseOptions& options);

// The last time of a partition.
inline int64_t EndNs(const PartitionId& partition) { return partition.first + (partition.second - 1); }

// Those of the tiers that `options` name that are kept at `now_ns` of a partition.
std::vector<RollupTier> LivingTiers(const DatabaseOptions& options, const PartitionId& partition, int64_t now_ns);

// Whether an epoch has all of `tiers`, which are ascending. true for one whose directory is damaged: nothing is gained
// by writing it again.
bool HasTiers(const partition::Epoch& epoch, const std::vector<RollupTier>& tiers);

struct RetentionPlan {
  // With the bytes that fall free, about.
  std::map<PartitionId, uint64_t> drop;
  std::map<PartitionId, uint64_t> reduce;
  // Longer ones than those that the database makes, of which a part is too old or too much: see PiecesOf.
  std::set<PartitionId> split;
};

// What a partition is split into, ascending and without a gap: at most eight and a bit, and none shorter than what the
// database makes. Those that hold nothing that is kept are left out: their rows are older than the retention, and no
// tier lives.
std::vector<PartitionId> PiecesOf(const PartitionId& partition, const DatabaseOptions& options, int64_t now_ns);

// A partition goes when its rows are older than the retention, unless a tier of it lives; the oldest go while all
// together have more than max_bytes: raw rows first, and what has been reduced to tiers when nothing else is left. A
// partition that was merged goes in the pieces that it is split into: by age once so much of it is too old as a
// partition of the database has, by bytes at once. One that is damaged, and so cannot be split, goes by bytes when all
// of it is too much.
RetentionPlan PlanPartitions(const DatabaseState& state, const DatabaseOptions& options, int64_t now_ns);

}  // namespace tidemark::storage::database
