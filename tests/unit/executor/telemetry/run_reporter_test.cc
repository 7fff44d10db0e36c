#include "executor/telemetry/run_reporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <string>

#include "tests/unit/executor/telemetry/recording_sink.h"

namespace tidemark::executor {
namespace {

RunFacts Facts() {
  RunFacts run;
  run.run_id = "r1";
  run.pipeline = "checks";
  run.mode = "parallel";
  run.labels = {{"era", "v2"}};
  run.agents = 2;
  run.tasks = 5;
  return run;
}

class RunReporterTest : public ::testing::Test {
 protected:
  ManualClock clock_{1'000};
  RecordingSink sink_;
};

TEST_F(RunReporterTest, TaskRowsCarryTagsAndFieldsInSeconds) {
  RunReporter reporter({}, Facts(), &sink_, clock_);
  TaskFacts task;
  task.task = "unit";
  task.kind = "test";
  task.agent = "Agent-2";
  task.outcome = Outcome::kTimedOut;
  task.attempt = 2;
  task.signal = 15;
  task.ready_after_ns = 500'000'000;
  task.started_after_ns = 2'000'000'000;
  task.duration_ns = 1'500'000'000;
  task.max_rss_bytes = 4096;
  reporter.Task(task);
  EXPECT_EQ(reporter.Finish().rows_written, 2U);
  ASSERT_EQ(sink_.rows.size(), 2U);
  const SeenRow& gate = sink_.rows[1];
  EXPECT_EQ(gate.measurement, "exec_gate");
  EXPECT_EQ(gate.Text("status"), "FAIL");
  EXPECT_EQ(gate.Int("level"), 2);
  EXPECT_EQ(gate.Text("reason"), "timed out");
  EXPECT_FALSE(gate.tags.contains("agent"));
  const SeenRow& row = sink_.rows[0];
  EXPECT_EQ(row.measurement, "exec_task");
  EXPECT_EQ(row.tags,
            (std::map<std::string, std::string>{
                {"agent", "Agent-2"}, {"era", "v2"}, {"kind", "test"}, {"mode", "parallel"}, {"pipeline", "checks"}}));
  EXPECT_EQ(row.Text("run_id"), "r1");
  EXPECT_EQ(row.Text("task"), "unit");
  EXPECT_EQ(row.Text("outcome"), "timed out");
  EXPECT_EQ(row.Int("success"), 0);
  EXPECT_EQ(row.Int("attempt"), 2);
  EXPECT_EQ(row.Int("signal"), 15);
  EXPECT_DOUBLE_EQ(row.Float("duration_seconds"), 1.5);
  EXPECT_DOUBLE_EQ(row.Float("wait_seconds"), 1.5);
  EXPECT_EQ(row.Int("max_rss_bytes"), 4096);
}

TEST_F(RunReporterTest, RowsOfOneSeriesNeverShareATime) {
  RunReporter reporter({}, Facts(), &sink_, clock_);
  for (int i = 0; i < 3; ++i) reporter.Event(EventLevel::kInfo, "Agent-1", "test", "x");
  reporter.Event(EventLevel::kWarning, "Agent-2", "test", "y");
  clock_.Set(500);  // set back
  reporter.Event(EventLevel::kError, "Agent-1", "test", "z");
  reporter.Finish();
  std::vector<int64_t> times;
  for (const SeenRow& row : sink_.rows) times.push_back(row.time_ns);
  EXPECT_THAT(times, testing::ElementsAre(1000, 1001, 1002, 1000, 1003));
  EXPECT_EQ(sink_.rows[4].Text("level"), "error");
}

TEST_F(RunReporterTest, WhatDoesNotFitIsCounted) {
  std::latch writing(1), go_on(1);
  sink_.on_write = [&] {
    if (!writing.try_wait()) writing.count_down();
    go_on.wait();
  };
  RunReporter reporter({.max_pending_rows = 2}, Facts(), &sink_, clock_);
  reporter.Event(EventLevel::kInfo, "", "", "in the sink");
  writing.wait();
  for (int i = 0; i < 5; ++i) reporter.Event(EventLevel::kInfo, "", "", "waits");
  go_on.count_down();
  const ReportTally tally = reporter.Finish();
  EXPECT_EQ(tally.rows_written, 3U);
  EXPECT_EQ(tally.rows_lost, 3U);
  // What comes during a write goes out together.
  EXPECT_EQ(sink_.writes, 2U);
}

TEST_F(RunReporterTest, AfterTheEndReportsAreLost) {
  RunReporter reporter({}, Facts(), &sink_, clock_);
  reporter.Finish();
  reporter.Progress({.running = 1, .queued = 2, .complete = 3});
  EXPECT_EQ(reporter.Finish().rows_lost, 1U);
}

TEST_F(RunReporterTest, WithoutASinkNothingHappens) {
  RunReporter reporter({}, Facts(), nullptr, clock_);
  reporter.Event(EventLevel::kInfo, "", "", "x");
  const ReportTally tally = reporter.Finish();
  EXPECT_EQ(tally.rows_written + tally.rows_lost, 0U);
}

TEST_F(RunReporterTest, AgentsAndTotals) {
  RunReporter reporter({.database = "elsewhere"}, Facts(), &sink_, clock_);
  AgentFacts agent;
  agent.agent = "Agent-1";
  agent.start_ns = 50'000;
  agent.channel_setup_ns = 10'000;
  agent.first_task_ns = 900'000;
  agent.busy_ns = 2'000'000'000;
  agent.attempts = 7;
  reporter.AgentReady(agent);
  reporter.AgentFirstTask(agent);
  reporter.AgentEnd(agent, 4'000'000'000);
  RunTotals totals;
  totals.outcome = Outcome::kSucceeded;
  totals.succeeded = 5;
  totals.duration_ns = 4'000'000'000;
  totals.speedup = 1.5;
  reporter.End(totals);
  reporter.Finish();
  EXPECT_EQ(sink_.databases[0], "elsewhere");
  ASSERT_EQ(sink_.rows.size(), 4U);
  EXPECT_DOUBLE_EQ(sink_.rows[0].Float("start_seconds"), 50e-6);
  EXPECT_DOUBLE_EQ(sink_.rows[1].Float("first_task_seconds"), 900e-6);
  EXPECT_DOUBLE_EQ(sink_.rows[2].Float("utilisation"), 0.5);
  EXPECT_EQ(sink_.rows[3].measurement, "exec_run");
  EXPECT_EQ(sink_.rows[3].Text("outcome"), "succeeded");
  EXPECT_DOUBLE_EQ(sink_.rows[3].Float("speedup"), 1.5);
  EXPECT_EQ(sink_.rows[3].Int("tasks_succeeded"), 5);
}

TEST_F(RunReporterTest, ACancelledRunHasNoSpeedup) {
  RunReporter reporter({}, Facts(), &sink_, clock_);
  RunTotals totals;
  totals.outcome = Outcome::kCancelled;
  totals.duration_ns = 1'000'000'000;
  totals.speedup = 5;
  totals.efficiency = 0.9;
  reporter.End(totals);
  reporter.Finish();
  const auto& row = sink_.rows.back();
  EXPECT_EQ(row.Text("outcome"), "cancelled");
  EXPECT_DOUBLE_EQ(row.Float("duration_seconds"), 1);
  EXPECT_FALSE(row.fields.contains("speedup"));
  EXPECT_FALSE(row.fields.contains("efficiency"));
}

}  // namespace
}  // namespace tidemark::executor
