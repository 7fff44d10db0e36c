// FoldCall: what a kernel of a range function gets: one series, its windows, the scalar arguments; and where it puts
// one value for each step. One indirect call for a whole series; inside, plain loops over arrays.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "query/engine/samples.h"
#include "query/engine/windows.h"

namespace tidemark::query::engine {

class QueryState;

// Memory that kernels may use as they like, kept from series to series.
struct FoldScratch {
  std::vector<double> doubles;
  std::vector<uint32_t> rows;
};

struct FoldCall {
  const Windows& windows;
  Samples& samples;  // without stale markers, except for the look-back kernel
  // The scalar arguments in order, each with a value for every step.
  std::span<const double* const> arguments;
  double* out;       // windows.steps() values
  uint8_t* present;  // set to 0 before
  FoldScratch& scratch;
  const QueryState* state = nullptr;  // null: never stopped
  bool stopped = false;               // set by a kernel that gave up because the query should end
};

// Whether the query should end: cancelled, or past its deadline.
bool ShouldStop(const QueryState& state);

// Rows folded between two looks at the clock, some milliseconds of the slowest kernels.
inline constexpr uint64_t kRowsPerLook = 1 << 17;

using FoldKernel = void (*)(FoldCall& call);

// Calls value(step, begin, end) for each step whose window holds at least `rows_min` rows, and stores what it returns.
template <uint32_t rows_min, typename Function>
void ForEachWindow(FoldCall& call, Function value) {
  const size_t steps = call.windows.steps();
  uint64_t rows = 0;
  for (size_t step = 0; step < steps; ++step) {
    const uint32_t begin = call.windows.begin(step);
    const uint32_t end = call.windows.end(step);
    if (end - begin < rows_min) continue;
    rows += end - begin;
    if (rows >= kRowsPerLook) [[unlikely]] {
      rows = 0;
      if (call.state != nullptr && ShouldStop(*call.state)) {
        call.stopped = true;
        return;
      }
    }
    call.out[step] = value(step, begin, end);
    call.present[step] = 1;
  }
}

// Whether windows overlap so much that sliding beats folding each from its start.
inline bool WorthSliding(const FoldCall& call) { return call.windows.total_rows() > 3 * call.samples.size() + 16; }

// The newest sample within the look-back, unless that is a stale marker: what an instant selector gives.
void FoldLookback(FoldCall& call);
// The time of that sample in seconds.
void FoldLookbackTime(FoldCall& call);

// rate_kernels.cc
void FoldRate(FoldCall& call);
void FoldIncrease(FoldCall& call);
void FoldDelta(FoldCall& call);
void FoldIrate(FoldCall& call);
void FoldIdelta(FoldCall& call);
void FoldResets(FoldCall& call);
void FoldChanges(FoldCall& call);

// extended_kernels.cc: the window's ends moved out by `anchored` or `smoothed`.
void FoldExtendedRate(FoldCall& call);
void FoldExtendedIncrease(FoldCall& call);
void FoldExtendedDelta(FoldCall& call);
void FoldAnchoredChanges(FoldCall& call);
void FoldAnchoredResets(FoldCall& call);
// A smoothed instant selector.
void FoldSmoothed(FoldCall& call);

// trend_kernels.cc
void FoldDeriv(FoldCall& call);
void FoldPredictLinear(FoldCall& call);
void FoldDoubleExponential(FoldCall& call);

// calendar_functions.cc
void FoldIncreaseInBucket(FoldCall& call);
void FoldChange(FoldCall& call);
void FoldChangeRatio(FoldCall& call);

// forecast_kernels.cc
void FoldForecastLinear(FoldCall& call);
void FoldForecastSeasonal(FoldCall& call);
void FoldTimeUntilAbove(FoldCall& call);
void FoldTimeUntilBelow(FoldCall& call);

// over_time_kernels.cc
void FoldSum(FoldCall& call);
void FoldAvg(FoldCall& call);
void FoldCount(FoldCall& call);
void FoldMin(FoldCall& call);
void FoldMax(FoldCall& call);
void FoldFirst(FoldCall& call);
void FoldLast(FoldCall& call);
void FoldPresent(FoldCall& call);
void FoldStddev(FoldCall& call);
void FoldStdvar(FoldCall& call);
void FoldTimeOfFirst(FoldCall& call);
void FoldTimeOfLast(FoldCall& call);
void FoldTimeOfMin(FoldCall& call);
void FoldTimeOfMax(FoldCall& call);

// order_kernels.cc
void FoldQuantile(FoldCall& call);
void FoldMad(FoldCall& call);

}  // namespace tidemark::query::engine
