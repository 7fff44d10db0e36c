#include "tools/cli/alert/history_command.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "query/promql/quote.h"
#include "tools/cli/alert/time_span.h"
#include "tools/cli/answer.h"
#include "tools/cli/http_client.h"
#include "tools/cli/level_word.h"
#include "tools/cli/say.h"
#include "tools/cli/time_text.h"

namespace tidemark::cli {
namespace {

struct HistoryFlags {
  std::string server = "http://127.0.0.1:8086";
  std::string name;
  std::string from = "-1d";
  std::string to;
  uint64_t limit = 1000;
};

// Labels that say where a rule stands, and not what an alert is about.
bool IsPlumbing(std::string_view label) {
  return label == "__name__" || label == "alertname" || label == "rule_group" || label == "rule_file";
}

// What a change was for who reads on: RESOLVED, PENDING, the severity of an alert that fires (WARN, INFO, ...), or
// FIRING where it has none. Empty where `text`, "STATE -> STATE, value ...: reason", tells of something else.
std::string WordOf(std::string_view text, std::string_view severity) {
  constexpr std::string_view kArrow = " -> ";
  const std::string_view change = text.substr(0, text.find_first_of(",:"));
  const size_t arrow = change.find(kArrow);
  if (arrow == std::string_view::npos) return "";
  if (change == "firing -> inactive") return "RESOLVED";
  const std::string_view to = change.substr(arrow + kArrow.size());
  if (to == "pending") return "PENDING";
  if (to != "firing") return "";
  return LevelWord(severity.empty() ? "firing" : severity);
}

Status Print(const HistoryFlags& flags, const TimeSpan& span) {
  std::string selector = "_alerts_event";
  if (!flags.name.empty()) selector += fmt::format("{{alertname={}}}", query::promql::Quote(flags.name));
  const auto seconds = [](int64_t ms) { return fmt::format("{:.3f}", static_cast<double>(ms) / 1000); };
  TM_TRY_ASSIGN(const std::unique_ptr<HttpClient> client, HttpClient::Create(flags.server));
  TM_TRY_ASSIGN(const HttpReply reply,
                client->Send("GET",
                             "/api/v1/events" + QueryString({{"match[]", selector},
                                                             {"db", "_server"},
                                                             {"start", seconds(span.from_ms)},
                                                             {"end", seconds(span.to_ms)},
                                                             {"limit", std::to_string(flags.limit)}}),
                             {}, ""));
  simdjson::dom::parser parser;
  simdjson::dom::array events;
  const simdjson::padded_string body(reply.body);
  if (reply.status != 200 || parser.parse(body)["data"].get(events) != simdjson::SUCCESS) {
    const auto answer = ParseAnswer(reply.body);
    return InvalidArgument(answer.ok() ? fmt::format("the server answered {}", reply.status) : answer.error().message);
  }
  for (const simdjson::dom::element event : events) {
    std::string_view text;
    std::string_view time_ns;
    std::string_view name;
    simdjson::dom::object labels;
    if (event["text"].get(text) != simdjson::SUCCESS || event["time_ns"].get(time_ns) != simdjson::SUCCESS ||
        event["labels"].get(labels) != simdjson::SUCCESS) {
      return MakeError(ErrorCode::kInternal, "the server's answer is no list of events");
    }
    if (labels["alertname"].get(name) != simdjson::SUCCESS) name = "?";
    std::string shown;
    for (const auto& [label, value] : labels) {
      std::string_view content;
      if (!IsPlumbing(label) && value.get(content) == simdjson::SUCCESS) shown += fmt::format(" {}={}", label, content);
    }
    const int64_t time_ms = std::strtoll(std::string(time_ns).c_str(), nullptr, 10) / 1'000'000;
    std::string_view severity;
    if (labels["severity"].get(severity) != simdjson::SUCCESS) severity = "";
    Say("{}  {:<8}  {}{}  {}\n", TimeToText(time_ms), WordOf(text, severity), name, shown, text);
  }
  return {};
}

int History(const HistoryFlags& flags) {
  const Result<TimeSpan> span = ParseTimeSpan(flags.from, flags.to);
  if (!span.ok()) return FailUsage(span.error().message);
  const Status done = Print(flags, *span);
  return done.ok() ? 0 : Fail(done.error().message);
}

}  // namespace

void AddAlertHistory(CLI::App& app, Action* action) {
  auto flags = std::make_shared<HistoryFlags>();
  CLI::App* const history = app.add_subcommand("history", "what has become of alerts, when and why");
  AddServerFlag(*history, &flags->server);
  history->add_option("alert", flags->name, "only alerts of this name");
  history->add_option("--from", flags->from, "begin: RFC 3339, unix seconds, -7d")->capture_default_str();
  history->add_option("--to", flags->to, "end (default: now)");
  history->add_option("--limit", flags->limit, "the newest so many")->capture_default_str();
  history->callback([flags, action] { *action = [flags] { return History(*flags); }; });
}

}  // namespace tidemark::cli
