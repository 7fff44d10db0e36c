// ToString: the canonical text of an expression, as Prometheus prints it. Parsing it again gives an equal tree.
#pragma once

#include <string>

#include "query/promql/ast.h"

namespace tidemark::query::promql {

// One line, spaces normalised, matchers with double quotes, `by` and `without` behind the aggregation's name.
std::string ToString(const Expr& expr);

}  // namespace tidemark::query::promql
