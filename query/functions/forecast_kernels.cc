// tm_forecast_linear(), tm_forecast_seasonal(), tm_time_until_above() and tm_time_until_below()
// (query/trend/README.md). Times are seconds from the evaluation time, so that they stay small and exact.
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "query/frame/go_format.h"
#include "query/frame/time_math.h"
#include "query/functions/kernels.h"
#include "query/trend/linear_fit.h"
#include "query/trend/seasonal_fit.h"

namespace tidemark::query::functions {
namespace {

using frame::GoFormat;
using frame::MsToNs;
using frame::MsToSeconds;
using frame::NsToSeconds;
using frame::Samples;
using frame::SecondsBetween;
using scan::FoldCall;
using scan::ForEachWindow;

constexpr uint32_t kSamplesMin = 3;

// The probability that is argument `index`, or the middle.
double ProbabilityAt(const FoldCall& call, size_t index, size_t step) {
  return call.arguments.size() > index ? call.arguments[index][step] : 0.5;
}

// A forecast that cannot be made is no value, rather than a NaN that aggregations would spread.
void DropNan(FoldCall& call) {
  for (size_t step = 0; step < call.windows.steps(); ++step) {
    if (call.present[step] != 0 && std::isnan(call.out[step])) call.present[step] = 0;
  }
}

template <typename Function>
void FoldLineWith(FoldCall& call, Function value) {
  const Samples& samples = call.samples;
  const double* const y = call.samples.doubles();
  std::vector<double>& x = call.scratch.doubles;
  ForEachWindow<kSamplesMin>(call, [&](size_t step, uint32_t begin, uint32_t end) {
    const int64_t now_ns = MsToNs(call.windows.spec().grid.TimeMs(step));
    x.clear();
    for (uint32_t row = begin; row < end; ++row) x.push_back(SecondsBetween(now_ns, samples.times()[row]));
    return value(step, trend::FitLine(x, {y + begin, y + end}));
  });
  DropNan(call);
}

}  // namespace

void FoldForecastLinear(FoldCall& call) {
  FoldLineWith(call, [&](size_t step, const trend::LinearFit& fit) {
    return trend::PredictQuantile(fit, call.arguments[0][step], ProbabilityAt(call, 1, step));
  });
}

void FoldTimeUntilAbove(FoldCall& call) {
  FoldLineWith(call, [&](size_t step, const trend::LinearFit& fit) {
    return trend::FirstAbove(fit, 0, call.arguments[0][step], ProbabilityAt(call, 1, step));
  });
}

void FoldTimeUntilBelow(FoldCall& call) {
  FoldLineWith(call, [&](size_t step, const trend::LinearFit& fit) {
    return trend::FirstBelow(fit, 0, call.arguments[0][step], ProbabilityAt(call, 1, step));
  });
}

void FoldForecastSeasonal(FoldCall& call) {
  const Samples& samples = call.samples;
  const double* const values = call.samples.doubles();
  std::vector<double>& times = call.scratch.doubles;
  std::optional<trend::SeasonalFit> fit;
  double season = 0;
  ForEachWindow<kSamplesMin>(call, [&](size_t step, uint32_t begin, uint32_t end) {
    if (!fit || season != call.arguments[0][step]) {
      season = call.arguments[0][step];
      fit.emplace(season);
    }
    times.clear();
    for (uint32_t row = begin; row < end; ++row) times.push_back(NsToSeconds(samples.times()[row]));
    fit->Fit(times, {values + begin, values + end});
    const double at = MsToSeconds(call.windows.spec().grid.TimeMs(step)) + call.arguments[1][step];
    return fit->PredictQuantile(at, ProbabilityAt(call, 2, step));
  });
  DropNan(call);
}

Status SetUpSeason(RollupSetup* setup) {
  for (size_t step = 0; step < setup->spec->windows.grid.count; ++step) {
    const double season = setup->spec->arguments[0][step];
    if (season > 0 && std::isfinite(season)) continue;
    return InvalidArgument(fmt::format(
        "the season in a call to tm_forecast_seasonal must be a positive number of seconds, got {}", GoFormat(season)));
  }
  return {};
}

Status WarnOfProbability(const FoldArguments& arguments) {
  // The range is no scalar.
  const size_t index = promql::Signature(arguments.node.function).args.size() - 2;
  if (arguments.node.scalars.size() <= index) return {};
  for (size_t step = 0; step < arguments.steps; ++step) {
    const double q = arguments.scalars[index][step];
    if (q > 0 && q < 1) continue;
    arguments.state->Warn(fmt::format("the probability of a forecast should be between 0 and 1, got {}", GoFormat(q)),
                          arguments.node.scalars[index]->source->range);
  }
  return {};
}

}  // namespace tidemark::query::functions
