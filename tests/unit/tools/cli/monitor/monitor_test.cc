// The terminal monitor without a terminal: boards, questions and answers, the canvas, whole screens.
#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <string>

#include "tools/cli/monitor/answers.h"
#include "tools/cli/monitor/board.h"
#include "tools/cli/monitor/canvas.h"
#include "tools/cli/monitor/number_text.h"
#include "tools/cli/monitor/panel_drawing.h"
#include "tools/cli/monitor/screen.h"

namespace tidemark::cli::monitor {
namespace {

class MonitorTest : public ::testing::Test {
 protected:
  // What is wide is known in a UTF-8 locale only.
  MonitorTest() { std::setlocale(LC_CTYPE, "C.UTF-8"); }
};

constexpr std::string_view kBoard =
    R"x({"schema":1,"id":"b","title":"Board","range":{"from":"now-1h","to":"now"},"refresh":"10s",
  "variables":[{"name":"host","kind":"query","db":"_host","query":"label_values(load{a=\"b,c\"}, host)","default":"z"},
               {"name":"sel","kind":"constant","query":"host=\"$host\""}],
  "rows":[{"title":"Row","panels":[
    {"id":"a","type":"bars","title":"Disks","width":6,"unit":"percent","thresholds":[{"from":null,"color":"good"},{"from":80,"color":"bad"}],
     "queries":[{"id":"A","expr":"used{$sel}","legend":"{{disk}}"}]},
    {"id":"b","type":"timeseries","title":"Load","width":6,"queries":[{"id":"A","mode":"range","expr":"rate(x[$__rate_interval])","db":"$db"}]},
    {"id":"c","type":"events","title":"Log","width":12,"queries":[{"id":"A","mode":"events","expr":"log_text","limit":5}],"empty":"Run it."},
    {"id":"d","type":"text","title":"","width":12,"options":{"text":"some words that are longer than a line of this"}}]}]})x";

TEST_F(MonitorTest, ReadsBoards) {
  const Result<Board> board = ParseBoard(kBoard);
  ASSERT_TRUE(board.ok()) << board.error().message;
  EXPECT_EQ(board->range_s, 3600);
  EXPECT_EQ(board->refresh_s, 10);
  ASSERT_EQ(board->variables.size(), 2U);
  EXPECT_EQ(board->variables[0].label, "host");
  EXPECT_EQ(board->variables[0].match, R"(load{a="b,c"})");
  const Panel& bars = board->rows[0].panels[0];
  EXPECT_EQ(bars.questions[0].looks.unit, "percent") << "the panel's, where the query says nothing";
  ASSERT_EQ(bars.questions[0].looks.thresholds.size(), 2U);
  EXPECT_EQ(bars.questions[0].looks.thresholds[1].style, Style::kBad);
  for (const char* const bad : {"", "[]", "{\"rows\":[]}", "{"}) EXPECT_FALSE(ParseBoard(bad).ok()) << bad;
}

TEST_F(MonitorTest, AllShippedPagesAreRead) {
  ASSERT_GE(ShippedBoards().size(), 9U);
  for (const ShippedBoard& shipped : ShippedBoards()) {
    const Result<Board> board = ParseBoard(shipped.json);
    ASSERT_TRUE(board.ok()) << shipped.id;
    EXPECT_EQ(board->id, shipped.id);
    EXPECT_FALSE(board->rows.empty()) << shipped.id;
  }
}

TEST_F(MonitorTest, AsksAllInOneBatchOnAGrid) {
  const Board board = *ParseBoard(kBoard);
  const std::string batch = BoardBatch(board, {.end_s = 1'700'000'007, .length_s = 3600, .points = 60},
                                       {{"host", "a"}, {"sel", "host=\"$host\""}, {"db", "mine"}});
  EXPECT_NE(
      batch.find(R"x({"id":"0.0","endpoint":"query","params":{"query":"used{host=\"a\"}","time":1700000007.000}})x"),
      std::string::npos)
      << batch;
  // 60 steps of a minute that end on a whole minute; max(60 + 1, 4) seconds of rate.
  EXPECT_NE(
      batch.find(
          R"x({"id":"1.0","endpoint":"query_range","params":{"db":"mine","query":"rate(x[61000ms])","step":60.000,"start":1699996380.000,"end":1699999980.000}})x"),
      std::string::npos)
      << batch;
  EXPECT_NE(batch.find(R"x("endpoint":"events","params":{"match[]":"log_text","start":)x"), std::string::npos) << batch;
  EXPECT_EQ(
      VariableBatch(board.variables[0], {}),
      R"x({"queries":[{"id":"v","endpoint":"label_values","params":{"label":"host","db":"_host","match[]":"load{a=\"b,c\"}","limit":1000}}]})x");
  EXPECT_EQ(VariableValue(board.variables[0], R"({"id":"v","reply":{"data":["x","z"]}})"), "z") << "the default";
  EXPECT_EQ(VariableValue(board.variables[0], R"({"id":"v","reply":{"data":["x","y"]}})"), "x");
  EXPECT_EQ(EscapeForString("a\"b\\c$d\n"), R"(a\"b\\c\x24d\n)");
  EXPECT_EQ(Interpolate("$a ${a} $b ${a", {{"a", "1"}}), "1 1 $b ${a");
}

