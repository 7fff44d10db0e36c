// Execute: runs one PromQL expression over one view of a database.
//
//   TM_TRY_ASSIGN(promql::ExprPtr expr, promql::Parse(text));
//   TM_RETURN_IF_ERROR(promql::ResolveDurations(*expr, step_ms, end_ms - start_ms));
//   QueryContext context{.view = view, .scheduler = &pool, .text = text};
//   TM_TRY_ASSIGN(QueryResult result, Execute(*expr, {.start_ms = s, .end_ms = e, .step_ms = step}, context));
//
// Semantics are those of Prometheus 3 with delayed name removal; README.md lists the intended deviations.
#pragma once

#include "query/promql/ast.h"
#include "query/run/query_context.h"
#include "storage/base/result.h"

namespace tidemark::query::engine {

// May be called from any thread, also for several queries at once. Errors: kInvalidArgument and kUnsupported for
// expressions that cannot be evaluated, kTimeout, kCancelled, kLimitExceeded, and those of the store.
Result<run::QueryResult> Execute(const promql::Expr& expr, const run::RangeSpec& range,
                                 const run::QueryContext& context);

}  // namespace tidemark::query::engine
