#include <fmt/core.h>

#include <utility>

#include "storage/base/text/json_string.h"
#include "tools/cardinality/census.h"

namespace tidemark::cardinality {

std::string ToJson(const CensusResult& result, const std::string& database, uint64_t series_limit) {
  std::string out = R"({"database":)";
  text::AppendJsonString(&out, database);
  out += fmt::format(R"(,"series":{},"columns":{},"memoryBytes":{},"diskBytes":{},"missedBelow":{},"sourceLabel":)",
                     result.series, result.columns, result.memory_bytes, result.disk_bytes, result.missed_below);
  text::AppendJsonString(&out, result.source_label);
  if (series_limit > 0) out += fmt::format(R"(,"seriesLimit":{})", series_limit);
  const std::pair<const char*, const std::vector<CensusRow>*> tables[] = {{"measurements", &result.measurements},
                                                                          {"labels", &result.labels},
                                                                          {"pairs", &result.pairs},
                                                                          {"sources", &result.sources}};
  for (const auto& [name, rows] : tables) {
    out += fmt::format(",\"{}\":[", name);
    for (const CensusRow& row : *rows) {
      out += out.back() == '[' ? R"({"name":)" : R"(,{"name":)";
      text::AppendJsonString(&out, row.name);
      if (rows == &result.labels) out += fmt::format(R"(,"values":{})", row.values);
      out += fmt::format(R"(,"series":{},"columns":{},"memoryBytes":{},"diskBytes":{}}})", row.series, row.columns,
                         row.memory_bytes, row.disk_bytes);
    }
    out += ']';
  }
  return out + '}';
}

}  // namespace tidemark::cardinality