TEST_F(MonitorTest, TakesAnswersAndKeepsThemWhenAQuestionFails) {
  const Board board = *ParseBoard(kBoard);
  Answers answers = NoAnswers(board);
  TakeLine(board, R"({"id":"0.0","status":200,"reply":{"status":"success","data":{"resultType":"vector","result":[
    {"metric":{"disk":"b"},"value":[5,"90.5"]},{"metric":{"disk":"a"},"value":[5,"+Inf"]}]}}})",
           &answers);
  ASSERT_EQ(answers[0][0].series.size(), 2U);
  EXPECT_EQ(answers[0][0].series[0].name, "a");
  EXPECT_EQ(answers[0][0].series[1].last(), 90.5);
  TakeLine(board, R"({"id":"0.0","status":422,"reply":{"status":"error","error":"too much"}})", &answers);
  EXPECT_EQ(answers[0][0].error, "too much");
  EXPECT_EQ(answers[0][0].series.size(), 2U);
  for (const char* const odd : {"", "x", "{}", R"({"id":"9.0","reply":{"data":{}}})", R"({"id":"0","reply":{}})",
                                R"({"id":"0.7","reply":{}})", R"({"id":7,"reply":{}})"}) {
    TakeLine(board, odd, &answers);
  }
  TakeLine(
      board,
      R"({"id":"2.0","reply":{"data":[{"time_ns":"1000000000","text":"old"},{"time_ns":"2000000000","text":"new"}]}})",
      &answers);
  ASSERT_EQ(answers[2][0].notes.size(), 2U);
  EXPECT_EQ(answers[2][0].notes[0].text, "new");
}

TEST_F(MonitorTest, ALongNoteLeavesRoomForNames) {
  const Board board = *ParseBoard(
      R"({"id":"x","rows":[{"panels":[{"id":"a","type":"stat","title":"T","width":12,"queries":[{"id":"A","expr":"x","legend":"Current"},{"id":"B","expr":"y","legend":"Sustained","note":"by nine tenths of a day and some more"}]}]}]})");
  Answers answers = NoAnswers(board);
  for (const char* const id : {"0.0", "0.1"}) {
    TakeLine(
        board,
        R"({"id":")" + std::string(id) +
            R"(","reply":{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"5"]}]}}})",
        &answers);
  }
  Canvas canvas(28, 2, true);
  DrawPanel(board.rows[0].panels[0], answers[0], {.x = 0, .y = 0, .width = 28, .height = 2}, &canvas);
  const std::string text = canvas.Text(false);
  for (const char* const word : {"Current", "Sustained", "5 by"}) EXPECT_NE(text.find(word), std::string::npos) << text;
}

