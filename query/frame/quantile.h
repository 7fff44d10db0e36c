// Quantile: the q-quantile of loose values, as quantile() and quantile_over_time() define it.
#pragma once

#include <span>

#include "query/frame/interrupt.h"
#include "storage/base/result.h"

namespace tidemark::query::frame {

// Linear between the two nearest values. NaN counts as smaller than everything. NaN for no values or q NaN, -Inf for
// q < 0, +Inf for q > 1. Reorders `values`. O(n).
double Quantile(double q, std::span<double> values);

// The same while the query is not cancelled: the interrupt is asked every some ten thousand values.
Result<double> Quantile(double q, std::span<double> values, const Interrupt& interrupt);

}  // namespace tidemark::query::frame
