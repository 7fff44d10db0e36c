// quantile_over_time() and mad_over_time(): by selection, not by sorting.
#include <algorithm>
#include <cmath>
#include <limits>

#include "query/frame/quantile.h"
#include "query/functions/fold_kernels.h"

namespace tidemark::query::functions {

using frame::Quantile;
using scan::FoldCall;
using scan::ForEachWindow;

void FoldQuantile(FoldCall& call) {
  const double* const values = call.samples.doubles();
  const double* const q = call.arguments[0];
  std::vector<double>& window = call.scratch.doubles;
  ForEachWindow<1>(call, [&](size_t step, uint32_t begin, uint32_t end) {
    window.assign(values + begin, values + end);
    return Quantile(q[step], window);
  });
}

void FoldMad(FoldCall& call) {
  const double* const values = call.samples.doubles();
  std::vector<double>& window = call.scratch.doubles;
  ForEachWindow<1>(call, [&](size_t, uint32_t begin, uint32_t end) {
    window.assign(values + begin, values + end);
    // One NaN makes the result NaN; the quantile of the distances would pass over it.
    if (call.samples.HasNan() && std::ranges::any_of(window, [](double v) { return std::isnan(v); })) {
      return std::numeric_limits<double>::quiet_NaN();
    }
    const double median = Quantile(0.5, window);
    window.assign(values + begin, values + end);
    for (double& value : window) value = std::fabs(value - median);
    return Quantile(0.5, window);
  });
}

}  // namespace tidemark::query::functions
