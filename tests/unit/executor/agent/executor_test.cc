#include "executor/executor.h"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/unit/executor/telemetry/recording_sink.h"

namespace tidemark::executor {
namespace {

TEST(ExecutorTest, RunsFunctionsAndCommandsInOrderAndReportsThem) {
  std::atomic<int> step{0};
  Executor work("nightly");
  const auto load = work.Add("load", "io", [&](TaskContext&) -> Result<void> {
    EXPECT_EQ(step.fetch_add(1), 0);
    return {};
  });
  const auto pack = work.AddCommand("pack", "io", {"true"}, {load});
  work.Add("index", "cpu",
           [&](TaskContext&) -> Result<void> {
             EXPECT_EQ(step.fetch_add(1), 1);
             return {};
           },
           {load, pack});
  work.task(pack).retries = 2;
  RecordingSink sink;
  // Twice: running changes nothing.
  for (int round = 0; round < 2; ++round) {
    step = 0;
    const auto report = work.Run({.agents = 2, .sink = &sink});
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->totals.succeeded, 3U);
    EXPECT_EQ(step, 2);
    EXPECT_GE(report->agents[0].start_ns, 0);
  }
  EXPECT_EQ(sink.Of("exec_task").size(), 6U);
}

TEST(ExecutorTest, NothingToDoIsRefused) { EXPECT_FALSE(Executor("empty").Run().ok()); }

}  // namespace
}  // namespace tidemark::executor
