// What stands in a panel: figures, tables, goals, savings and events, against what the page makes of the same answers.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <clocale>
#include <fstream>
#include <sstream>
#include <string>

#include "tools/cli/monitor/answers.h"
#include "tools/cli/monitor/board.h"
#include "tools/cli/monitor/figures.h"
#include "tools/cli/monitor/goals.h"
#include "tools/cli/monitor/number_text.h"
#include "tools/cli/monitor/order.h"
#include "tools/cli/monitor/panel_drawing.h"
#include "tools/cli/monitor/tables.h"

namespace tidemark::cli::monitor {
namespace {

// A board of one panel, and its answers: each the JSON of a result.
struct OnePanel {
  Board board;
  Answers answers;
  OnePanel(const std::string& panel, const std::vector<std::string>& data)
      : board(*ParseBoard(R"({"id":"b","rows":[{"panels":[)" + panel + "]}]}")), answers(NoAnswers(board)) {
    std::setlocale(LC_CTYPE, "C.UTF-8");
    for (size_t q = 0; q < data.size(); ++q) {
      TakeLine(board, R"({"id":"0.)" + std::to_string(q) + R"(","reply":{"data":)" + data[q] + "}}", &answers);
    }
  }
  [[nodiscard]] const Panel& panel() const { return board.rows[0].panels[0]; }
  [[nodiscard]] std::string Text(int width = 60, int height = 12) const {
    Canvas canvas(width, height, false);
    DrawPanel(panel(), answers[0], {.x = 0, .y = 0, .width = width, .height = height}, &canvas);
    return canvas.Text(false);
  }
  void Has(std::string_view words, int width = 60) const {
    EXPECT_NE(Text(width).find(words), std::string::npos) << words << " in:\n" << Text(width);
  }
};

std::string Vector(const std::vector<std::pair<std::string, std::string>>& series) {
  std::string out = R"({"resultType":"vector","result":[)";
  for (const auto& [labels, value] : series) {
    if (out.back() != '[') out += ',';
    out += R"({"metric":{)" + labels + R"(},"value":[100,")" + value + "\"]}";
  }
  return out + "]}";
}

TEST(FiguresTest, EveryUnitShowsWhatThePageShows) {
  std::ifstream file(UNITS_CASES);
  std::stringstream text;
  text << file.rdbuf();
  simdjson::dom::parser parser;
  const simdjson::padded_string json(text.str());
  const simdjson::dom::element cases = parser.parse(json);
  size_t tried = 0;
  for (const auto& [unit, texts] : simdjson::dom::object(cases["shown"])) {
    size_t at = 0;
    for (const simdjson::dom::element number : simdjson::dom::array(cases["numbers"])) {
      std::optional<int> decimals;
      int64_t given = 0;
      if (number.at(1).get(given) == simdjson::SUCCESS) decimals = static_cast<int>(given);
      const double value = number.at(0);
      const std::string_view wanted = simdjson::dom::array(texts).at(at++);
      EXPECT_EQ(NumberText(value, unit, decimals), wanted) << value << " as " << unit;
      ++tried;
    }
  }
  EXPECT_GT(tried, 1900U);
}

TEST(FiguresTest, ComparesByALabel) {
  const OnePanel shown(
      R"x({"type":"bars","title":"T","options":{"compare":["A","B"],"by":"kind"},"queries":[{"id":"A","expr":"a","legend":"sequential","unit":"s"},{"id":"B","expr":"b","legend":"parallel","unit":"s"}]})x",
      {Vector({{R"("kind":"test")", "0.89"}, {R"("kind":"build")", "0.245"}}),
       Vector({{R"("kind":"build")", "0.034"}, {R"("kind":"test")", "0.125"}})});
  const std::vector<Line> lines = LinesOfSeries(shown.panel(), shown.answers[0]);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].name, "build");
  EXPECT_EQ(lines[0].value.text, "245 ms → 34 ms −86 %");
  EXPECT_EQ(lines[0].value.style, Style::kGood);
  EXPECT_EQ(lines[1].name, "test");
}