TEST_F(MonitorTest, NumbersAsThePageShowsThem) {
  const auto shown = [](double value, std::string_view unit, std::optional<int> decimals = {}) {
    return NumberText(value, unit, decimals);
  };
  EXPECT_EQ(shown(1.2 * 1024 * 1024 * 1024, "bytes"), "1.2 GiB");
  EXPECT_EQ(shown(0.034, "s"), "34 ms");
  EXPECT_EQ(shown(0.912, "percentunit", 1), "91.2 %");
  EXPECT_EQ(shown(0.9999, "percentunit", {}), "99.99 %") << "what is not whole is not shown as whole";
  EXPECT_EQ(shown(-99.96, "percent", {}), "−99.96 %");
  EXPECT_EQ(shown(100, "percent", {}), "100 %");
  EXPECT_EQ(shown(999.9996, "short"), "1 K");
  EXPECT_EQ(shown(2450, "cps"), "2,450 cmd/s");
  EXPECT_EQ(shown(-0.86, "change"), "−86 %");
  EXPECT_EQ(shown(12'450, "currencyUSD"), "$12,450");
  EXPECT_EQ(shown(0.0001, "none", 2), "<0.01");
  EXPECT_EQ(shown(7, "apples"), "7 apples");
  EXPECT_EQ(shown(NAN, "s"), "–");
  EXPECT_EQ(shown(INFINITY, "s"), "+∞");
  EXPECT_EQ(shown(1'700'000'000, "dateTime"), "2023-11-14 22:13:20");
}

TEST_F(MonitorTest, TheCanvasClipsAndLetsNoTextMoveTheCursor) {
  Canvas canvas(8, 3, false);
  canvas.Print(0, 0, 8, "a\x1b[2Jb\rc\u202Ed");
  canvas.Print(-2, 1, 20, "xyz");
  canvas.Print(0, 2, 20, "0123456789");
  canvas.Print(0, 9, 5, "below");
  EXPECT_EQ(canvas.Text(false), "a[2Jbcd\nz\n0123456…\n");
  Canvas wide(5, 1, false);
  EXPECT_EQ(wide.Print(0, 0, 5, "日本語"), 5) << "two wide ones and the ellipsis";
  EXPECT_EQ(wide.Text(false), "日本…\n");
  EXPECT_EQ(WidthOf("e\u0301日"), 3);
  Canvas broken(4, 1, false);
  broken.Print(0, 0, 4, "\xff\xc3(");
  EXPECT_EQ(broken.Text(false), "\uFFFD\uFFFD(\n");
}

TEST_F(MonitorTest, AsciiInPlaceOfLinesAndBars) {
  Canvas canvas(12, 3, true);
  canvas.Box({0, 0, 12, 3}, "é");
  canvas.Bar(1, 1, 4, 0.5, Style::kGood);
  canvas.Spark(6, 1, 4, {0, NAN, 1, 2}, 0, 2, Style::kPlain);
  const std::string text = canvas.Text(false);
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= ' ' && c < 0x7F)) << text;
  EXPECT_EQ(text, "+- ? ------+\n|##.. _ =# |\n+----------+\n");
}

// A screen of `width` x `height` with something in each panel.
std::string ScreenOf(int width, int height, bool ascii, int scroll = 0) {
  static const Board board = *ParseBoard(kBoard);
  Answers answers = NoAnswers(board);
  answers[0][0].series = {{.name = "root", .labels = {}, .times = {1}, .values = {91.5}},
                          {.name = "home", .labels = {}, .times = {1}, .values = {20}}};
  answers[1][0].series = {{.name = "one", .labels = {}, .times = {1, 2, 3}, .values = {1, 2, 3}}};
  ScreenState state{.board = &board,
                    .answers = &answers,
                    .pages = {"Board"},
                    .page = 0,
                    .span = {.end_s = 1'700'000'000, .length_s = 3600},
                    .scroll = scroll,
                    .trouble = {}};
  Canvas canvas(width, height, ascii);
  DrawScreen(state, &canvas);
  return canvas.Text(false);
}

TEST_F(MonitorTest, DrawsAPageAtAnySize) {
  const std::string text = ScreenOf(80, 24, false);
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "Tidemark Board  last 1h                                       as of 22:13:20 UTC");
  EXPECT_NE(text.find("Disks"), std::string::npos) << text;
  EXPECT_NE(text.find("91.5 %"), std::string::npos) << text;
  EXPECT_NE(text.find("root █"), std::string::npos) << text;
  EXPECT_NE(text.find("▁"), std::string::npos) << text;
  EXPECT_NE(text.find("..."), std::string::npos) << "nobody has answered yet: " << text;
  EXPECT_NE(text.find("some words"), std::string::npos) << text;
  EXPECT_NE(text.find("q end"), std::string::npos) << text;
  for (const auto& [width, height] : {std::pair(60, 15), {80, 24}, {200, 60}, {20, 5}, {1, 1}}) {
    const std::string any = ScreenOf(width, height, false);
    EXPECT_EQ(std::count(any.begin(), any.end(), '\n'), height);
    for (size_t at = 0, end = 0; (end = any.find('\n', at)) != std::string::npos; at = end + 1) {
      EXPECT_LE(WidthOf(any.substr(at, end - at)), width);
    }
  }
  EXPECT_NE(ScreenOf(60, 10, false).find("more below"), std::string::npos);
  EXPECT_EQ(ScreenOf(60, 10, false, 3).find("Disks"), std::string::npos) << "scrolled away";
  for (const char c : ScreenOf(80, 24, true)) EXPECT_TRUE(c == '\n' || (c >= ' ' && c < 0x7F));
}

}  // namespace
}  // namespace tidemark::cli::monitor
