// The values of duration expressions, and of those that need the query's own step and range: [step() * 2],
// offset range().
#pragma once

#include <cstdint>

#include "query/promql/ast.h"
#include "storage/base/result.h"

namespace tidemark::query::promql {

// Sets every Duration::ms in `expr` that depends on step() or range(), for a query with this step and this distance
// from its start to its end (both 0 for an instant query). Call it once for each query, before planning. Fails as the
// parser does when a window or step is not above 0.
Status ResolveDurations(Expr& expr, int64_t step_ms, int64_t range_ms);

// Whether step() or range() is in `expr`.
bool DependsOnQuery(const DurationExpr& expr);

// The value of `expr`, which may be negative. Fails on division by zero and past 2^63 nanoseconds.
Result<int64_t> EvaluateMs(const DurationExpr& expr, int64_t step_ms, int64_t range_ms);

// The milliseconds of a literal, of at most 2^63 nanoseconds, cut off towards zero.
int64_t SecondsToMs(double seconds);

}  // namespace tidemark::query::promql