TEST(FiguresTest, AStepOfTheFileGoesBackFromTheEndAndOneSampleIsShown) {
  const OnePanel shown(
      R"x({"type":"timeseries","title":"T","unit":"s","queries":[{"id":"A","expr":"a","mode":"range","step":"6h"}]})x",
      {R"({"resultType":"matrix","result":[{"metric":{},"values":[[1700000007,"1.4"]]}]})"});
  const std::string batch = BoardBatch(shown.board, {.end_s = 1'700'000'007, .length_s = 86'400, .points = 60}, {});
  EXPECT_NE(batch.find(R"("step":21600.000,"start":1699935207.000,"end":1700000007.000)"), std::string::npos) << batch;
  shown.Has("1.4 s");
}

TEST(FiguresTest, APatternIsTheNewestRunAndItsPeak) {
  const OnePanel shown(
      R"x({"type":"pattern","title":"T","options":{"x":"after"},"queries":[{"id":"after","expr":"x"},{"id":"B","expr":"m","legend":"MEM","unit":"decbytes"}]})x",
      {R"({"resultType":"matrix","result":[{"metric":{},"values":[[1,"0.1"],[2,"9"],[10,"0.1"],[11,"1.1"],[12,"2.1"]]}]})",
       R"({"resultType":"matrix","result":[{"metric":{},"values":[[1,"9e9"],[10,"5e6"],[11,"7e6"],[12,"0"]]}]})"});
  const std::vector<Line> lines = LinesOfSeries(shown.panel(), shown.answers[0]);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].value.text, "max 7 MB");
  EXPECT_EQ(lines[0].values, (std::vector<double>{5e6, 7e6, 0}));
}

TEST(FiguresTest, SortsChangesTotalsAndFullBars) {
  const OnePanel sorted(
      R"x({"type":"bars","title":"T","options":{"sort":"value","change":"previous"},"queries":[{"id":"A","expr":"a","legend":"{{era}}","unit":"s"}]})x",
      {Vector({{R"("era":"v1")", "4"}, {R"("era":"base")", "8"}})});
  sorted.Has("base");
  EXPECT_EQ(LinesOfSeries(sorted.panel(), sorted.answers[0])[1].value.text, "4 s −50 %");
  const OnePanel total(
      R"x({"type":"bars","title":"T","unit":"decbytes","options":{"total":{"of":"A","budget":"B"}},"queries":[{"id":"A","expr":"a","legend":"{{agent}}"},{"id":"B","expr":"b","legend":"Budget"}]})x",
      {Vector({{R"("agent":"1")", "100e6"}, {R"("agent":"2")", "124e6"}, {R"("agent":"10")", "1e6"}}),
       Vector({{"", "900e6"}})});
  const std::vector<Line> lines = LinesOfSeries(total.panel(), total.answers[0]);
  EXPECT_EQ(lines[1].name, "2") << "as people count";
  EXPECT_EQ(lines.back().value.text, "225 MB / 900 MB (25 %)");
}

