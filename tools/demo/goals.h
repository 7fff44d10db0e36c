// Goals: what a system should reach, and what reaching it is worth, as a small file.
//
//   database: dce                     # asked unless an entry names another
//   goals:
//     - name: Call routing P99
//       query: 1000 * histogram_quantile(0.99, ...)      # PromQL with one value as its answer
//       target: 1
//       direction: below              # below or above: on which side of the target it should be
//       unit: ms
//       tolerance: 5%                 # how far beside the target is still WARN; default 0
//   values:                           # numbers for the formulas
//     - {name: run_seconds, query: ..., database: _exec}
//   prices: {core_hour: 0.05}
//   savings:
//     - name: Waiting
//       formula: (baseline_seconds - run_seconds) / 3600 * waited_hour
//       unit: USD
//       as: waiting_usd              # a name for the formulas of the savings below
//
// A formula is arithmetic of PromQL (+ - * / % ^ and parentheses) over numbers and the names of values, prices and the
// savings above it; the server computes it, so that nothing is computed here that is not shown.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::demo {

enum class Direction { kBelow, kAbove };

struct Goal {
  std::string name{};
  std::string query{};
  std::string database{};
  double target = 0;
  Direction direction = Direction::kBelow;
  std::string unit{};
  double tolerance = 0;  // share of the target
};

struct NamedQuery {
  std::string name{};
  std::string query{};
  std::string database{};
};

struct Saving {
  std::string name{};
  std::string formula{};
  std::string unit{};
  std::string as{};  // its name in the formulas of those below; "": none
};

struct GoalFile {
  std::vector<Goal> goals;
  std::vector<NamedQuery> values;
  std::vector<std::pair<std::string, double>> prices;
  std::vector<Saving> savings;
};

// Errors: kInvalidArgument with every fault, one per line, as FILE:LINE:COLUMN: reason.
Result<GoalFile> ParseGoals(std::string_view text, const std::string& file);
// As ParseGoals; kNotFound or kIo when the file cannot be read.
Result<GoalFile> LoadGoals(const std::string& file);

// The words for a goal.
enum class GoalStatus { kOk, kWarn, kMissed, kNoData };
// "OK", "WARN", "MISSED", "NO DATA".
std::string_view Name(GoalStatus status);

struct GoalResult {
  const Goal* goal = nullptr;
  std::optional<double> value;
  GoalStatus status = GoalStatus::kNoData;
};

struct SavingResult {
  const Saving* saving = nullptr;
  std::string with_numbers;     // the formula with numbers in place of names
  std::optional<double> value;  // nothing when a name in it has no value
};

struct GoalReport {
  std::vector<GoalResult> goals;
  std::vector<std::pair<std::string, std::optional<double>>> values;  // values and prices
  std::vector<SavingResult> savings;
  // "OPTIMAL": all goals are met; "GOOD": none is missed; "DEGRADED": one is missed; "UNKNOWN": one has no data and
  // none is missed.
  std::string_view word = "UNKNOWN";
};

// Asks a database for the one number that a query answers with; nothing when the answer is empty or NaN.
using AskNumber = std::function<Result<std::optional<double>>(std::string_view database, const std::string& query)>;

// Errors: those of `ask`, with the entry's name. `file` outlives the report.
Result<GoalReport> Evaluate(const GoalFile& file, const AskNumber& ask);

GoalStatus Judge(const Goal& goal, std::optional<double> value);

// The word for all of them, as GoalReport has it.
std::string_view WordFor(const std::vector<GoalResult>& goals);

// The report as text: a table of goals, the values, the savings with their formulas, the word.
std::string ToText(const GoalReport& report);

}  // namespace tidemark::demo
