// What to write in PromQL instead of what only MetricsQL has, for errors: dashboards written for VictoriaMetrics come
// with its words.
//
// Source: https://docs.victoriametrics.com/victoriametrics/metricsql/
#pragma once

#include <string>
#include <string_view>

namespace tidemark::query::promql {

// Of a function or aggregation that PromQL does not know: " (PromQL has no union(): write a or b)". Empty for a name
// that MetricsQL does not have either, or that PromQL has no form for.
std::string MetricsQlFunctionHint(std::string_view name);

// Of an identifier in a wrong place: " (PromQL has no "default": ...)". Empty for other words.
std::string MetricsQlWordHint(std::string_view word);

}  // namespace tidemark::query::promql
