#include "tools/cli/exec/report_reader.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "tools/cli/http_client.h"

namespace tidemark::cli {
namespace {

bool IsAbsent(const ApiAnswer& reply) { return reply.status == 404; }

// Seconds with three digits, as the API takes them.
std::string Seconds(int64_t ms) { return fmt::format("{}.{:03}", ms / 1000, ms % 1000); }

}  // namespace

Result<std::vector<PastEvent>> ReadEvents(ApiSource& api, const std::string& database, const std::string& selector,
                                          const EventsAsked& asked) {
  ApiParameters parameters{{"db", database}, {"match[]", selector}, {"limit", std::to_string(asked.limit)}};
  if (asked.first_ms) parameters.emplace_back("start", Seconds(*asked.first_ms));
  if (asked.last_ms) parameters.emplace_back("end", Seconds(*asked.last_ms));
  TM_TRY_ASSIGN(const ApiAnswer reply, api.Ask("/api/v1/events", parameters));
  std::vector<PastEvent> events;
  if (IsAbsent(reply)) return events;
  if (reply.status >= 400) return InvalidArgument(WordsOfRefusal(reply.status, reply.body));
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::array data;
  if (parser.parse(reply.body).get(root) != simdjson::SUCCESS || root["data"].get(data) != simdjson::SUCCESS) {
    return MakeError(ErrorCode::kInternal, fmt::format("not an answer of events: {}", reply.body.substr(0, 200)));
  }
  for (const simdjson::dom::element entry : data) {
    PastEvent event;
    std::string_view text, ns;
    int64_t time_ns = 0;
    if (entry["text"].get(text) != simdjson::SUCCESS) continue;
    if (entry["time_ns"].get(ns) == simdjson::SUCCESS) {
      std::from_chars(ns.data(), ns.data() + ns.size(), time_ns);
    } else if (entry["time_ns"].get(time_ns) != simdjson::SUCCESS) {
      continue;
    }
    event.time_ms = time_ns / 1'000'000;
    event.text = text;
    simdjson::dom::object labels;
    if (entry["labels"].get(labels) == simdjson::SUCCESS) {
      for (const auto& [name, value] : labels) {
        std::string_view label;
        if (name != "__name__" && value.get(label) == simdjson::SUCCESS) {
          event.labels.push_back({std::string(name), std::string(label)});
        }
      }
    }
    std::sort(event.labels.begin(), event.labels.end());
    events.push_back(std::move(event));
  }
  return events;
}

Result<Answer> Ask(ApiSource& api, const std::string& database, const std::string& expression,
                   std::optional<int64_t> time_ms) {
  ApiParameters parameters{{"query", expression}, {"db", database}};
  if (time_ms) parameters.emplace_back("time", Seconds(*time_ms));
  TM_TRY_ASSIGN(const ApiAnswer reply, api.Ask("/api/v1/query", parameters));
  if (IsAbsent(reply)) return Answer{};
  return ParseAnswer(reply.body);
}

double ToDouble(const std::string& text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace tidemark::cli
