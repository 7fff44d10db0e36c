// The functions of PromQL: what the language, the planner, the cache and the tiers know of each, one row for each. Its
// kernel stands in query/functions/kernels.cc, at the same enumerator; query/functions/README.md says how to add one.
//
// Source: https://prometheus.io/docs/prometheus/latest/querying/functions/; those that begin with tm_ are our own
// (query/trend/README.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "query/promql/ast.h"

namespace tidemark::query::promql {

// In the order of the table, which is alphabetical. The numbers are not stored anywhere.
enum class FunctionId : uint8_t {
  kAbs,
  kAbsent,
  kAbsentOverTime,
  kAcos,
  kAcosh,
  kAsin,
  kAsinh,
  kAtan,
  kAtanh,
  kAvgOverTime,
  kCeil,
  kChanges,
  kClamp,
  kClampMax,
  kClampMin,
  kCos,
  kCosh,
  kCountOverTime,
  kDayOfMonth,
  kDayOfWeek,
  kDayOfYear,
  kDaysInMonth,
  kDeg,
  kDelta,
  kDeriv,
  kDoubleExponentialSmoothing,
  kEnd,
  kExp,
  kFirstOverTime,
  kFloor,
  kHistogramAvg,
  kHistogramCount,
  kHistogramFraction,
  kHistogramQuantile,
  kHistogramQuantiles,
  kHistogramStddev,
  kHistogramStdvar,
  kHistogramSum,
  kHour,
  kIdelta,
  kIncrease,
  kInfo,
  kIrate,
  kLabelJoin,
  kLabelReplace,
  kLastOverTime,
  kLn,
  kLog10,
  kLog2,
  kMadOverTime,
  kMaxOf,
  kMaxOverTime,
  kMinOf,
  kMinOverTime,
  kMinute,
  kMonth,
  kPi,
  kPredictLinear,
  kPresentOverTime,
  kQuantileOverTime,
  kRad,
  kRange,
  kRate,
  kResets,
  kRound,
  kScalar,
  kSgn,
  kSin,
  kSinh,
  kSort,
  kSortByLabel,
  kSortByLabelDesc,
  kSortDesc,
  kSqrt,
  kStart,
  kStartTimestamp,
  kStddevOverTime,
  kStdvarOverTime,
  kStep,
  kSumOverTime,
  kTan,
  kTanh,
  kTime,
  kTimestamp,
  kTmCalendarAvg,
  kTmCalendarCount,
  kTmCalendarFirst,
  kTmCalendarIncrease,
  kTmCalendarLast,
  kTmCalendarMax,
  kTmCalendarMin,
  kTmCalendarQuantile,
  kTmCalendarStart,
  kTmCalendarSum,
  kTmChange,
  kTmChangeRatio,
  kTmForecastLinear,
  kTmForecastSeasonal,
  kTmLocalTime,
  kTmPooledQuantile,
  kTmTimeUntilAbove,
  kTmTimeUntilBelow,
  kTsOfFirstOverTime,
  kTsOfLastOverTime,
  kTsOfMaxOverTime,
  kTsOfMinOverTime,
  kVector,
  kYear,
};
inline constexpr size_t kFunctionCount = static_cast<size_t>(FunctionId::kYear) + 1;

// Which value of a window's samples a range function gives, where what rollup tiers keep of buckets is enough for it.
enum class Rollup : uint8_t {
  kNone,  // it needs the samples themselves
  kAvg,
  kCount,
  kFirst,
  kIncrease,
  kLast,
  kMax,
  kMin,
  kPresent,
  kQuantile,  // within 1 %, and only where samples are gone
  kRate,
  kSum,
};

// The modifiers that a function takes on its range. Source: Prometheus, promql/engine.go.
enum class RangeModifiers : uint8_t { kNone, kAnchored, kAnchoredOrSmoothed };

// What others than the parser ask of a function.
struct FunctionFacts {
  // Its value depends on the evaluation time itself and not only on its arguments.
  bool of_time = false;
  // The result cache may keep values of it: they depend on the evaluation time, its arguments and data near them alone.
  bool cacheable = true;
  RangeModifiers modifiers = RangeModifiers::kNone;
  Rollup rollup = Rollup::kNone;
  // Of a plain selector it gives what the samples' own times are, which an evaluated vector has no more.
  bool of_sample_times = false;
  // Its vector gets labels of info series; the second argument is a bare list of matchers that names these.
  bool joins_info = false;
};

// FunctionSignature: one row. All but the facts is what the parser checks a call against.
struct FunctionSignature {
  FunctionId id;
  std::string_view name;
  ValueType result;
  std::span<const ValueType> args;
  // 0: exactly args.size() arguments. n > 0: the last argument may be left out or repeated, args.size() - 1 + n at
  // most. -1: the last one may be left out or repeated without limit. Repeated arguments have the last one's type.
  int variadic = 0;
  bool experimental = false;  // refused unless ParseOptions::experimental_functions
  FunctionFacts facts = {};
};

// All functions, at index static_cast<size_t>(id), sorted by name. The table lives as long as the process.
std::span<const FunctionSignature> Functions();

inline const FunctionSignature& Signature(FunctionId id) { return Functions()[static_cast<size_t>(id)]; }

// The function called `name` (case matters), or nullptr.
const FunctionSignature* FindFunction(std::string_view name);

}  // namespace tidemark::query::promql
