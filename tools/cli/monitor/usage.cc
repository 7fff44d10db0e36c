#include "tools/cli/monitor/usage.h"

#include <simdjson.h>

#include "tools/cli/monitor/number_text.h"

namespace tidemark::cli::monitor {
namespace {

namespace dom = simdjson::dom;

std::string TextOf(dom::element object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

uint64_t CountOf(dom::element object, std::string_view key) {
  uint64_t count = 0;
  return object[key].get(count) == simdjson::SUCCESS ? count : 0;
}

std::string QuotasOf(dom::element object) {
  std::string out;
  dom::array list;
  if (object["quotas"].get(list) != simdjson::SUCCESS) return out;
  for (const dom::element one : list) {
    std::string_view text;
    if (one.get(text) != simdjson::SUCCESS) continue;
    out += out.empty() ? "" : ", ";
    out += text;
  }
  return out;
}

std::string CountText(uint64_t count) { return NumberText(static_cast<double>(count), "short", std::nullopt); }
std::string BytesText(uint64_t bytes) { return NumberText(static_cast<double>(bytes), "bytes", std::nullopt); }

}  // namespace

std::optional<std::vector<Usage>> ReadUsage(std::string_view json) {
  dom::parser parser;
  const simdjson::padded_string padded(json);
  dom::element root;
  dom::array list;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS || root["data"].get(list) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  std::vector<Usage> out;
  for (const dom::element one : list) {
    out.push_back(
        {.kind = TextOf(one, "kind"),
         .name = TextOf(one, "name"),
         .quotas = QuotasOf(one),
         .points = CountOf(one, "points"),
         .bytes = CountOf(one, "bytes"),
         .new_series = CountOf(one, "newSeries"),
         .queries = CountOf(one, "queries"),
         .running_queries = CountOf(one, "runningQueries"),
         .query_memory_bytes = CountOf(one, "queryMemoryBytes"),
         .refused = CountOf(one, "refusedWrites") + CountOf(one, "refusedRows") + CountOf(one, "refusedQueries")});
  }
  return out;
}

Rows RowsOf(const std::vector<Usage>& usage) {
  Rows out{
      .heads = {"Of", "Name", "Points", "Received", "Queries", "Running", "Refused", "Memory", "Series made", "Quotas"},
      .rows = {}};
  for (const Usage& one : usage) {
    out.rows.push_back({{one.kind, Style::kDim},
                        {one.name, Style::kBold},
                        {CountText(one.points)},
                        {BytesText(one.bytes)},
                        {CountText(one.queries)},
                        {CountText(one.running_queries)},
                        {CountText(one.refused), one.refused > 0 ? Style::kWarn : Style::kPlain},
                        {BytesText(one.query_memory_bytes)},
                        {CountText(one.new_series)},
                        {one.quotas.empty() ? "none" : one.quotas, one.quotas.empty() ? Style::kDim : Style::kPlain}});
  }
  return out;
}

}  // namespace tidemark::cli::monitor
