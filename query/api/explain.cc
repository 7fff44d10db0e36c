#include "query/api/explain.h"

#include <string>
#include <string_view>

#include <fmt/core.h>

#include "storage/base/text/json_string.h"

namespace tidemark::query::api {
namespace {

using run::OperatorTime;
using run::QueryStats;

void AppendText(std::string_view text, std::string* out) { text::AppendJsonString(out, text, text::JsonStyle::kHex); }

// Operator `index` and those below it; the index behind them.
size_t AppendOperator(const std::vector<OperatorTime>& operators, size_t index, std::string* out) {
  const OperatorTime& op = operators[index];
  *out += "{\"operator\":";
  AppendText(op.name, out);
  *out += ",\"text\":";
  AppendText(op.text, out);
  *out += fmt::format(R"(,"steps":{},"samples":{},"tierBuckets":{},"selfSeconds":{:.9f},"reused":{},"inputs":[)",
                      op.steps, op.samples, op.tier_buckets, static_cast<double>(op.self_ns) / 1e9, op.reused);
  size_t next = index + 1;
  for (bool first = true; next < operators.size() && operators[next].depth > op.depth; first = false) {
    if (!first) *out += ',';
    next = AppendOperator(operators, next, out);
  }
  *out += "]}";
  return next;
}

}  // namespace

std::string ExplainJson(const QueryStats& stats) {
  std::string out = "{\"resolution\":";
  AppendText(stats.resolution, &out);
  out +=
      fmt::format(R"(,"samples":{},"series":{},"tierBuckets":{},"peakBytes":{},"cache":"{}","stepsReused":{},"plan":)",
                  stats.samples, stats.series, stats.tier_buckets, stats.peak_bytes, stats.cache, stats.steps_reused);
  if (stats.operators.empty()) {
    out += "null";  // a constant, or all of it from the cache
  } else {
    AppendOperator(stats.operators, 0, &out);
  }
  out += '}';
  return out;
}

}  // namespace tidemark::query::api
