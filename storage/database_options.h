// What a database is kept by: how long, in partitions of which length, with which tiers. An administrator sets it, and
// storage/meta keeps it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/model/matcher.h"
#include "storage/model/type_conflicts.h"

namespace tidemark::storage {

inline constexpr int64_t kNsPerHour = 3'600'000'000'000;
inline constexpr int64_t kNsPerDay = 24 * kNsPerHour;

// Series that are kept for a shorter time than the rest of their database: those that satisfy all matchers. Their
// points older than now - keep_ns are refused, as those beyond retention_ns are; what grows older than that is not seen
// by views any more, and rewritten away later.
struct SelectorRetention {
  std::vector<model::Matcher> matchers = {};  // at least one
  int64_t keep_ns = 0;                        // > 0
  friend bool operator==(const SelectorRetention&, const SelectorRetention&) = default;
};

// A rollup tier that a database names, besides those that storage builds where they pay. It outlives the raw rows of a
// partition where it is kept longer; those that storage builds by itself go with the rows.
struct RollupTier {
  int64_t width_ns = 0;  // of its buckets, > 0
  int64_t keep_ns = 0;   // 0: for ever
  friend bool operator==(const RollupTier&, const RollupTier&) = default;
};

struct DatabaseOptions {
  // Length of a partition in nanoseconds. Good lengths give a series 2-8 thousand rows. Range [1 min, 366 d]. Where the
  // retention is shorter and no tier outlives it, partitions are shorter too.
  int64_t partition_ns = kNsPerDay;
  // Points older than now - retention_ns are refused and, partition by partition, dropped but for the tiers that are
  // kept longer. 0 keeps everything.
  int64_t retention_ns = 0;
  // 0: every write is synced before its answer. > 0: a write is answered at once and synced within this time.
  int64_t sync_interval_ns = 0;
  // The oldest partitions are dropped while all pages together take more bytes than this, but for tiers that are to be
  // kept, which go when nothing else is left to drop. 0: no limit. The newest partition always stays.
  uint64_t max_bytes = 0;
  std::vector<SelectorRetention> selectors = {};
  std::vector<RollupTier> tiers = {};  // ascending by width, each once
  // Of rows that come: what is there already stays as it is.
  model::TypeConflicts type_conflicts = model::TypeConflicts::kWiden;

  friend bool operator==(const DatabaseOptions&, const DatabaseOptions&) = default;
};

struct DatabaseInfo {
  std::string name;
  DatabaseOptions options;
  uint64_t series = 0;      // measurement + tag sets
  uint64_t fields = 0;      // (measurement, field) pairs
  uint64_t partitions = 0;  // with data on disk
  uint64_t disk_bytes = 0;  // pages
  uint32_t id = 0;          // stays when it gets another name; never given twice
};

}  // namespace tidemark::storage
