// Alerts, rules and silences of the terminal monitor: what the server says as rows of text.
#include "tools/cli/monitor/alerting.h"

#include <gtest/gtest.h>

#include <clocale>
#include <string>

#include "tools/cli/monitor/answers.h"
#include "tools/cli/monitor/board.h"
#include "tools/cli/monitor/screen.h"

namespace tidemark::cli::monitor {
namespace {

constexpr std::string_view kAlerts = R"({"alerts":[
  {"labels":{"alertname":"Slow","host":"b"},"annotations":{},"state":"pending","activeAt":"1970-01-01T00:15:00Z","value":"7"},
  {"labels":{"alertname":"Hot","host":"a"},"annotations":{"summary":"too hot"},"state":"firing","activeAt":"1970-01-01T00:00:00.5Z","value":"91.5"}]})";
constexpr std::string_view kRules = R"json({"groups":[{"name":"g","interval":15,"rules":[
  {"type":"alerting","name":"Hot","query":"cpu > 90","health":"ok","state":"firing","duration":90},
  {"type":"recording","name":"r:sum","query":"sum(x)","health":"err","lastError":"no such thing"}]}]})json";
constexpr std::string_view kSilences = R"([
  {"id":"1","status":{"state":"pending"},"comment":"later","createdBy":"bob","endsAt":"2030-01-02T03:04:05.678Z","matchers":[{"name":"a","value":"x.*","isRegex":true,"isEqual":false}]},
  {"id":"2","status":{"state":"expired"},"comment":"gone","createdBy":"bob","endsAt":"2020-01-01T00:00:00Z","matchers":[]},
  {"id":"3","status":{"state":"active"},"comment":"moving it","createdBy":"ada","endsAt":"2031-01-01T00:00:00Z","matchers":[{"name":"alertname","value":"Hot","isRegex":false,"isEqual":true},{"name":"h","value":"y","isRegex":false,"isEqual":false}]}])";

std::string Told(std::string_view status, std::string_view receivers = R"([{"name":"team"}])") {
  return R"([{"labels":{"alertname":"Hot","host":"a","more":"x"},"receivers":)" + std::string(receivers) +
         R"(,"status":)" + std::string(status) + "}]";
}

TEST(MonitorAlerting, ReadsAlertsThoseThatFireFirst) {
  const std::vector<ActiveAlert> alerts = ReadAlerts(kAlerts);
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_EQ(alerts[0].labels.at("alertname"), "Hot");
  EXPECT_EQ(alerts[0].summary, "too hot");
  EXPECT_EQ(alerts[0].active_at_s, 0.5);
  for (const char* const odd : {"", "{}", "[]", "{\"alerts\":5}", "{\"alerts\":[{}]}"}) {
    for (const ActiveAlert& one : ReadAlerts(odd)) EXPECT_EQ(one.state, "") << odd;
  }
}

TEST(MonitorAlerting, SaysWhoIsToldOrWhyNobodyIs) {
  const std::vector<Silence> silences = *ReadSilences(kSilences);
  const auto told = [&](const std::string& reply) {
    std::vector<ActiveAlert> alerts = ReadAlerts(kAlerts);
    FinishAlerts(1000, reply, silences, &alerts);
    return alerts[0].told ? alerts[0].told->text : "unknown";
  };
  EXPECT_EQ(told(Told(R"({"state":"active","silencedBy":[],"inhibitedBy":[]})")), "team");
  EXPECT_EQ(told(Told(R"({"state":"unprocessed","silencedBy":[],"inhibitedBy":[]})")), "team, soon");
  EXPECT_EQ(told(Told(R"({"state":"suppressed","silencedBy":["3"],"inhibitedBy":[]})")), "silenced by ada: moving it");
  EXPECT_EQ(told(Told(R"({"state":"suppressed","silencedBy":["9"],"inhibitedBy":[]})")), "silenced");
  EXPECT_EQ(told(Told(R"({"state":"suppressed","silencedBy":[],"inhibitedBy":["x"]})")), "held back by another");
  EXPECT_EQ(told(Told(R"({"state":"active","silencedBy":[],"inhibitedBy":[]})", "[]")), "nobody: no route");
  EXPECT_EQ(told("[]"), "nobody");
  EXPECT_EQ(told(""), "unknown") << "who may not see it is told nothing wrong";
  std::vector<ActiveAlert> alerts = ReadAlerts(kAlerts);
  FinishAlerts(1000, "[]", silences, &alerts);
  EXPECT_EQ(alerts[1].told->text, "nobody yet") << "it is pending";
  EXPECT_EQ(alerts[1].since_s, 100);
}

