// Replay: what rules would have said of data that is stored: which alerts would have fired, when and for how long.
//
// Each alerting rule is asked once for the whole time, at the times at which its group would have evaluated it; its
// alerts then move on as those of a server do. A rule with `no_data` is asked for what it compares as well, from a day
// earlier on: what has been gone for longer is not known. Recording rules are not replayed: what they record is read as
// it is stored. Times lie on the grid of the interval.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "query/rules/rule_file.h"
#include "storage/base/result.h"
#include "storage/model/labels.h"

namespace tidemark::query::ruletest {

// One series of an expression's results, ascending by time.
struct ReplaySeries {
  model::Labels labels;  // __name__ among them where it has one
  std::vector<std::pair<int64_t, double>> samples;
};

// The results of the expression `text` (of a rule, or of what a rule compares) at start_ms, start_ms + step_ms, ... up
// to end_ms.
using AskRange = std::function<Result<std::vector<ReplaySeries>>(const std::string& database, const std::string& text,
                                                                 int64_t start_ms, int64_t end_ms, int64_t step_ms)>;

struct ReplayOptions {
  int64_t from_ms = 0;
  int64_t to_ms = 0;  // included
  // Of groups that name none, as the server has it.
  int64_t default_interval_ms = 60'000;
  std::string database;  // of rules that name none
};

// One time that an alert would have fired.
struct ReplayFiring {
  const rules::Group* group = nullptr;
  const rules::Rule* rule = nullptr;
  model::Labels labels;
  int64_t active_ms = 0;            // pending since then
  int64_t fired_ms = 0;             // no sooner than from_ms: one that fired before fires then
  std::optional<int64_t> ended_ms;  // none: it fires at to_ms
  double value = 0;                 // when it fired
};

// Ascending by the time that they fired. Errors: those of `ask`, and kInvalidArgument where two alerts of a rule would
// have had the same labels, with the rule's name in front; kLimitExceeded likewise of the group's limit.
// `groups` must live as long as what is returned.
Result<std::vector<ReplayFiring>> Replay(const std::vector<rules::Group>& groups, const ReplayOptions& options,
                                         const AskRange& ask);

}  // namespace tidemark::query::ruletest
