// Matcher: a condition on one label of an alert, as in `severity=~"page|ticket"`.
//
//   TM_TRY_ASSIGN(Matchers matchers, ParseMatchers(R"({team="infra",severity!="info"})"));
//   if (AllMatch(matchers, alert.labels)) ...
//
// An absent label has the value "". Regular expressions are RE2 syntax and fully anchored.
// Source: prometheus/alertmanager 0.25, pkg/labels/parse.go and matcher.go.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/labels.h"
#include "storage/model/matcher.h"

namespace re2 {
class RE2;
}

namespace tidemark::query::notify {

// Immutable; cheap to copy; may be used from any thread.
class Matcher {
 public:
  // kInvalidArgument for a name that is none and for a pattern that is no regular expression.
  static Result<Matcher> Make(std::string name, model::MatchOp op, std::string value);

  [[nodiscard]] const std::string& name() const { return condition_.name; }
  [[nodiscard]] const std::string& value() const { return condition_.value; }
  [[nodiscard]] model::MatchOp op() const { return condition_.op; }
  // = or =~, rather than != or !~.
  [[nodiscard]] bool positive() const { return op() == model::MatchOp::kEqual || op() == model::MatchOp::kRegex; }
  [[nodiscard]] bool regex() const { return op() == model::MatchOp::kRegex || op() == model::MatchOp::kNotRegex; }
  [[nodiscard]] bool Matches(std::string_view value) const;
  [[nodiscard]] bool Matches(const model::Labels& labels) const;

  // name="value", which ParseMatcher reads again.
  [[nodiscard]] std::string Text() const;

  friend bool operator==(const Matcher& a, const Matcher& b) { return a.condition_ == b.condition_; }

 private:
  model::Matcher condition_;
  std::shared_ptr<const re2::RE2> pattern_;
};

using Matchers = std::vector<Matcher>;

// One matcher: the quotes may be missing.
Result<Matcher> ParseMatcher(std::string_view text);
// Some, with commas between; the braces may be missing.
Result<Matchers> ParseMatchers(std::string_view text);

bool AllMatch(const Matchers& matchers, const model::Labels& labels);
// Sorted by name, value and operation, as routes have them.
void SortMatchers(Matchers* matchers);
// {a="b",c=~"d"}
std::string MatchersText(const Matchers& matchers);

// Whether alerts or silences with these labels are shown to who asks for `filter`: as AllMatch, but a=~"" and a=""
// want the label to be missing.
bool PassesFilter(const Matchers& filter, const model::Labels& labels);

}  // namespace tidemark::query::notify
