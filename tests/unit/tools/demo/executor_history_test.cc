#include "tools/demo/executor_history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/unit/tools/demo/lines_of_points.h"

namespace tidemark::demo {
namespace {

constexpr int64_t kHistoryToday = 1'700'000'400 * kSecond;

TEST(ExecutorHistory, EachWeekIsAsOnTheCard) {
  for (size_t week = 0; week < kWeeks; ++week) {
    Lines lines;
    ExecutorHistory history(1, kHistoryToday, "_exec", Into(&lines));
    const int64_t begin_ns = kHistoryToday - static_cast<int64_t>(kWeeks - week) * kWeek;
    std::vector<double> seconds;
    double failures = 0;
    double commands = 0;
    for (int64_t at = begin_ns; at < begin_ns + kWeek; at += ExecutorHistory::kRunEvery) {
      lines.clear();
      history.Run(at);
      const auto run = std::find_if(lines.begin(), lines.end(),
                                    [](const auto& line) { return line.second.starts_with("exec_run,"); });
      ASSERT_NE(run, lines.end());
      EXPECT_NE(run->second.find(",era=" + std::string(kStory[week].era)), std::string::npos) << run->second;
      seconds.push_back(NumberOf(run->second, "duration_seconds"));
      failures += 1 - NumberOf(run->second, "success");
      commands += NumberOf(run->second, "tasks") / seconds.back();
    }
    std::sort(seconds.begin(), seconds.end());
    const auto runs = static_cast<double>(seconds.size());
    double sum = 0;
    for (const double s : seconds) sum += s;
    EXPECT_NEAR(sum / runs / kStory[week].run_seconds, 1, 0.02) << week;
    EXPECT_NEAR(seconds[seconds.size() * 95 / 100] / kStory[week].run_seconds_p95, 1, 0.03) << week;
    EXPECT_NEAR(commands / runs / kStory[week].commands_per_second, 1, 0.01) << week;
    EXPECT_NEAR(failures / runs, kStory[week].failure_share, 0.012) << week;
  }
}

TEST(ExecutorHistory, RowsAreGoodAndTheirOwn) {
  Lines lines;
  ExecutorHistory history(1, kHistoryToday, "past", Into(&lines));
  for (int i = 0; i < 500; ++i) history.Run(kHistoryToday - i * ExecutorHistory::kRunEvery);
  std::set<std::string> seen;
  for (const auto& [database, line] : lines) {
    EXPECT_EQ(database, "past");
    EXPECT_FALSE(line.starts_with("BAD")) << line;
    EXPECT_NE(line.find("run_id=\"demo-"), std::string::npos) << line;
    EXPECT_TRUE(seen.insert(line.substr(0, line.find(' ')) + line.substr(line.rfind(' '))).second) << line;
  }
}

// Every figure of a run that executor/CARD.md asks for by its field has one in the past too.
TEST(ExecutorHistory, HasTheFieldsThatTheCardAsksFor) {
  Lines lines;
  ExecutorHistory history(1, kHistoryToday, "_exec", Into(&lines));
  for (int i = 0; i < 50; ++i) history.Run(kHistoryToday - i * ExecutorHistory::kRunEvery);
  for (const auto& [_, line] : lines) {
    if (!line.starts_with("exec_run,")) continue;
    for (const char* const share :
         {"io_wait", "agents_busy", "utilisation", "lock_contention", "serial_share", "efficiency"}) {
      EXPECT_GE(NumberOf(line, share), 0) << share << " of " << line;
      EXPECT_LE(NumberOf(line, share), 1) << share << " of " << line;
    }
    for (const char* const some : {"peak_rss_bytes", "reporting_cpu_seconds", "cores", "speedup", "tasks_succeeded"})
      EXPECT_GT(NumberOf(line, some), 0) << some << " of " << line;
  }
}

}  // namespace
}  // namespace tidemark::demo
