// Duration expressions that need the query's own step and range: [step() * 2], offset range().
#pragma once

#include <cstdint>

#include "query/promql/ast.h"
#include "storage/base/result.h"

namespace tidemark::query::promql {

// Sets every Duration::ms in `expr` that depends on step() or range(), for a query with this step and range (both 0 for
// an instant query). Call it once for each query, before planning. Fails as the parser does when a range becomes zero
// or negative.
Status ResolveDurations(Expr& expr, int64_t step_ms, int64_t range_ms);

// The value of `expr` in seconds.
Result<double> EvaluateSeconds(const DurationExpr& expr, int64_t step_ms, int64_t range_ms);

}  // namespace tidemark::query::promql
