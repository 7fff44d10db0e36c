// Quantile: the q-quantile of loose values, as quantile() and quantile_over_time() define it.
#pragma once

#include <span>

namespace tidemark::query::frame {

// Linear between the two nearest values. NaN counts as smaller than everything. NaN for no values or q NaN, -Inf for
// q < 0, +Inf for q > 1. Reorders `values`. O(n).
double Quantile(double q, std::span<double> values);

}  // namespace tidemark::query::frame
