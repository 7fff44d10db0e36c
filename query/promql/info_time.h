// InfoTime: at which time info() looks for its info series.
#pragma once

#include <cstdint>

#include "query/promql/ast.h"

namespace tidemark::query::promql {

// The time that samples come from, seen from the evaluation time: at `at`, else at the evaluation time, less
// `offset_ms` (within 10^18 of 0).
struct InfoTime {
  AtModifier at;
  int64_t offset_ms = 0;
};

// Of the first selector in `vector`, the first argument of info(), through all subqueries around it; the evaluation
// time itself where there is none. Durations must be resolved.
InfoTime InfoTimeOf(const Expr& vector);

}  // namespace tidemark::query::promql
