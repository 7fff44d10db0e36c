// Grid: the times at which a group is evaluated: `interval` apart, and for each group somewhere else in the interval,
// so that groups with the same interval do not all run at once.
//
// The offset is that of Prometheus 2.42 (rules/manager.go, Group.hash and EvalTimestamp) for the same file and name: a
// hash of both, so that it is the same after a restart, and the same alerts become active at the same times.
#pragma once

#include <cstdint>

#include "query/rules/rule_file.h"

namespace tidemark::query::rules {

// How far behind the multiples of its interval a group's times lie, in milliseconds. Range [0, interval_ms).
int64_t SpreadMs(const Group& group, int64_t interval_ms);

// Milliseconds since 1970.
class Grid {
 public:
  // interval_ms > 0. offset_ms: any number; only its rest counts.
  Grid(int64_t interval_ms, int64_t offset_ms) : interval_ms_(interval_ms), offset_ms_(offset_ms) {}

  // The last time of the grid that is not after `ms`.
  [[nodiscard]] int64_t AtOrBefore(int64_t ms) const {
    const int64_t rest = (ms - offset_ms_) % interval_ms_;
    return ms - (rest < 0 ? rest + interval_ms_ : rest);
  }
  // The first that is after `ms`.
  [[nodiscard]] int64_t After(int64_t ms) const { return AtOrBefore(ms) + interval_ms_; }

 private:
  int64_t interval_ms_;
  int64_t offset_ms_;
};

}  // namespace tidemark::query::rules
