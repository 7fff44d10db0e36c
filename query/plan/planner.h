// Build: syntax tree to plan.
#pragma once

#include <cstdint>

#include "query/plan/plan.h"
#include "query/promql/ast.h"
#include "storage/base/result.h"

namespace tidemark::query::plan {

struct PlanOptions {
  StepGrid grid;                              // count >= 1
  int64_t start_ms = 0;                       // what start() and end() after `@` mean; end_ms may lie past the
  int64_t end_ms = 0;                         // last step
  int64_t lookback_ms = 300'000;              // instant selectors look at (t - lookback_ms, t]
  int64_t default_subquery_step_ms = 60'000;  // of [5m:]
  bool closed_windows = false;                // see QueryContext
};

// ResolveDurations must have been applied to `expr`. Errors: kInvalidArgument for modifiers, steps and ranges that make
// no sense.
Result<Plan> Build(const promql::Expr& expr, const PlanOptions& options);

// The grid on which a subquery with this window and step evaluates its expression when its user stands at the times of
// `outer`: multiples of the step in (first reference - window, last reference].
StepGrid SubqueryGrid(const RangeNode& range, const StepGrid& outer);

}  // namespace tidemark::query::plan
