// The notation of series in rule unit-test files: up{job="api"} and, beside it, 1 _ 2+3x4 stale.
//
// Source: Prometheus 2.42, promql/parser (ParseMetric, ParseSeriesDesc).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/labels.h"

namespace tidemark::query::ruletest {

// Values that all series of a file may have together when they are written out.
inline constexpr size_t kSeriesValuesMax = 50'000'000;

// Labels, __name__ among them, sorted by name. Nothing at all stands for no labels. kInvalidArgument with the column.
Result<model::Labels> ParseMetric(std::string_view text);

// The values at 0, 1, 2, ... intervals; none where the text has `_`; model::kStaleMarker for `stale`.
//   _  _x3       none, three times none
//   5  5x2       a value; it and two more
//   1+2x3 1-2x3  1 3 5 7; 1 -1 -3 -5
// kInvalidArgument with the column; kLimitExceeded beyond kSeriesValuesMax.
Result<std::vector<std::optional<double>>> ParseValues(std::string_view text);

}  // namespace tidemark::query::ruletest
