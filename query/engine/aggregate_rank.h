// Aggregations that need all series of a group at once: topk, bottomk, limitk, limit_ratio, quantile, count_values.
#pragma once

#include <span>

#include "query/engine/frame.h"
#include "query/engine/query_state.h"
#include "query/plan/plan.h"
#include "storage/base/result.h"

namespace tidemark::query::engine {

// `param` has the parameter at every step; it is empty for count_values. Errors and warnings about the parameter are
// Prometheus'. At a single step topk and bottomk give their rows in order of rank.
Result<Frame> AggregateRanked(const plan::AggregateNode& node, Frame frame, std::span<const double> param,
                              QueryState* state);

}  // namespace tidemark::query::engine
