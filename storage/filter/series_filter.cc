#include "storage/series_filter.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "storage/index/pattern.h"

namespace tidemark::storage {
namespace {

using model::MatchOp;

// A matcher that is ready to be asked.
struct Test {
  std::string label;
  bool negated = false;
  std::shared_ptr<const index::Pattern> pattern;

  [[nodiscard]] bool Holds(std::span<const model::LabelView> labels) const {
    const auto found = std::ranges::lower_bound(labels, std::string_view(label), {}, &model::LabelView::name);
    const bool there = found != labels.end() && found->name == label;
    return pattern->Matches(there ? found->value : std::string_view()) != negated;
  }
};

Result<Test> MakeTest(const model::Matcher& matcher) {
  Test test;
  test.label = matcher.name;
  test.negated = matcher.op == MatchOp::kNotEqual || matcher.op == MatchOp::kNotRegex;
  if (matcher.op == MatchOp::kEqual || matcher.op == MatchOp::kNotEqual) {
    test.pattern = index::Pattern::Literal(matcher.value);
  } else {
    TM_TRY_ASSIGN(test.pattern, index::Pattern::Parse(matcher.value));
  }
  return test;
}

}  // namespace

struct SeriesFilter::Rules {
  std::string text;
  std::vector<std::vector<model::Matcher>> any_of;
  std::vector<std::vector<Test>> tests;
  std::vector<model::Label> implied;
};

Result<SeriesFilter> SeriesFilter::Make(std::vector<std::vector<model::Matcher>> any_of, std::string text) {
  if (any_of.empty()) return InvalidArgument("a filter needs a selector, as {team=\"a\"}");
  if (any_of.size() > kMaxSelectors) {
    return InvalidArgument(fmt::format("a filter has at most {} selectors, not {}", kMaxSelectors, any_of.size()));
  }
  auto rules = std::make_shared<Rules>();
  for (const std::vector<model::Matcher>& selector : any_of) {
    if (selector.empty()) return InvalidArgument("a selector of a filter needs a matcher, as {team=\"a\"}");
    std::vector<Test>& tests = rules->tests.emplace_back();
    for (const model::Matcher& matcher : selector) {
      TM_TRY_ASSIGN(Test test, MakeTest(matcher));
      tests.push_back(std::move(test));
    }
  }
  if (any_of.size() == 1) {
    for (const model::Matcher& matcher : any_of.front()) {
      if (matcher.op != MatchOp::kEqual || matcher.value.empty() || matcher.name == model::kMetricNameLabel) continue;
      rules->implied.push_back({matcher.name, matcher.value});
    }
    std::ranges::sort(rules->implied);
    // Two values of one label: nothing is accepted, and what is added makes no difference to that.
    const auto same = [](const model::Label& a, const model::Label& b) { return a.name == b.name; };
    rules->implied.erase(std::unique(rules->implied.begin(), rules->implied.end(), same), rules->implied.end());
  }
  rules->any_of = std::move(any_of);
  rules->text = std::move(text);
  return SeriesFilter(std::move(rules));
}

const std::string& SeriesFilter::text() const {
  static const std::string kNone;
  return rules_ == nullptr ? kNone : rules_->text;
}

const std::vector<std::vector<model::Matcher>>& SeriesFilter::any_of() const {
  static const std::vector<std::vector<model::Matcher>> kNone;
  return rules_ == nullptr ? kNone : rules_->any_of;
}

const std::vector<model::Label>& SeriesFilter::implied() const {
  static const std::vector<model::Label> kNone;
  return rules_ == nullptr ? kNone : rules_->implied;
}

bool SeriesFilter::Accepts(std::span<const model::LabelView> labels) const {
  if (rules_ == nullptr) return true;
  return std::ranges::any_of(rules_->tests, [&](const std::vector<Test>& tests) {
    return std::ranges::all_of(tests, [&](const Test& test) { return test.Holds(labels); });
  });
}

bool SeriesFilter::MayAccept(std::span<const model::LabelView> some) const {
  if (rules_ == nullptr) return true;
  return std::ranges::any_of(rules_->tests, [&](const std::vector<Test>& tests) {
    return std::ranges::all_of(tests, [&](const Test& test) {
      return std::ranges::find(some, std::string_view(test.label), &model::LabelView::name) == some.end() ||
             test.Holds(some);
    });
  });
}

std::vector<std::vector<model::Matcher>> SeriesFilter::Narrow(std::span<const model::Matcher> selector) const {
  std::vector<std::vector<model::Matcher>> out;
  if (rules_ == nullptr) {
    out.emplace_back(selector.begin(), selector.end());
    return out;
  }
  for (const std::vector<model::Matcher>& own : rules_->any_of) {
    std::vector<model::Matcher>& both = out.emplace_back(selector.begin(), selector.end());
    both.insert(both.end(), own.begin(), own.end());
  }
  return out;
}

std::vector<std::vector<model::Matcher>> SeriesFilter::Narrow(
    std::span<const std::vector<model::Matcher>> selectors) const {
  std::vector<std::vector<model::Matcher>> out;
  for (const std::vector<model::Matcher>& selector : selectors) {
    for (std::vector<model::Matcher>& narrowed : Narrow(std::span<const model::Matcher>(selector))) {
      out.push_back(std::move(narrowed));
    }
  }
  return out;
}

}  // namespace tidemark::storage
