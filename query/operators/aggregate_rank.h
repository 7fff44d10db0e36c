// Aggregations that need all series of a group at once: topk, bottomk, limitk, limit_ratio, quantile, count_values.
#pragma once

#include <span>

#include "query/frame/frame.h"
#include "query/plan/plan.h"
#include "query/run/query_state.h"
#include "storage/base/result.h"

namespace tidemark::query::operators {

// `param` has the parameter at every step; it is empty for count_values. Errors and warnings about the parameter are
// Prometheus'. At a single step topk and bottomk give their rows in order of rank.
Result<frame::Frame> AggregateRanked(const plan::AggregateNode& node, frame::Frame frame, std::span<const double> param,
                                     run::QueryState* state);

}  // namespace tidemark::query::operators
