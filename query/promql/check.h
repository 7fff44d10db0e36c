// Type checking of a syntax tree, the second half of parsing.
#pragma once

#include <string_view>

#include "query/promql/ast.h"
#include "storage/base/result.h"

namespace tidemark::query::promql {

// Checks what the grammar cannot: types of operands and arguments, numbers of arguments, matchers that would select
// everything. Makes the matching of binary expressions final. `text` is what `expr` was parsed from.
Status CheckTypes(Expr& expr, std::string_view text);

}  // namespace tidemark::query::promql