TEST(FiguresTest, TablesByLabelMatrixAndTime) {
  const OnePanel gates(
      R"x({"type":"table","title":"T","options":{"join":"kind","title":"Kind"},"queries":[{"id":"A","expr":"g","legend":"Gate","mappings":[{"value":0,"text":"PASS","color":"good"}]},{"id":"D","expr":"r","mode":"events","legend":"Reason"}]})x",
      {Vector({{R"("kind":"lint")", "0"}, {R"("kind":"build")", "0"}}),
       R"([{"time_ns":"1","text":"old","labels":{"kind":"lint"}},{"time_ns":"2","text":"0 issues","labels":{"kind":"lint"}}])"});
  const Rows rows = TableOf(gates.panel(), gates.answers[0]);
  EXPECT_EQ(rows.heads, (std::vector<std::string>{"Kind", "Gate", "Reason"}));
  ASSERT_EQ(rows.rows.size(), 2U);
  EXPECT_EQ(rows.rows[0][0].text, "build");
  EXPECT_EQ(rows.rows[1][2].text, "0 issues");
  gates.Has("PASS");
  const OnePanel matrix(
      R"x({"type":"table","title":"T","unit":"none","options":{"pivot":{"row":"agent","column":"kind","total":true}},"queries":[{"id":"A","expr":"g"}]})x",
      {Vector({{R"("agent":"1","kind":"test")", "45"},
               {R"("agent":"1","kind":"build")", "12"},
               {R"("agent":"2","kind":"test")", "3"}})});
  const Rows cells = TableOf(matrix.panel(), matrix.answers[0]);
  EXPECT_EQ(cells.heads, (std::vector<std::string>{"agent", "build", "test", "Total"}));
  EXPECT_EQ(cells.rows[0][3].text, "57");
  EXPECT_EQ(cells.rows.back()[2].text, "48");
  const OnePanel weeks(
      R"x({"type":"table","title":"T","options":{"rows":"time","row":"Week"},"queries":[{"id":"A","expr":"a","mode":"range","legend":"Avg","step":"7d","unit":"s"}]})x",
      {R"({"resultType":"matrix","result":[{"metric":{},"values":[[1699395207,"12.4"],[1700000007,"1.4"]]}]})"});
  const Rows steps = TableOf(weeks.panel(), weeks.answers[0]);
  ASSERT_EQ(steps.rows.size(), 2U);
  EXPECT_EQ(steps.rows[1][1].text, "2023-11-14");
  EXPECT_EQ(steps.rows[1][2].text, "1.4 s");
}

TEST(FiguresTest, AnEventIsOneRowWithItsLevelAndWhatItIsAbout) {
  const OnePanel shown(R"x({"type":"events","title":"T","queries":[{"id":"A","expr":"e","mode":"events"}]})x",
                       {R"([{"time_ns":"5","text":"CPU is high","labels":{"__name__":"e_text","alertname":"HighCpu"}},
                          {"time_ns":"5","text":"warning","labels":{"__name__":"e_level","alertname":"HighCpu"}}])"});
  ASSERT_EQ(shown.answers[0][0].notes.size(), 1U);
  EXPECT_EQ(shown.answers[0][0].notes[0].level, "WARN");
  shown.Has("WARN HighCpu: CPU is high");
  shown.Has("HighCpu", 36);
}

TEST(FiguresTest, GoalsHaveTheirWordAndSavingsTheirFormula) {
  OnePanel goals(R"x({"type":"goals","title":"T"})x", {});
  ASSERT_GT(goals.panel().questions.size(), 3U);
  goals.Has("...");
  for (size_t q = 0; q < goals.panel().questions.size(); ++q) goals.answers[0][q].answered = true;
  goals.Has("UNKNOWN: 0 of");
  goals.answers[0][0].series.push_back({.name = "x", .labels = {}, .times = {1}, .values = {0.5}});
  goals.Has("✓ Call routing P99");
  goals.Has("200 %", 90);
  OnePanel savings(R"x({"type":"savings","title":"T"})x", {});
  const std::vector<Question>& questions = savings.panel().questions;
  for (size_t q = 0; q < questions.size(); ++q) {
    if (questions[q].mode == Question::Mode::kFormula) continue;
    savings.answers[0][q].answered = true;
    savings.answers[0][q].series.push_back({.name = "x", .labels = {}, .times = {1}, .values = {2}});
  }
  size_t asked = 0;
  TakeSavings(
      savings.board,
      [&](const std::string& expr) -> Result<double> {
        EXPECT_EQ(expr.find("baseline"), std::string::npos) << expr;
        return static_cast<double>(100 + asked++);
      },
      &savings.answers);
  EXPECT_GT(asked, 3U);
  savings.Has("CI time");
  savings.Has("100 %");
  savings.Has("100 * (2 - 2) / 2", 140);
}

TEST(FiguresTest, NumbersInNamesCount) {
  EXPECT_TRUE(StandsBefore("cpu2", "cpu10"));
  EXPECT_FALSE(StandsBefore("cpu10", "cpu2"));
  EXPECT_TRUE(StandsBefore("a", "a1"));
  EXPECT_TRUE(StandsBefore("a01", "a1"));
  EXPECT_FALSE(StandsBefore("a", "a"));
}

}  // namespace
}  // namespace tidemark::cli::monitor
