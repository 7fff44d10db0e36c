// The kernels of range functions, by the file of their family.
#pragma once

#include "query/engine/fold.h"

namespace tidemark::query::engine {

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
