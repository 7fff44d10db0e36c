#include "storage/retention/keep_rules.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace tidemark::storage::retention {

Result<std::shared_ptr<const KeepRules>> KeepRules::Make(std::span<const SelectorRetention> selectors) {
  auto out = std::make_shared<KeepRules>();
  for (const SelectorRetention& selector : selectors) {
    Rule& rule = out->rules_.emplace_back();
    rule.keep_ns = selector.keep_ns;
    for (const model::Matcher& matcher : selector.matchers) {
      Condition condition;
      condition.label = matcher.name;
      condition.negated = matcher.op == model::MatchOp::kNotEqual || matcher.op == model::MatchOp::kNotRegex;
      if (matcher.op == model::MatchOp::kEqual || matcher.op == model::MatchOp::kNotEqual) {
        condition.pattern = index::Pattern::Literal(matcher.value);
      } else {
        TM_TRY_ASSIGN(condition.pattern, index::Pattern::Parse(matcher.value));
      }
      (matcher.name == model::kMetricNameLabel ? rule.on_metric : rule.on_tags).push_back(std::move(condition));
    }
  }
  return std::shared_ptr<const KeepRules>(std::move(out));
}

int64_t KeepRules::OldestNs(size_t rule, int64_t now_ns) const {
  int64_t oldest_ns = 0;
  const bool before_all_time = __builtin_sub_overflow(now_ns, rules_[rule].keep_ns, &oldest_ns);
  return before_all_time ? std::numeric_limits<int64_t>::min() : oldest_ns;
}

bool KeepRules::NamesMetric(size_t rule, std::string_view metric) const {
  const std::vector<Condition>& conditions = rules_[rule].on_metric;
  return std::all_of(conditions.begin(), conditions.end(), [&](const Condition& c) { return c.Accepts(metric); });
}

bool KeepRules::NamesTags(size_t rule, const model::LabelViews& tags) const {
  const std::vector<Condition>& conditions = rules_[rule].on_tags;
  return std::all_of(conditions.begin(), conditions.end(), [&](const Condition& condition) {
    const auto found =
        std::find_if(tags.begin(), tags.end(), [&](const auto& tag) { return tag.name == condition.label; });
    return condition.Accepts(found == tags.end() ? std::string_view() : found->value);
  });
}

}  // namespace tidemark::storage::retention
