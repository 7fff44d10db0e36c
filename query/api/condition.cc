#include "query/api/condition.h"

#include <fmt/core.h>
#include <re2/re2.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace tidemark::query::api {
namespace {

bool IsRegex(model::MatchOp op) { return op == model::MatchOp::kRegex || op == model::MatchOp::kNotRegex; }

}  // namespace

Condition::Condition(const model::Matcher& matcher) : matcher_(matcher) {
  if (!IsRegex(matcher.op)) return;
  RE2::Options options(RE2::Quiet);
  options.set_dot_nl(true);
  regex_ = std::make_unique<RE2>(matcher.value, options);
}
Condition::Condition(Condition&&) noexcept = default;
Condition& Condition::operator=(Condition&&) noexcept = default;
Condition::~Condition() = default;

Result<Condition> Condition::Make(const model::Matcher& matcher) {
  Condition condition(matcher);
  if (condition.regex_ == nullptr || condition.regex_->ok()) return condition;
  return InvalidArgument(
      fmt::format("bad regular expression in a matcher of {}: {}", matcher.name, condition.regex_->error()));
}

bool Condition::Holds(std::span<const model::LabelView> labels) const {
  std::string_view value;
  for (const model::LabelView& label : labels) {
    if (label.name == matcher_.name) value = label.value;
  }
  const bool equal = regex_ != nullptr ? RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_)
                                       : value == matcher_.value;
  return equal == (matcher_.op == model::MatchOp::kEqual || matcher_.op == model::MatchOp::kRegex);
}

Result<Conditions> Conditions::Make(std::span<const std::vector<model::Matcher>> sets) {
  Conditions conditions;
  for (const std::vector<model::Matcher>& matchers : sets) {
    std::vector<Condition>& set = conditions.sets_.emplace_back();
    for (const model::Matcher& matcher : matchers) {
      TM_TRY_ASSIGN(Condition condition, Condition::Make(matcher));
      set.push_back(std::move(condition));
    }
  }
  return conditions;
}

bool Conditions::Hold(std::span<const model::LabelView> labels) const {
  if (sets_.empty()) return true;
  return std::any_of(sets_.begin(), sets_.end(), [labels](const std::vector<Condition>& set) {
    return std::all_of(set.begin(), set.end(), [labels](const Condition& c) { return c.Holds(labels); });
  });
}

}  // namespace tidemark::query::api
