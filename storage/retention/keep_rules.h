// KeepRules: the points that a database does not take because a selector of its retention keeps their series for a
// shorter time. The twin of Database::RetentionMasks, which hides those that have grown too old since: here a series or
// field may be so new that no index selects it yet, so the matchers are put to the labels themselves.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/index/pattern.h"
#include "storage/model/labels.h"
#include "storage/storage.h"

namespace tidemark::storage::retention {

// Immutable, thread-safe.
class KeepRules {
 public:
  // Errors: kInvalidArgument for a bad regular expression.
  static Result<std::shared_ptr<const KeepRules>> Make(std::span<const SelectorRetention> selectors);

  [[nodiscard]] size_t size() const { return rules_.size(); }
  // The oldest time at which rule `rule` takes points, now; INT64_MIN when that is before all time.
  [[nodiscard]] int64_t OldestNs(size_t rule, int64_t now_ns) const;
  // A rule refuses the points of a field of a series when both are true.
  [[nodiscard]] bool NamesMetric(size_t rule, std::string_view metric) const;
  // `tags`: those of the series; __name__ among them is passed over.
  [[nodiscard]] bool NamesTags(size_t rule, const model::LabelViews& tags) const;

 private:
  struct Condition {
    std::string label;
    bool negated = false;
    std::shared_ptr<const index::Pattern> pattern;
    [[nodiscard]] bool Accepts(std::string_view value) const { return pattern->Matches(value) != negated; }
  };
  struct Rule {
    int64_t keep_ns = 0;
    std::vector<Condition> on_metric;
    std::vector<Condition> on_tags;
  };
  std::vector<Rule> rules_;
};

}  // namespace tidemark::storage::retention
