// What tokens and databases take of the server, in the terminal monitor.
#include "tools/cli/monitor/usage.h"

#include <gtest/gtest.h>

#include <clocale>
#include <string>

#include "tools/cli/monitor/answers.h"
#include "tools/cli/monitor/board.h"
#include "tools/cli/monitor/screen.h"

namespace tidemark::cli::monitor {
namespace {

constexpr std::string_view kUsage = R"({"status":"success","data":[
  {"kind":"token","name":"agents","quotas":["points/s=100000","queries=2"],"points":1234567,"bytes":2097152,"newSeries":10,"queries":7,"runningQueries":1,"queryMemoryBytes":1024,"refusedWrites":1,"refusedRows":2,"refusedQueries":3},
  {"kind":"database","name":"demo","quotas":[],"points":18446744073709551615}]})";

TEST(MonitorUsage, ReadsCountsAndAddsUpWhatWasRefused) {
  const auto usage = ReadUsage(kUsage);
  ASSERT_TRUE(usage.has_value());
  ASSERT_EQ(usage->size(), 2U);
  EXPECT_EQ((*usage)[0].quotas, "points/s=100000, queries=2");
  EXPECT_EQ((*usage)[0].refused, 6U);
  EXPECT_EQ((*usage)[1].points, UINT64_MAX);
  EXPECT_EQ((*usage)[1].quotas, "");
  for (const char* const odd : {"", "[]", "{}", R"({"data":5})", "{"}) EXPECT_FALSE(ReadUsage(odd).has_value()) << odd;
  EXPECT_TRUE(ReadUsage(R"({"data":[]})")->empty());
}

TEST(MonitorUsage, NumbersHaveUnits) {
  const Rows rows = RowsOf(*ReadUsage(kUsage));
  ASSERT_EQ(rows.rows.size(), 2U);
  EXPECT_EQ(rows.rows[0][3].text, "2 MiB");
  EXPECT_EQ(rows.rows[0][6].style, Style::kWarn) << "something was refused";
  EXPECT_EQ(rows.rows[1].back().text, "none");
  for (const auto& row : rows.rows) EXPECT_EQ(row.size(), rows.heads.size());
}

// The page that ships, with the reply `usage`.
std::string PageOf(int width, int height, const Result<std::string>& usage) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  for (const ShippedBoard& shipped : ShippedBoards()) {
    if (shipped.id != "usage") continue;
    const Board board = *ParseBoard(shipped.json);
    EXPECT_TRUE(AsksUsage(board));
    EXPECT_EQ(BoardBatch(board, {}, {}), R"({"queries":[]})") << "no batch has it";
    Answers answers = NoAnswers(board);
    TakeUsage(board, usage, &answers);
    const ScreenState state{.board = &board,
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

TEST(MonitorUsage, ThePageIsLegibleAtAnySizeAndSaysWhyItIsEmpty) {
  for (const auto& [width, height] : {std::pair(60, 15), {80, 24}, {200, 60}}) {
    const std::string page = PageOf(width, height, std::string(kUsage));
    for (const char* const word : {"agents", "demo", "Points", "Received", "2 MiB"})
      EXPECT_NE(page.find(word), std::string::npos) << width << ": " << page;
  }
  EXPECT_NE(PageOf(200, 60, std::string(kUsage)).find("points/s=100000, queries=2"), std::string::npos);
  EXPECT_NE(PageOf(80, 24, InvalidArgument("this token may not see it")).find("may not see it"), std::string::npos);
  const std::string none = PageOf(60, 15, std::string(R"({"data":[]})"));
  for (const char* const word : {"No token and no quota", "admin:*", "points/s=100000"})
    EXPECT_NE(none.find(word), std::string::npos) << "the whole of it is there: " << none;
}

}  // namespace
}  // namespace tidemark::cli::monitor
