// Backfill: what recording rules would have recorded in the past, had they been there.
//
// The rules are evaluated one time of their group's grid after the other, each as a server does when that time has
// come, so that a rule sees what those before it have recorded, and itself. Rows that are there are not touched. So it
// may be begun again where it ended early, and what it writes does not depend on how often it was.
//
// It differs from what would have been recorded only where the data has: what came late is seen, what has been deleted
// or rolled up is not.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <stop_token>
#include <string>

#include "query/rules/rule_evaluator.h"
#include "query/rules/rule_file.h"
#include "storage/base/result.h"

namespace tidemark::query::rules {

// Times of the grid that one back-fill goes through.
inline constexpr uint64_t kBackfillTimesMax = 10'000'000;

struct BackfillRange {
  int64_t from_ms = 0;
  int64_t to_ms = 0;            // included
  std::set<std::string> rules;  // by the names that they record; empty: all of the group that record
};

struct BackfillProgress {
  uint64_t times_done = 0;
  uint64_t times_total = 0;
  uint64_t rows_written = 0;
  uint64_t rows_there = 0;  // that were not touched
  uint64_t failures = 0;    // evaluations that failed, as they would have; nothing is recorded for them
  std::string first_failure;
};

// Whether there is something to do: kInvalidArgument where no rule of the group records one of the names, the times are
// in the wrong order, or there are too many.
Status CheckBackfill(const ManagerOptions& options, const Group& group, const BackfillRange& range);

// Blocks. `progress` is called after each time. Errors: of CheckBackfill; kCancelled; those of the sink, and kConflict
// where rows are refused, as those that are older than their database keeps them; those of reading what is there.
Result<BackfillProgress> Backfill(const ManagerDependencies& dependencies, const ManagerOptions& options,
                                  const Group& group, const BackfillRange& range, const std::stop_token& stop,
                                  const std::function<void(const BackfillProgress&)>& progress);

}  // namespace tidemark::query::rules