TEST(MonitorAlerting, RowsSayWhatTheApiSays) {
  std::vector<ActiveAlert> alerts = ReadAlerts(kAlerts);
  FinishAlerts(1000, "[]", {}, &alerts);
  const Rows rows = RowsOf(alerts);
  ASSERT_EQ(rows.rows.size(), 2U);
  std::string line;
  for (const Shown& word : rows.rows[0]) line += word.text + "|";
  EXPECT_EQ(line, "firing|Hot|91.5|16m40s|nobody|host=a|too hot|");
  const Rows rules = RowsOf(ReadRules(kRules));
  line.clear();
  for (const auto& row : rules.rows) {
    for (const Shown& word : row) line += word.text + "|";
  }
  EXPECT_EQ(line, "firing|Hot|1m30s|15s|g|cpu > 90|error|r:sum|–|15s|g|no such thing|");
  EXPECT_EQ(rules.rows[1].back().style, Style::kBad);
  const Rows silences = RowsOf(*ReadSilences(kSilences));
  line.clear();
  for (const auto& row : silences.rows) {
    for (const Shown& word : row) line += word.text + "|";
  }
  EXPECT_EQ(line,
            "silent|2031-01-01 00:00:00|alertname=\"Hot\", h!=\"y\"|ada|moving it|begins later|2030-01-02 "
            "03:04:05|a!~\"x.*\"|bob|later|");
  EXPECT_FALSE(ReadSilences("{}").has_value());
  EXPECT_FALSE(ReadSilences("").has_value());
}

// The page `id` that ships, answered.
std::string PageOf(std::string_view id, int width, int height, bool answered) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  for (const ShippedBoard& shipped : ShippedBoards()) {
    if (shipped.id != id) continue;
    const Board board = *ParseBoard(shipped.json);
    Answers answers = NoAnswers(board);
    const std::string alerts =
        R"({"id":"0.0","reply":{"status":"success","data":)" + std::string(id == "rules" ? kRules : kAlerts) + "}}";
    if (answered) {
      TakeLine(board, alerts, &answers);
      TakeTold(board, 1000, std::string(kSilences), "[]", &answers);
    }
    ScreenState state{.board = &board,
                      .answers = &answers,
                      .pages = {},
                      .page = 0,
                      .span = {.end_s = 1000, .length_s = 3600},
                      .trouble = {}};
    Canvas canvas(width, height, false);
    DrawScreen(state, &canvas);
    return canvas.Text(false);
  }
  return "there is no such page";
}

TEST(MonitorAlerting, PagesAreLegibleAtAnySize) {
  for (const auto& [width, height] : {std::pair(60, 15), {80, 24}, {200, 60}}) {
    const std::string alerts = PageOf("alerts", width, height, true);
    for (const char* const word : {"1 alert fires", "State", "firing", "Hot", "pending", "Slow", "91.5"})
      EXPECT_NE(alerts.find(word), std::string::npos) << width << ": " << alerts;
    const std::string rules = PageOf("rules", width, height, true);
    for (const char* const word : {"2 rules", "firing", "error", "r:sum", "15s"})
      EXPECT_NE(rules.find(word), std::string::npos) << width << ": " << rules;
    const std::string silences = PageOf("silences", width, height, true);
    for (const char* const word : {"2 silences", "silent", "begins later", "2031-01-01"})
      EXPECT_NE(silences.find(word), std::string::npos) << width << ": " << silences;
  }
  EXPECT_NE(PageOf("alerts", 200, 60, true).find("host=a"), std::string::npos);
  EXPECT_NE(PageOf("rules", 200, 60, true).find("no such thing"), std::string::npos);
  EXPECT_EQ(PageOf("alerts", 80, 24, false).find("No rule watches"), std::string::npos) << "nothing is known yet";
}

}  // namespace
}  // namespace tidemark::cli::monitor
