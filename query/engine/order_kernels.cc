// quantile_over_time() and mad_over_time(): by selection, not by sorting.
#include <algorithm>
#include <cmath>

#include "query/engine/fold.h"
#include "query/engine/quantile.h"

namespace tidemark::query::engine {

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
    const double median = Quantile(0.5, window);
    window.assign(values + begin, values + end);
    for (double& value : window) value = std::fabs(value - median);
    return Quantile(0.5, window);
  });
}

}  // namespace tidemark::query::engine
