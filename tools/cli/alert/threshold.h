// Thresholds as people say them, made into rules: 'call_routing_latency > 1ms for 30s',
// 'p99(api_response) > 50ms for 2m', 'memory > 90% or swap > 100MB'.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::cli {

struct Threshold {
  std::string name;  // of the alert: CallRoutingLatency
  std::string expr;  // PromQL
  // What each condition compares: its left side, as PromQL.
  std::vector<std::string> compared;
  std::string database;  // "": as the server has it
  int64_t for_ms = 0;
  std::string recover;   // PromQL of what ends it; "": that it does not hold any more
  std::string flapping;  // as a rule has it: 4 in 10m; "": each change is told of
};

// Which metrics there are whose whole name the expression (RE2) matches, in a database.
using FindMetrics =
    std::function<Result<std::vector<std::string>>(const std::string& pattern, const std::string& database)>;

// `text` is one or more conditions with `or` or `and` between them, and behind them in any order `for` with a duration,
// `recover` with what ends the alert (of one condition: 'memory > 90% recover < 80%') and `flapping` with a number of
// changes and a time ('flapping 4 in 10m'). A condition
// is a metric (also without its unit: api_response finds api_response_seconds), pNN of one, `memory`, `swap` or `cpu`
// of the machine, or any PromQL; then > >= < <= == or !=, and a number with a unit: 5ms, 100MB, 1GiB, 90%, 80K,
// each also with "/s". It is turned into the unit that the metric's name ends with. `database`: where metrics are.
// Errors: kInvalidArgument, which says what is not understood; kNotFound: no such metric; those of `find`.
Result<Threshold> ParseThreshold(std::string_view text, const std::string& database, const FindMetrics& find);

// The group of this one rule, as YAML.
std::string GroupOf(const Threshold& threshold, const std::string& severity, const std::string& text);

}  // namespace tidemark::cli
