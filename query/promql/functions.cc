#include "query/promql/functions.h"

#include <algorithm>
#include <array>

namespace tidemark::query::promql {
namespace {

constexpr ValueType kS = ValueType::kScalar;
constexpr ValueType kV = ValueType::kVector;
constexpr ValueType kM = ValueType::kMatrix;
constexpr ValueType kT = ValueType::kString;

// An argument list with static storage, so that the table can point at it.
template <ValueType... types>
inline constexpr std::array<ValueType, sizeof...(types)> kArgs{types...};

constexpr bool kExperimental = true;
constexpr bool kStable = false;

// Of functions whose values the cache does not keep: those of the query's own range, and ours, which look at zones and
// at samples far from the evaluation time.
constexpr FunctionFacts kUncached{.cacheable = false};
constexpr FunctionFacts kUncachedOfTime{.of_time = true, .cacheable = false};
constexpr FunctionFacts Uncached(Rollup rollup) { return {.cacheable = false, .rollup = rollup}; }

constexpr RangeModifiers kAnchored = RangeModifiers::kAnchored;
constexpr RangeModifiers kAnchoredOrSmoothed = RangeModifiers::kAnchoredOrSmoothed;

using enum FunctionId;

constexpr std::array<FunctionSignature, kFunctionCount> kFunctions{{
    {kAbs, "abs", kV, kArgs<kV>},
    {kAbsent, "absent", kV, kArgs<kV>},
    {kAbsentOverTime, "absent_over_time", kV, kArgs<kM>, 0, kStable, {.rollup = Rollup::kPresent}},
    {kAcos, "acos", kV, kArgs<kV>},
    {kAcosh, "acosh", kV, kArgs<kV>},
    {kAsin, "asin", kV, kArgs<kV>},
    {kAsinh, "asinh", kV, kArgs<kV>},
    {kAtan, "atan", kV, kArgs<kV>},
    {kAtanh, "atanh", kV, kArgs<kV>},
    {kAvgOverTime, "avg_over_time", kV, kArgs<kM>, 0, kStable, {.rollup = Rollup::kAvg}},
    {kCeil, "ceil", kV, kArgs<kV>},
    {kChanges, "changes", kV, kArgs<kM>, 0, kStable, {.modifiers = kAnchored}},
    {kClamp, "clamp", kV, kArgs<kV, kS, kS>},
    {kClampMax, "clamp_max", kV, kArgs<kV, kS>},
    {kClampMin, "clamp_min", kV, kArgs<kV, kS>},
    {kCos, "cos", kV, kArgs<kV>},
    {kCosh, "cosh", kV, kArgs<kV>},
    {kCountOverTime, "count_over_time", kV, kArgs<kM>, 0, kStable, {.rollup = Rollup::kCount}},
    {kDayOfMonth, "day_of_month", kV, kArgs<kV>, 1, kStable, {.of_time = true}},
    {kDayOfWeek, "day_of_week", kV, kArgs<kV>, 1, kStable, {.of_time = true}},
    {kDayOfYear, "day_of_year", kV, kArgs<kV>, 1, kStable, {.of_time = true}},
    {kDaysInMonth, "days_in_month", kV, kArgs<kV>, 1, kStable, {.of_time = true}},
    {kDeg, "deg", kV, kArgs<kV>},
    {kDelta, "delta", kV, kArgs<kM>, 0, kStable, {.modifiers = kAnchoredOrSmoothed}},
    {kDeriv, "deriv", kV, kArgs<kM>},
    {kDoubleExponentialSmoothing, "double_exponential_smoothing", kV, kArgs<kM, kS, kS>, 0, kExperimental},
    {kEnd, "end", kS, kArgs<>, 0, kExperimental, kUncached},
    {kExp, "exp", kV, kArgs<kV>},
    {kFirstOverTime, "first_over_time", kV, kArgs<kM>, 0, kStable, {.rollup = Rollup::kFirst}},
    {kFloor, "floor", kV, kArgs<kV>},
    {kHistogramAvg, "histogram_avg", kV, kArgs<kV>},
    {kHistogramCount, "histogram_count", kV, kArgs<kV>},
    {kHistogramFraction, "histogram_fraction", kV, kArgs<kS, kS, kV>},
    {kHistogramQuantile, "histogram_quantile", kV, kArgs<kS, kV>},
    {kHistogramQuantiles, "histogram_quantiles", kV, kArgs<kV, kT, kS, kS>, 9, kExperimental},
    {kHistogramStddev, "histogram_stddev", kV, kArgs<kV>},
    {kHistogramStdvar, "histogram_stdvar", kV, kArgs<kV>},
    {kHistogramSum, "histogram_sum", kV, kArgs<kV>},
    {kHour, "hour", kV, kArgs<kV>, 1, kStable, {.of_time = true}},
    {kIdelta, "idelta", kV, kArgs<kM>},
    {kIncrease, "increase", kV, kArgs<kM>, 0, kStable, {.modifiers = kAnchoredOrSmoothed, .rollup = Rollup::kIncrease}},
    {kInfo, "info", kV, kArgs<kV, kV>, 1, kExperimental, {.joins_info = true}},
    {kIrate, "irate", kV, kArgs<kM>},
    {kLabelJoin, "label_join", kV, kArgs<kV, kT, kT, kT>, -1},
    {kLabelReplace, "label_replace", kV, kArgs<kV, kT, kT, kT, kT>},
    {kLastOverTime, "last_over_time", kV, kArgs<kM>, 0, kStable, {.rollup = Rollup::kLast}},
    {kLn, "ln", kV, kArgs<kV>},
    {kLog10, "log10", kV, kArgs<kV>},
    {kLog2, "log2", kV, kArgs<kV>},
    {kMadOverTime, "mad_over_time", kV, kArgs<kM>, 0, kExperimental},
    {kMaxOf, "max_of", kS, kArgs<kS, kS>, 0, kExperimental},
    {kMaxOverTime, "max_over_time", kV, kArgs<kM>, 0, kStable, {.rollup = Rollup::kMax}},
    {kMinOf, "min_of", kS, kArgs<kS, kS>, 0, kExperimental},
    {kMinOverTime, "min_over_time", kV, kArgs<kM>, 0, kStable, {.rollup = Rollup::kMin}},
    {kMinute, "minute", kV, kArgs<kV>, 1, kStable, {.of_time = true}},
    {kMonth, "month", kV, kArgs<kV>, 1, kStable, {.of_time = true}},
    {kPi, "pi", kS, kArgs<>},
    {kPredictLinear, "predict_linear", kV, kArgs<kM, kS>, 0, kStable, {.of_time = true}},
    {kPresentOverTime, "present_over_time", kV, kArgs<kM>, 0, kStable, {.rollup = Rollup::kPresent}},
    {kQuantileOverTime, "quantile_over_time", kV, kArgs<kS, kM>, 0, kStable, {.rollup = Rollup::kQuantile}},
    {kRad, "rad", kV, kArgs<kV>},
    {kRange, "range", kS, kArgs<>, 0, kExperimental, kUncached},
    {kRate, "rate", kV, kArgs<kM>, 0, kStable, {.modifiers = kAnchoredOrSmoothed, .rollup = Rollup::kRate}},
    {kResets, "resets", kV, kArgs<kM>, 0, kStable, {.modifiers = kAnchored}},
    {kRound, "round", kV, kArgs<kV, kS>, 1},
    {kScalar, "scalar", kS, kArgs<kV>},
    {kSgn, "sgn", kV, kArgs<kV>},
    {kSin, "sin", kV, kArgs<kV>},
    {kSinh, "sinh", kV, kArgs<kV>},
    {kSort, "sort", kV, kArgs<kV>},
    {kSortByLabel, "sort_by_label", kV, kArgs<kV, kT>, -1, kExperimental},
    {kSortByLabelDesc, "sort_by_label_desc", kV, kArgs<kV, kT>, -1, kExperimental},
    {kSortDesc, "sort_desc", kV, kArgs<kV>},
    {kSqrt, "sqrt", kV, kArgs<kV>},
    {kStart, "start", kS, kArgs<>, 0, kExperimental, kUncached},
    {kStartTimestamp, "start_timestamp", kV, kArgs<kV>, 0, kExperimental},
    {kStddevOverTime, "stddev_over_time", kV, kArgs<kM>},
    {kStdvarOverTime, "stdvar_over_time", kV, kArgs<kM>},
    {kStep, "step", kS, kArgs<>, 0, kExperimental},
    {kSumOverTime, "sum_over_time", kV, kArgs<kM>, 0, kStable, {.rollup = Rollup::kSum}},
    {kTan, "tan", kV, kArgs<kV>},
    {kTanh, "tanh", kV, kArgs<kV>},
    {kTime, "time", kS, kArgs<>, 0, kStable, {.of_time = true}},
    {kTimestamp, "timestamp", kV, kArgs<kV>, 0, kStable, {.of_time = true, .of_sample_times = true}},
    {kTmCalendarAvg, "tm_calendar_avg", kV, kArgs<kM, kT, kT, kS>, 1, kStable, Uncached(Rollup::kAvg)},
    {kTmCalendarCount, "tm_calendar_count", kV, kArgs<kM, kT, kT, kS>, 1, kStable, Uncached(Rollup::kCount)},
    {kTmCalendarFirst, "tm_calendar_first", kV, kArgs<kM, kT, kT, kS>, 1, kStable, Uncached(Rollup::kFirst)},
    {kTmCalendarIncrease, "tm_calendar_increase", kV, kArgs<kM, kT, kT, kS>, 1, kStable, kUncached},
    {kTmCalendarLast, "tm_calendar_last", kV, kArgs<kM, kT, kT, kS>, 1, kStable, Uncached(Rollup::kLast)},
    {kTmCalendarMax, "tm_calendar_max", kV, kArgs<kM, kT, kT, kS>, 1, kStable, Uncached(Rollup::kMax)},
    {kTmCalendarMin, "tm_calendar_min", kV, kArgs<kM, kT, kT, kS>, 1, kStable, Uncached(Rollup::kMin)},
    {kTmCalendarQuantile, "tm_calendar_quantile", kV, kArgs<kS, kM, kT, kT, kS>, 1, kStable,
     Uncached(Rollup::kQuantile)},
    {kTmCalendarStart, "tm_calendar_start", kV, kArgs<kT, kT, kS>, 1, kStable, kUncachedOfTime},
    {kTmCalendarSum, "tm_calendar_sum", kV, kArgs<kM, kT, kT, kS>, 1, kStable, Uncached(Rollup::kSum)},
    {kTmChange, "tm_change", kV, kArgs<kM, kT, kT, kS>, 1, kStable, kUncached},
    {kTmChangeRatio, "tm_change_ratio", kV, kArgs<kM, kT, kT, kS>, 1, kStable, kUncached},
    {kTmForecastLinear, "tm_forecast_linear", kV, kArgs<kM, kS, kS>, 1, kStable, kUncachedOfTime},
    {kTmForecastSeasonal, "tm_forecast_seasonal", kV, kArgs<kM, kS, kS, kS>, 1, kStable, kUncachedOfTime},
    {kTmLocalTime, "tm_local_time", kV, kArgs<kV, kT>, 0, kStable, kUncached},
    {kTmPooledQuantile, "tm_pooled_quantile", kV, kArgs<kS, kM, kT>, -1, kStable, Uncached(Rollup::kQuantile)},
    {kTmTimeUntilAbove, "tm_time_until_above", kV, kArgs<kM, kS, kS>, 1, kStable, kUncachedOfTime},
    {kTmTimeUntilBelow, "tm_time_until_below", kV, kArgs<kM, kS, kS>, 1, kStable, kUncachedOfTime},
    {kTsOfFirstOverTime, "ts_of_first_over_time", kV, kArgs<kM>, 0, kExperimental, {.rollup = Rollup::kFirst}},
    {kTsOfLastOverTime, "ts_of_last_over_time", kV, kArgs<kM>, 0, kExperimental, {.rollup = Rollup::kLast}},
    {kTsOfMaxOverTime, "ts_of_max_over_time", kV, kArgs<kM>, 0, kExperimental},
    {kTsOfMinOverTime, "ts_of_min_over_time", kV, kArgs<kM>, 0, kExperimental},
    {kVector, "vector", kV, kArgs<kS>},
    {kYear, "year", kV, kArgs<kV>, 1, kStable, {.of_time = true}},
}};

// Rows are found by index and by binary search.
constexpr bool InOrder() {
  for (size_t i = 0; i < kFunctions.size(); ++i) {
    if (static_cast<size_t>(kFunctions[i].id) != i) return false;
    if (i > 0 && kFunctions[i - 1].name >= kFunctions[i].name) return false;
  }
  return true;
}
static_assert(InOrder(), "one row per FunctionId, in its order, sorted by name");

}  // namespace

std::span<const FunctionSignature> Functions() { return kFunctions; }

const FunctionSignature* FindFunction(std::string_view name) {
  const auto* row = std::ranges::lower_bound(kFunctions, name, {}, &FunctionSignature::name);
  return row != kFunctions.end() && row->name == name ? row : nullptr;
}

}  // namespace tidemark::query::promql
