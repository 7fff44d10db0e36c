// The same part of another occurrence of an expression.
#pragma once

#include "query/promql/ast.h"

namespace tidemark::query::promql {

// Where in `to` the part stands that stands at `range` in `from`. Both print the same (printer.h), however they are
// spaced in the query. The whole of `to` when `range` is not that of a part.
SourceRange Counterpart(const Expr& from, const Expr& to, const SourceRange& range);

}  // namespace tidemark::query::promql
