// Scripts of PromQL queries and what they must give, in the format of Prometheus' own tests.
//
//   load 30s
//     up{job="a"} 1 1 _ stale 0+1x5
//   eval instant at 1m up
//     up{job="a"} 1
//   eval range from 0 to 1m step 30s rate(up[1m])
//     expect info msg: PromQL info: ...
//   clear
//
// Format: https://github.com/prometheus/prometheus/blob/main/promql/promqltest/README.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/labels.h"

namespace tidemark::query::conformance {

// One value of a series; nothing where there is a gap.
using Point = std::optional<double>;

struct ScriptSeries {
  model::Labels labels;
  std::vector<Point> points;
  bool native = false;  // has native histograms, which are left out of `points`
};

struct Load {
  int64_t step_ms = 0;
  std::vector<ScriptSeries> series;
  bool native = false;
};

struct Expectation {
  enum class Kind { kFail, kWarn, kInfo, kNoWarn, kNoInfo, kOrdered };
  enum class Match { kAny, kText, kRegex };
  Kind kind = Kind::kFail;
  Match match = Match::kAny;
  std::string text;
};

struct Eval {
  int line = 0;
  bool instant = true;
  int64_t start_ms = 0;  // instant: equal to end_ms
  int64_t end_ms = 0;
  int64_t step_ms = 0;
  std::string query;
  std::vector<Expectation> expectations;
  std::vector<ScriptSeries> series;
  std::optional<double> scalar;
  std::optional<std::string> text;
  // Start and step of the raw samples that a range selector must give.
  std::optional<std::pair<int64_t, int64_t>> range_vector;
  bool native = false;

  [[nodiscard]] bool Expects(Expectation::Kind kind) const;
};

struct Command {
  enum class Kind { kClear, kLoad, kEval };
  Kind kind = Kind::kClear;
  Load load;
  Eval eval;
};

// Errors name the line.
Result<std::vector<Command>> ParseScript(std::string_view text);

}  // namespace tidemark::query::conformance
