// ToString: the canonical text of an expression, as Prometheus prints it. Parsing it again gives an equal tree.
#pragma once

#include <cstdint>
#include <string>

#include "query/promql/ast.h"

namespace tidemark::query::promql {

// One line, spaces normalised, matchers with double quotes, `by` and `without` behind the aggregation's name.
std::string ToString(const Expr& expr);

// A duration as Prometheus prints it: "1h30m", "0s", "-5m". `ms` is any value.
std::string DurationToString(int64_t ms);

}  // namespace tidemark::query::promql
