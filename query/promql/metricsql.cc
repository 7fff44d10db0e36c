#include "query/promql/metricsql.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace tidemark::query::promql {
namespace {

struct Hint {
  std::string_view name;
  std::string_view form;
};

// Sorted by name. In a form q is any expression, m a metric and d a duration.
constexpr std::array kFunctions{
    Hint{"alias", "label_replace(q, \"__name__\", \"name\", \"\", \"\")"},
    Hint{"any", "limitk(1, q)"},
    Hint{"bottomk_avg", "bottomk(k, avg_over_time((q)[d:]))"},
    Hint{"bottomk_last", "bottomk(k, last_over_time((q)[d:]))"},
    Hint{"bottomk_max", "bottomk(k, max_over_time((q)[d:]))"},
    Hint{"bottomk_median", "bottomk(k, quantile_over_time(0.5, (q)[d:]))"},
    Hint{"bottomk_min", "bottomk(k, min_over_time((q)[d:]))"},
    Hint{"changes_prometheus", "changes(m[d])"},
    Hint{"count_eq_over_time", "count_over_time((m == x)[d:])"},
    Hint{"count_gt_over_time", "count_over_time((m > x)[d:])"},
    Hint{"count_le_over_time", "count_over_time((m <= x)[d:])"},
    Hint{"count_ne_over_time", "count_over_time((m != x)[d:])"},
    Hint{"default_rollup", "last_over_time(m[d])"},
    Hint{"delta_prometheus", "delta(m[d])"},
    Hint{"distinct", R"(count(count_values("value", q)))"},
    Hint{"distinct_over_time", "changes(m[d]) + 1, or count what count_values gives"},
    Hint{"duration_over_time", "count_over_time(m[d]) times the distance of samples"},
    Hint{"geomean", "exp(avg(ln(q)))"},
    Hint{"geomean_over_time", "exp(avg_over_time(ln(m)[d:]))"},
    Hint{"histogram_share", "histogram_fraction(0, bound, q)"},
    Hint{"increase_prometheus", "increase(m[d])"},
    Hint{"increase_pure", "increase(m[d] anchored), or increase(m[d])"},
    Hint{"integrate", "avg_over_time(m[d]) times the seconds of d"},
    Hint{"interpolate", "q smoothed, of a selector"},
    Hint{"keep_last_value", "last_over_time((q)[d:])"},
    Hint{"label_copy", "label_replace(q, \"to\", \"$1\", \"from\", \"(.*)\")"},
    Hint{"label_del", "sum without (label) (q)"},
    Hint{"label_keep", "sum by (label) (q)"},
    Hint{"label_match", R"(a matcher in the selector: m{label=~"expression"})"},
    Hint{"label_mismatch", R"(a matcher in the selector: m{label!~"expression"})"},
    Hint{"label_move", "sum without (from) (label_replace(q, \"to\", \"$1\", \"from\", \"(.*)\"))"},
    Hint{"label_set", R"(label_replace(q, "label", "value", "", ""))"},
    Hint{"label_transform", R"(label_replace(q, "label", "text with $1", "label", "expression"))"},
    Hint{"lag", "time() - ts_of_last_over_time(m[d])"},
    Hint{"last", "last_over_time(m[d])"},
    Hint{"lifetime", "ts_of_last_over_time(m[d]) - ts_of_first_over_time(m[d])"},
    Hint{"limit_offset", "limitk(k, q)"},
    Hint{"mad", "quantile(0.5, abs(q - on () group_left () quantile(0.5, q)))"},
    Hint{"median", "quantile(0.5, q)"},
    Hint{"median_over_time", "quantile_over_time(0.5, m[d])"},
    Hint{"now", "time()"},
    Hint{"quantiles", "quantile(0.5, q) and so on, each by itself"},
    Hint{"quantiles_over_time", "quantile_over_time(0.5, m[d]) and so on, each by itself"},
    Hint{"range_avg", "avg_over_time((q)[1 * range():] @ end())"},
    Hint{"range_first", "first_over_time((q)[1 * range():] @ end())"},
    Hint{"range_last", "last_over_time((q)[1 * range():] @ end())"},
    Hint{"range_max", "max_over_time((q)[1 * range():] @ end())"},
    Hint{"range_median", "quantile_over_time(0.5, (q)[1 * range():] @ end())"},
    Hint{"range_min", "min_over_time((q)[1 * range():] @ end())"},
    Hint{"range_over_time", "max_over_time(m[d]) - min_over_time(m[d])"},
    Hint{"range_quantile", "quantile_over_time(0.5, (q)[1 * range():] @ end())"},
    Hint{"range_stddev", "stddev_over_time((q)[1 * range():] @ end())"},
    Hint{"range_sum", "sum_over_time((q)[1 * range():] @ end())"},
    Hint{"rate_over_sum", "sum_over_time(m[d]) divided by the seconds of d"},
    Hint{"rate_prometheus", "rate(m[d])"},
    Hint{"rollup", "min_over_time, avg_over_time and max_over_time of m[d], each by itself"},
    Hint{"rollup_candlestick",
         "first_over_time, max_over_time, min_over_time and last_over_time of m[d], each by itself"},
    Hint{"rollup_delta", "max_over_time(idelta(m[1m])[d:]), and the same with min and avg"},
    Hint{"rollup_deriv", "max_over_time(deriv(m[1m])[d:]), and the same with min and avg"},
    Hint{"rollup_increase", "max_over_time(increase(m[1m])[d:]), and the same with min and avg"},
    Hint{"rollup_rate", "max_over_time(rate(m[1m])[d:]), and the same with min and avg"},
    Hint{"ru", "100 * (maximum - free) / maximum"},
    Hint{"running_avg", "avg_over_time((q)[1 * range():])"},
    Hint{"running_max", "max_over_time((q)[1 * range():])"},
    Hint{"running_min", "min_over_time((q)[1 * range():])"},
    Hint{"running_sum", "sum_over_time((q)[1 * range():])"},
    Hint{"share", "q / on () group_left () sum(q)"},
    Hint{"share_eq_over_time", "avg_over_time((m == bool x)[d:])"},
    Hint{"share_gt_over_time", "avg_over_time((m > bool x)[d:])"},
    Hint{"share_le_over_time", "avg_over_time((m <= bool x)[d:])"},
    Hint{"smooth_exponential", "double_exponential_smoothing(m[d], 0.3, 0.3)"},
    Hint{"sum2", "sum(q * q)"},
    Hint{"sum2_over_time", "sum_over_time((m * m)[d:])"},
    Hint{"sum_eq_over_time", "sum_over_time((m == x)[d:])"},
    Hint{"sum_gt_over_time", "sum_over_time((m > x)[d:])"},
    Hint{"sum_le_over_time", "sum_over_time((m <= x)[d:])"},
    Hint{"tfirst_over_time", "ts_of_first_over_time(m[d])"},
    Hint{"timestamp_with_name", "timestamp(m)"},
    Hint{"timezone_offset", R"(tm_local_time(vector(time()), "zone") - time())"},
    Hint{"tlast_change_over_time", "ts_of_last_over_time((m != m offset 1m)[d:1m])"},
    Hint{"tlast_over_time", "ts_of_last_over_time(m[d])"},
    Hint{"tmax_over_time", "ts_of_max_over_time(m[d])"},
    Hint{"tmin_over_time", "ts_of_min_over_time(m[d])"},
    Hint{"topk_avg", "topk(k, avg_over_time((q)[d:]))"},
    Hint{"topk_last", "topk(k, last_over_time((q)[d:]))"},
    Hint{"topk_max", "topk(k, max_over_time((q)[d:]))"},
    Hint{"topk_median", "topk(k, quantile_over_time(0.5, (q)[d:]))"},
    Hint{"topk_min", "topk(k, min_over_time((q)[d:]))"},
    Hint{"ttf", "tm_time_until_below(free[1d], 0)"},
    Hint{"union", "a or b"},
    Hint{"zscore", "(q - on () group_left () avg(q)) / on () group_left () stddev(q)"},
    Hint{"zscore_over_time", "(m - avg_over_time(m[d])) / stddev_over_time(m[d])"},
};
static_assert(std::ranges::is_sorted(kFunctions, {}, &Hint::name));

constexpr std::array kWords{
    Hint{"default", "a or b, for a constant a or on () vector(0)"},
    Hint{"if", "a and b"},
    Hint{"ifnot", "a unless b"},
    Hint{"keep_metric_names", "label_replace() to set the name again"},
    Hint{"limit", "limitk(3, q) around the aggregation"},
};

}  // namespace

std::string MetricsQlFunctionHint(std::string_view name) {
  const auto at = std::ranges::lower_bound(kFunctions, name, {}, &Hint::name);
  if (at == kFunctions.end() || at->name != name) return {};
  return fmt::format(" (PromQL has no {}(): write {})", at->name, at->form);
}

std::string MetricsQlWordHint(std::string_view word) {
  const auto at = std::ranges::find(kWords, word, &Hint::name);
  if (at == kWords.end()) return {};
  return fmt::format(" (PromQL has no \"{}\": write {})", at->name, at->form);
}

}  // namespace tidemark::query::promql
