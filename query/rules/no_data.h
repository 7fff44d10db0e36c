// No data, told apart from not true: a series of a rule's condition that is gone, and what becomes of its alert then.
//
// `latency > 5` gives nothing both while latency is low and while there is none. So a rule whose policy is not kResolve
// asks for the side that is compared as well.
#pragma once

#include <cstdint>
#include <map>
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
std::optional<NoData> ParseNoData(std::string_view text);

// How long a series that is gone is remembered.
inline constexpr int64_t kKnownMs = 86'400'000;

// The parts of a condition whose results are there when there is data, whether it holds or not; they lie in `expr`.
// Nothing where it compares nothing.
std::vector<const promql::Expr*> DataOf(const promql::Expr& expr);

// What is known of the series of one rule's condition, by labels without __name__. Not thread-safe.
class KnownSeries {
 public:
  // Takes what there is now.
  void Take(const std::set<model::Labels>& present, int64_t now_ms);
  void Add(const model::Labels& labels, int64_t now_ms) { last_ms_[labels] = now_ms; }
  // Those that were there and are not `present`.
  [[nodiscard]] std::vector<model::Labels> Gone(const std::set<model::Labels>& present) const;

 private:
  std::map<model::Labels, int64_t> last_ms_;
};

}  // namespace tidemark::query::rules
