// Matcher: one condition on a label, as in {job="api", instance=~"10\\..*"}.
#pragma once

#include <string>

namespace tidemark::model {

enum class MatchOp { kEqual, kNotEqual, kRegex, kNotRegex };

// The label `name` compared with `value`. An absent label has the value "". Regular expressions are RE2 syntax, fully
// anchored, and `.` matches a newline, as in Prometheus 3. The name "__name__" means the metric name.
struct Matcher {
  MatchOp op = MatchOp::kEqual;
  std::string name;
  std::string value;
  friend bool operator==(const Matcher&, const Matcher&) = default;
};

}  // namespace tidemark::model
