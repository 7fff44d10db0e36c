// The longest chain of operators that a query may have where its length is not the height of the tree.
#pragma once

#include <cstddef>

namespace tidemark::query::promql {

// Operands of a chain of one set operator, `a or b or c` or `a and b and c`. Chains of other operators are as long as
// ParseOptions::height_max lets them be.
inline constexpr size_t kChainOperandsMax = 10'000;

}  // namespace tidemark::query::promql
