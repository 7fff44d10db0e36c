// ReuseRule: whether the result of a range query may be kept and used again, step by step, for later queries; under
// which name; and on which times of the data each step depends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "query/promql/ast.h"
#include "query/run/query_context.h"

namespace tidemark::query::cache {

struct ReuseRule {
  // The data behind the value at step t lies in (t - before_ms, t + after_ms], and in `fixed` for all steps alike.
  // Either may be negative, as with offsets.
  int64_t before_ms = 0;
  int64_t after_ms = 0;
  struct Span {
    int64_t after_ms = 0;
    int64_t last_ms = 0;
  };
  std::vector<Span> fixed;  // of selectors with `@ time`
  // Equal for queries whose values at equal times are equal, whatever their start and end.
  std::string name;
};

// nullopt: the value at one step depends on the range of the query (start(), end(), range(), `@ start()`, `@ end()`),
// on the order in which series are folded (stddev, stdvar, limitk), reads what this rule does not know (tm_ functions,
// a tier that was asked for), or reads no data. Durations must be resolved.
std::optional<ReuseRule> FindReuseRule(const promql::Expr& expr, const run::RangeSpec& range,
                                       const run::QueryContext& context);

}  // namespace tidemark::query::cache
