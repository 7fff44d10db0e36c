// deriv(), predict_linear() and double_exponential_smoothing(). Least squares with compensated sums, in Prometheus'
// order of operations (promql/functions.go, linearRegression).
#include <cmath>
#include <limits>

#include "query/frame/kahan.h"
#include "query/frame/time_math.h"
#include "query/functions/fold_kernels.h"

namespace tidemark::query::functions {
namespace {

using frame::KahanSum;
using frame::MsToNs;
using frame::Samples;
using frame::SecondsBetween;
using scan::FoldCall;
using scan::ForEachWindow;

struct Line {
  double slope;
  double intercept;  // at the time that was asked for
};

Line Regress(const Samples& samples, uint32_t begin, uint32_t end, int64_t intercept_ns) {
  KahanSum sum_x, sum_y, sum_xy, sum_xx;
  const double first = samples.At(begin);
  bool constant = true;
  for (uint32_t row = begin; row < end; ++row) {
    const double y = samples.At(row);
    if (y != first) constant = false;
    const double x = SecondsBetween(intercept_ns, samples.times()[row]);
    sum_x.Add(x);
    sum_y.Add(y);
    sum_xy.Add(x * y);
    sum_xx.Add(x * x);
  }
  if (constant) {
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    return std::isinf(first) ? Line{kNan, kNan} : Line{0, first};
  }
  const double n = end - begin;
  const double x = sum_x.sum + sum_x.compensation;
  const double y = sum_y.sum + sum_y.compensation;
  const double covariance = (sum_xy.sum + sum_xy.compensation) - x * y / n;
  const double variance = (sum_xx.sum + sum_xx.compensation) - x * x / n;
  const double slope = covariance / variance;
  return {slope, y / n - slope * x / n};
}

}  // namespace

void FoldDeriv(FoldCall& call) {
  const Samples& samples = call.samples;
  // Seen from the first sample, so that x stays small and exact.
  ForEachWindow<2>(call, [&](size_t, uint32_t begin, uint32_t end) {
    return Regress(samples, begin, end, samples.times()[begin]).slope;
  });
}

void FoldPredictLinear(FoldCall& call) {
  const Samples& samples = call.samples;
  const double* const ahead = call.arguments[0];
  ForEachWindow<2>(call, [&](size_t step, uint32_t begin, uint32_t end) {
    const Line line = Regress(samples, begin, end, MsToNs(call.windows.spec().grid.TimeMs(step)));
    return line.slope * ahead[step] + line.intercept;
  });
}

// Holt's linear method: a smoothed level and a smoothed trend.
void FoldDoubleExponential(FoldCall& call) {
  const Samples& samples = call.samples;
  ForEachWindow<2>(call, [&](size_t step, uint32_t begin, uint32_t end) {
    const double smoothing = call.arguments[0][step];
    const double factor = call.arguments[1][step];
    double before = 0;
    double level = samples.At(begin);
    double trend = samples.At(begin + 1) - level;
    for (uint32_t row = begin + 1; row < end; ++row) {
      if (row > begin + 1) trend = factor * (level - before) + (1 - factor) * trend;
      const double next = smoothing * samples.At(row) + (1 - smoothing) * (level + trend);
      before = level;
      level = next;
    }
    return level;
  });
}

}  // namespace tidemark::query::functions
