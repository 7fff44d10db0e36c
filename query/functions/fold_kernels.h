// The kernels of range functions, by the file of their family.
#pragma once

#include "query/scan/fold.h"

namespace tidemark::query::functions {

// The newest sample within the look-back, unless that is a stale marker: what an instant selector gives.
void FoldLookback(scan::FoldCall& call);
// The time of that sample in seconds.
void FoldLookbackTime(scan::FoldCall& call);

// rate_kernels.cc
void FoldRate(scan::FoldCall& call);
void FoldIncrease(scan::FoldCall& call);
void FoldDelta(scan::FoldCall& call);
void FoldIrate(scan::FoldCall& call);
void FoldIdelta(scan::FoldCall& call);
void FoldResets(scan::FoldCall& call);
void FoldChanges(scan::FoldCall& call);

// extended_kernels.cc: the window's ends moved out by `anchored` or `smoothed`.
void FoldExtendedRate(scan::FoldCall& call);
void FoldExtendedIncrease(scan::FoldCall& call);
void FoldExtendedDelta(scan::FoldCall& call);
void FoldAnchoredChanges(scan::FoldCall& call);
void FoldAnchoredResets(scan::FoldCall& call);
// A smoothed instant selector.
void FoldSmoothed(scan::FoldCall& call);

// trend_kernels.cc
void FoldDeriv(scan::FoldCall& call);
void FoldPredictLinear(scan::FoldCall& call);
void FoldDoubleExponential(scan::FoldCall& call);

// calendar_functions.cc
void FoldIncreaseInBucket(scan::FoldCall& call);
void FoldChange(scan::FoldCall& call);
void FoldChangeRatio(scan::FoldCall& call);

// forecast_kernels.cc
void FoldForecastLinear(scan::FoldCall& call);
void FoldForecastSeasonal(scan::FoldCall& call);
void FoldTimeUntilAbove(scan::FoldCall& call);
void FoldTimeUntilBelow(scan::FoldCall& call);

// over_time_kernels.cc
void FoldSum(scan::FoldCall& call);
void FoldAvg(scan::FoldCall& call);
void FoldCount(scan::FoldCall& call);
void FoldMin(scan::FoldCall& call);
void FoldMax(scan::FoldCall& call);
void FoldFirst(scan::FoldCall& call);
void FoldLast(scan::FoldCall& call);
void FoldPresent(scan::FoldCall& call);
void FoldStddev(scan::FoldCall& call);
void FoldStdvar(scan::FoldCall& call);
void FoldTimeOfFirst(scan::FoldCall& call);
void FoldTimeOfLast(scan::FoldCall& call);
void FoldTimeOfMin(scan::FoldCall& call);
void FoldTimeOfMax(scan::FoldCall& call);

// order_kernels.cc
void FoldQuantile(scan::FoldCall& call);
void FoldMad(scan::FoldCall& call);

}  // namespace tidemark::query::functions
