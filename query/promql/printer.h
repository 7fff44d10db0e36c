// ToString: the canonical text of an expression, as Prometheus prints it. Parsing it again gives an equal tree.
#pragma once

#include <span>
#include <string>

#include "query/promql/ast.h"

namespace tidemark::query::promql {

// One line, spaces normalised, matchers with double quotes, `by` and `without` behind the aggregation's name.
std::string ToString(const Expr& expr);

// Matchers as a selector of their own, in their order: `{host="a",__name__=~"cpu_.*"}`. ParseSelector reads it back.
std::string ToSelector(std::span<const model::Matcher> matchers);

}  // namespace tidemark::query::promql
