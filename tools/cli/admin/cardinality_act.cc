#include "tools/cli/admin/cardinality_act.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "storage/base/text/count.h"
#include "storage/storage.h"
#include "tools/cardinality/census.h"
#include "tools/cli/admin/directory_acts.h"
#include "tools/cli/command.h"
#include "tools/cli/http_client.h"
#include "tools/cli/progress_line.h"
#include "tools/cli/say.h"

namespace tidemark::cli {
namespace {

constexpr std::string_view kEnvelope = R"({"status":"success","data":)";

// As the server's answer has it.
Result<std::string> OfServer(const ActFlags& flags) {
  TM_TRY_ASSIGN(const auto client, HttpClient::Create(flags.server));
  const std::string query = QueryString({{"db", flags["db"].text},
                                         {"limit", std::to_string(flags["--limit"].count)},
                                         {"source", flags["--source"].text}});
  TM_TRY_ASSIGN(const HttpReply reply, client->Send("GET", "/api/v1/admin/cardinality" + query, {}, ""));
  if (reply.status >= 400) {
    return MakeError(ErrorCode::kUnavailable, WordsOfRefusal(reply.status, reply.body));
  }
  return reply.body;
}

Result<std::string> OfDirectory(const ActFlags& flags) {
  storage::StoreOptions options;
  options.directory = flags["--data"].text;
  options.background = false;
  std::error_code error;
  // Opening would make a store where none is.
  if (!std::filesystem::is_directory(options.directory, error)) {
    return NotFound(fmt::format("{}: there is no such data directory", options.directory));
  }
  TM_TRY_ASSIGN(const auto store, storage::Store::Open(std::move(options)));
  const std::string& database = flags["db"].text;
  TM_TRY_ASSIGN(const cardinality::CensusResult result,
                cardinality::TakeCensus(*store, database,
                                        {.limit = flags["--limit"].count, .source_label = flags["--source"].text}));
  return std::string(kEnvelope) + ToJson(result, database, 0) + "}";
}

uint64_t Number(simdjson::dom::element of, std::string_view key) {
  uint64_t value = 0;
  return of[key].get(value) == simdjson::SUCCESS ? value : 0;
}

std::string Text(simdjson::dom::element of, std::string_view key) {
  std::string_view value;
  return of[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

// A name may hold what would move the cursor, or end the line.
std::string Shown(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return out;
}

void PrintTable(simdjson::dom::element data, std::string_view key, std::string_view title) {
  simdjson::dom::array rows;
  if (data[key].get(rows) != simdjson::SUCCESS || rows.size() == 0) return;
  const bool values = key == "labels";
  const auto all = static_cast<double>(std::max<uint64_t>(1, Number(data, "series")));
  Say("\n{:>12} {:>6} {:>12} {:>10} {:>10}{}  {}\n", "series", "of all", "columns", "memory", "disk",
      values ? "       values" : "", title);
  for (const simdjson::dom::element row : rows) {
    const uint64_t series = Number(row, "series");
    Say("{:>12} {:>5.1f}% {:>12} {:>10} {:>10}{}  {}\n", Grouped(series), 100 * static_cast<double>(series) / all,
        Grouped(Number(row, "columns")), ShownBytes(Number(row, "memoryBytes")), ShownBytes(Number(row, "diskBytes")),
        values ? fmt::format(" {:>12}", Grouped(Number(row, "values"))) : "", Shown(Text(row, "name")));
  }
}

int Print(const std::string& json) {
  simdjson::dom::parser parser;
  simdjson::dom::element data;
  if (parser.parse(json)["data"].get(data) != simdjson::SUCCESS) return Fail("the answer cannot be read: " + json);
  const uint64_t series = Number(data, "series");
  Say("{}: {} series with {}; some {} of memory for their names, {} of pages on disk\n", Shown(Text(data, "database")),
      Grouped(series), text::Counted(Number(data, "columns"), "column"), ShownBytes(Number(data, "memoryBytes")),
      ShownBytes(Number(data, "diskBytes")));
  if (const uint64_t limit = Number(data, "seriesLimit"); limit > 0) {
    const auto part = 100 * static_cast<double>(series) / static_cast<double>(limit);
    Say("that is {:.1f} % of the {} that it may have (storage.max_series_per_database): {} more\n", part,
        Grouped(limit), Grouped(limit > series ? limit - series : 0));
  }
  PrintTable(data, "measurements", "measurement");
  PrintTable(data, "labels", "label");
  PrintTable(data, "pairs", "label pair");
  PrintTable(data, "sources", "source: " + Shown(Text(data, "sourceLabel")));
  if (const uint64_t missed = Number(data, "missedBelow"); missed > 0) {
    Say("\nthere are very many names: one of {} series or fewer may be missing above\n", Grouped(missed));
  }
  return 0;
}

}  // namespace

int RunCardinalityAct(const ActFlags& flags) {
  const Result<std::string> json = flags["--data"].text.empty() ? OfServer(flags) : OfDirectory(flags);
  if (!json.ok()) {
    Fail(json.error().message);
    return kCouldNotRun;
  }
  if (!flags.json) return Print(*json);
  Say("{}\n", *json);
  return 0;
}

}  // namespace tidemark::cli
