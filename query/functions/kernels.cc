#include "query/functions/kernels.h"

#include <array>
#include <cmath>

namespace tidemark::query::functions {
namespace {

using frame::NameFate;
using promql::FunctionId;
using scan::GoneRows;

struct Row {
  FunctionId id;
  Kernel kernel;
};

constexpr auto kKeep = NameFate::kKeep;
constexpr auto kUnlessGrouped = NameFate::kDropUnlessGrouped;
constexpr auto kDrop = NameFate::kDrop;

using enum FunctionId;

constexpr std::array<Row, promql::kFunctionCount> kRows{{
    {kAbs, {.map = MapEach<std::fabs>}},
    {kAbsent, {.frame = FrameAbsent}},
    {kAbsentOverTime, {.fold = FoldPresent, .fold_use = FoldUse::kAbsence}},
    {kAcos, {.map = MapEach<std::acos>}},
    {kAcosh, {.map = MapEach<std::acosh>}},
    {kAsin, {.map = MapEach<std::asin>}},
    {kAsinh, {.map = MapEach<std::asinh>}},
    {kAtan, {.map = MapEach<std::atan>}},
    {kAtanh, {.map = MapEach<std::atanh>}},
    {kAvgOverTime, {.fold = FoldAvg, .name = kUnlessGrouped}},
    {kCeil, {.map = MapEach<std::ceil>}},
    {kChanges, {.fold = FoldChanges, .extended_fold = FoldAnchoredChanges, .gone_rows = GoneRows::kKnown}},
    {kClamp, {.map = MapClamp}},
    {kClampMax, {.map = MapClampMax}},
    {kClampMin, {.map = MapClampMin}},
    {kCos, {.map = MapEach<std::cos>}},
    {kCosh, {.map = MapEach<std::cosh>}},
    {kCountOverTime, {.fold = FoldCount}},
    {kDayOfMonth, {.map = MapEach<DayOfMonth>}},
    {kDayOfWeek, {.map = MapEach<DayOfWeek>}},
    {kDayOfYear, {.map = MapEach<DayOfYear>}},
    {kDaysInMonth, {.map = MapEach<DaysInMonth>}},
    {kDeg, {.map = MapEach<ToDegrees>}},
    {kDelta, {.fold = FoldDelta, .extended_fold = FoldExtendedDelta, .gone_rows = GoneRows::kChord}},
    {kDeriv, {.fold = FoldDeriv, .gone_rows = GoneRows::kLine}},
    {kDoubleExponentialSmoothing, {.fold = FoldDoubleExponential, .check = CheckSmoothing}},
    {kEnd, {.scalar = ScalarEnd}},
    {kExp, {.map = MapEach<std::exp>}},
    {kFirstOverTime, {.fold = FoldFirst, .name = kKeep}},
    {kFloor, {.map = MapEach<std::floor>}},
    {kHistogramAvg, {.frame = FrameNothing}},
    {kHistogramCount, {.frame = FrameNothing}},
    {kHistogramFraction, {.frame = FrameHistogramFraction}},
    {kHistogramQuantile, {.frame = FrameHistogramQuantile}},
    {kHistogramQuantiles, {.frame = FrameHistogramQuantiles}},
    {kHistogramStddev, {.frame = FrameNothing}},
    {kHistogramStdvar, {.frame = FrameNothing}},
    {kHistogramSum, {.frame = FrameNothing}},
    {kHour, {.map = MapEach<Hour>}},
    {kIdelta, {.fold = FoldIdelta}},
    {kIncrease, {.fold = FoldIncrease, .extended_fold = FoldExtendedIncrease, .name = kDrop, .counter = true}},
    {kInfo, {.frame = FrameInfo}},
    {kIrate, {.fold = FoldIrate}},
    {kLabelJoin, {.frame = FrameLabelJoin}},
    {kLabelReplace, {.frame = FrameLabelReplace}},
    {kLastOverTime, {.fold = FoldLast, .name = kKeep}},
    {kLn, {.map = MapEach<std::log>}},
    {kLog10, {.map = MapEach<std::log10>}},
    {kLog2, {.map = MapEach<std::log2>}},
    {kMadOverTime, {.fold = FoldMad, .gone_rows = GoneRows::kKnown}},
    {kMaxOf, {.scalar = ScalarMaxOf}},
    {kMaxOverTime, {.fold = FoldMax, .name = kUnlessGrouped}},
    {kMinOf, {.scalar = ScalarMinOf}},
    {kMinOverTime, {.fold = FoldMin, .name = kUnlessGrouped}},
    {kMinute, {.map = MapEach<Minute>}},
    {kMonth, {.map = MapEach<Month>}},
    {kPi, {.scalar = ScalarPi}},
    {kPredictLinear, {.fold = FoldPredictLinear, .gone_rows = GoneRows::kLine}},
    {kPresentOverTime, {.fold = FoldPresent}},
    {kQuantileOverTime, {.fold = FoldQuantile, .name = kUnlessGrouped, .check = WarnOfQuantiles}},
    {kRad, {.map = MapEach<ToRadians>}},
    {kRange, {.scalar = ScalarRange}},
    {kRate, {.fold = FoldRate, .extended_fold = FoldExtendedRate, .name = kDrop, .counter = true}},
    {kResets, {.fold = FoldResets, .extended_fold = FoldAnchoredResets, .gone_rows = GoneRows::kReset}},
    {kRound, {.map = MapRound}},
    {kScalar, {.scalar = ScalarOfVector}},
    {kSgn, {.map = MapEach<Sign>}},
    {kSin, {.map = MapEach<std::sin>}},
    {kSinh, {.map = MapEach<std::sinh>}},
    {kSort, {.frame = FrameSort}},
    {kSortByLabel, {.frame = FrameSortByLabel}},
    {kSortByLabelDesc, {.frame = FrameSortByLabelDesc}},
    {kSortDesc, {.frame = FrameSortDesc}},
    {kSqrt, {.map = MapEach<std::sqrt>}},
    {kStart, {.scalar = ScalarStart}},
    {kStartTimestamp, {.frame = FrameNothing}},
    {kStddevOverTime, {.fold = FoldStddev, .gone_rows = GoneRows::kKnown}},
    {kStdvarOverTime, {.fold = FoldStdvar, .gone_rows = GoneRows::kKnown}},
    {kStep, {.scalar = ScalarStep}},
    {kSumOverTime, {.fold = FoldSum}},
    {kTan, {.map = MapEach<std::tan>}},
    {kTanh, {.map = MapEach<std::tanh>}},
    {kTime, {.scalar = ScalarTime}},
    {kTimestamp, {.map = MapTimestamp}},
    {kTmCalendarAvg, {.fold = FoldAvg, .name = kUnlessGrouped, .set_up = SetUpCalendar}},
    {kTmCalendarCount, {.fold = FoldCount, .name = kDrop, .set_up = SetUpCalendar}},
    {kTmCalendarFirst, {.fold = FoldFirst, .name = kKeep, .set_up = SetUpCalendar}},
    {kTmCalendarIncrease,
     {.fold = FoldIncreaseInBucket,
      .name = kDrop,
      .set_up = SetUpCalendarIncrease,
      .gone_rows = GoneRows::kCounter,
      .counter = true}},
    {kTmCalendarLast, {.fold = FoldLast, .name = kKeep, .set_up = SetUpCalendar}},
    {kTmCalendarMax, {.fold = FoldMax, .name = kUnlessGrouped, .set_up = SetUpCalendar}},
    {kTmCalendarMin, {.fold = FoldMin, .name = kUnlessGrouped, .set_up = SetUpCalendar}},
    {kTmCalendarQuantile,
     {.fold = FoldQuantile, .name = kUnlessGrouped, .check = WarnOfQuantiles, .set_up = SetUpCalendar}},
    {kTmCalendarStart, {.frame = FrameCalendarStart}},
    {kTmCalendarSum, {.fold = FoldSum, .name = kDrop, .set_up = SetUpCalendar}},
    {kTmChange, {.fold = FoldChange, .set_up = SetUpChange, .gone_rows = GoneRows::kEnds, .sees_stale = true}},
    {kTmChangeRatio,
     {.fold = FoldChangeRatio, .set_up = SetUpChange, .gone_rows = GoneRows::kEnds, .sees_stale = true}},
    {kTmForecastLinear, {.fold = FoldForecastLinear, .check = WarnOfProbability, .gone_rows = GoneRows::kLine}},
    {kTmForecastSeasonal,
     {.fold = FoldForecastSeasonal, .check = WarnOfProbability, .set_up = SetUpSeason, .gone_rows = GoneRows::kLine}},
    {kTmLocalTime, {.frame = FrameLocalTime}},
    {kTmPooledQuantile, {.fold = FoldQuantile, .check = WarnOfQuantiles, .fold_use = FoldUse::kPooled}},
    {kTmTimeUntilAbove, {.fold = FoldTimeUntilAbove, .check = WarnOfProbability, .gone_rows = GoneRows::kLine}},
    {kTmTimeUntilBelow, {.fold = FoldTimeUntilBelow, .check = WarnOfProbability, .gone_rows = GoneRows::kLine}},
    {kTsOfFirstOverTime, {.fold = FoldTimeOfFirst, .gives_times = true}},
    {kTsOfLastOverTime, {.fold = FoldTimeOfLast, .gives_times = true}},
    {kTsOfMaxOverTime, {.fold = FoldTimeOfMax}},
    {kTsOfMinOverTime, {.fold = FoldTimeOfMin}},
    {kVector, {.frame = FrameOfScalar}},
    {kYear, {.map = MapEach<Year>}},
}};

// Rows are found by index. That each has one kernel is a test: with sanitizers a comparison of functions is no
// constant.
constexpr bool InOrder() {
  for (size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<size_t>(kRows[i].id) != i) return false;
  }
  return true;
}
static_assert(InOrder(), "one row per FunctionId, in its order");

}  // namespace

const Kernel& KernelFor(FunctionId id) { return kRows[static_cast<size_t>(id)].kernel; }

}  // namespace tidemark::query::functions
