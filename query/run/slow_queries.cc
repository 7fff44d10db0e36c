#include "query/run/slow_queries.h"

#include <fmt/core.h>

#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"
#include "storage/storage.h"

namespace tidemark::query::run {
namespace {

constexpr size_t kShownBytes = 2'000;

void AppendTime(std::string* out, int64_t ms) {
  int64_t ns = 0;
  if (__builtin_mul_overflow(ms, int64_t{1'000'000}, &ns)) {
    *out += fmt::format("{} ms", ms);
  } else {
    text::AppendRfc3339(out, ns);
  }
}

}  // namespace

std::string SlowQueryLine(const SlowQuery& query, const Result<QueryResult>& result) {
  std::string line = fmt::format("slow query: {:.3f} s in {}: ", static_cast<double>(query.took_ns) * 1e-9,
                                 query.database.empty() ? storage::kDefaultDatabase : query.database);
  // Quoted, so that no text can look like a line of the log.
  size_t shown = std::min(query.text.size(), kShownBytes);
  while (shown < query.text.size() && shown > 0 && (static_cast<unsigned char>(query.text[shown]) & 0xC0U) == 0x80U)
    --shown;
  text::AppendJsonString(&line, query.text.substr(0, shown));
  if (shown < query.text.size()) line += fmt::format("... ({} bytes)", query.text.size());
  line += query.range.instant ? " at " : " from ";
  AppendTime(&line, query.range.start_ms);
  if (!query.range.instant) {
    line += " to ";
    AppendTime(&line, query.range.end_ms);
    line += fmt::format(" every {} ms", query.range.step_ms);
  }
  if (!result.ok()) {
    line += ": ";
    text::AppendJsonString(&line, result.error().message);
    return line;
  }
  const QueryStats& stats = result->stats;
  line += fmt::format(": {} series, {} samples, {} bytes at most", stats.series, stats.samples, stats.peak_bytes);
  return line;
}

}  // namespace tidemark::query::run
