// No data, told apart from not true: a series of a rule's condition that is gone, and what becomes of its alert then.
//
// `latency > 5` gives nothing both while latency is low and while there is none. So a rule whose policy is not kResolve
// asks for the side that is compared as well.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "query/promql/ast.h"
#include "storage/model/labels.h"

namespace tidemark::query::rules {

enum class NoData : uint8_t {
  kResolve,  // as if it were not true, which Prometheus does
  kKeep,     // the alert goes on, pending until `for` is over and then firing, until there is data again
  kAlert     // it is a reason to alert too, after `for`, until there is data again or for kKnownMs
};

// "resolve", "keep", "alert".
std::string_view Name(NoData policy);
std::optional<NoData> ParseNoData(std::string_view text);

// How long a series that is gone is remembered.
inline constexpr int64_t kKnownMs = 86'400'000;

// Expressions whose results are there when there is data, whether the condition `expr` holds or not, with the labels
// that the results of `expr` have: `up` of `up == 0`, `group by (x) (a) and on (x) b` of `a > on (x) b`, `count(up)` of
// `count(up == 0) > 2`. Nothing where it compares nothing, or where data makes what is compared disappear (absent).
std::vector<std::shared_ptr<const promql::Expr>> DataOf(const promql::Expr& expr);

// What is known of the series of one rule's condition, by labels without __name__. Not thread-safe.
class KnownSeries {
 public:
  // Takes what there is now.
  void Take(const std::set<model::Labels>& present, int64_t now_ms);
  void Add(const model::Labels& labels, int64_t now_ms) { last_ms_[labels] = now_ms; }
  void Forget(const model::Labels& labels) { last_ms_.erase(labels); }
  // Those that were there and are not `present`.
  [[nodiscard]] std::vector<model::Labels> Gone(const std::set<model::Labels>& present) const;

 private:
  std::map<model::Labels, int64_t> last_ms_;
};

}  // namespace tidemark::query::rules
