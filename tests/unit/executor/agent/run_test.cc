#include "executor/agent/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/temp_directory.h"
#include "tests/unit/executor/telemetry/recording_sink.h"

namespace tidemark::executor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

TaskSpec Shell(const std::string& name, const std::string& script, std::vector<size_t> needs = {}) {
  TaskSpec task;
  task.name = name;
  task.kind = "kind-of-" + name;
  task.command = {"/bin/sh", "-c", script};
  task.needs = std::move(needs);
  return task;
}

std::map<std::string, TaskFacts> LastAttempts(const RunReport& report) {
  std::map<std::string, TaskFacts> last;
  for (const TaskFacts& task : report.tasks) {
    if (task.last_attempt) last[task.task] = task;
  }
  return last;
}

class Folder : public TempDirectory {
 public:
  [[nodiscard]] std::string Read(const std::string& name) const {
    std::ifstream file(path() + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
};

TEST(RunTest, RunsTasksInDependencyOrder) {
  const Folder folder;
  Pipeline pipeline{"p",
                    {Shell("c", "echo c >> log", {1}), Shell("b", "echo b >> log", {2}), Shell("a", "echo a >> log")}};
  for (TaskSpec& task : pipeline.tasks) task.working_directory = folder.path();
  const auto report = executor::Run(pipeline, {.agents = 3});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->totals.outcome, Outcome::kSucceeded);
  EXPECT_EQ(report->totals.succeeded, 3U);
  EXPECT_EQ(folder.Read("log"), "a\nb\nc\n");
  EXPECT_EQ(report->run.agents, 3U);
  EXPECT_EQ(report->agents.size(), 3U);
  EXPECT_EQ(report->run.mode, "parallel");
}

TEST(RunTest, AgentsWorkAtTheSameTime) {
  // Each of the two can only end when the other one runs.
  const Folder folder;
  Pipeline pipeline{"p",
                    {Shell("reader", "mkfifo f 2>/dev/null; read line < f; test \"$line\" = hello"),
                     Shell("writer", "mkfifo f 2>/dev/null; echo hello > f")}};
  for (TaskSpec& task : pipeline.tasks) {
    task.working_directory = folder.path();
    task.timeout_ns = 60'000'000'000;
  }
  const auto report = executor::Run(pipeline, {.agents = 2});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->totals.outcome, Outcome::kSucceeded);
}

TEST(RunTest, SequentialIsOneAgent) {
  const auto report = executor::Run({"p", {Shell("a", "true"), Shell("b", "true")}}, {.agents = 8, .sequential = true});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->run.mode, "sequential");
  ASSERT_EQ(report->agents.size(), 1U);
  EXPECT_EQ(report->agents[0].agent, "Agent-1");
  EXPECT_EQ(report->agents[0].attempts, 2U);
  EXPECT_GE(report->agents[0].first_task_ns, 0);
}

TEST(RunTest, AFailureSkipsWhatNeedsItAndNothingElse) {
  const auto report = executor::Run({"p",
                                     {Shell("bad", "echo why; exit 3"), Shell("after", "true", {0}),
                                      Shell("later", "true", {1}), Shell("other", "true")}},
                                    {.agents = 2});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->totals.outcome, Outcome::kFailed);
  auto tasks = LastAttempts(*report);
  EXPECT_EQ(tasks["bad"].outcome, Outcome::kFailed);
  EXPECT_EQ(tasks["bad"].exit_code, 3);
  EXPECT_EQ(tasks["bad"].output_tail, "why\n");
  EXPECT_EQ(tasks["after"].outcome, Outcome::kSkipped);
  EXPECT_EQ(tasks["after"].error, "it needs bad, which failed");
  EXPECT_EQ(tasks["later"].outcome, Outcome::kSkipped);
  EXPECT_EQ(tasks["other"].outcome, Outcome::kSucceeded);
  EXPECT_EQ(report->totals.failed, 1U);
  EXPECT_EQ(report->totals.skipped, 2U);
}

TEST(RunTest, FailFastStartsNothingMore) {
  const auto report =
      executor::Run({"p", {Shell("bad", "false"), Shell("next", "true")}}, {.sequential = true, .fail_fast = true});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(LastAttempts(*report)["next"].outcome, Outcome::kSkipped);
}

TEST(RunTest, RetriesUntilItWorks) {
  const Folder folder;
  Pipeline pipeline{"p", {Shell("flaky", "echo x >> tries; test $(wc -l < tries) -eq 3"), Shell("after", "true", {0})}};
  pipeline.tasks[0].working_directory = folder.path();
  pipeline.tasks[0].retries = 5;
  const auto report = executor::Run(pipeline);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->totals.outcome, Outcome::kSucceeded);
  EXPECT_EQ(report->totals.succeeded, 2U);
  ASSERT_EQ(report->tasks.size(), 4U);
  EXPECT_FALSE(report->tasks[0].last_attempt);
  EXPECT_EQ(report->tasks[2].attempt, 3);
  EXPECT_TRUE(report->tasks[2].last_attempt);
}

TEST(RunTest, AProgramThatIsNotThereIsAFailure) {
  Pipeline pipeline{"p", {Shell("a", "true")}};
  pipeline.tasks[0].command = {"no-such-program-anywhere"};
  const auto report = executor::Run(pipeline);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->totals.failed, 1U);
  EXPECT_THAT(report->tasks[0].error, HasSubstr("no-such-program-anywhere"));
}

TEST(RunTest, TimeoutsAreTold) {
  class MoveClockOnOutput final : public RunObserver {
   public:
    explicit MoveClockOnOutput(ManualClock& clock) : clock_(clock) {}
    void OnTaskOutput(const TaskFacts&, std::string_view) override { clock_.Advance(5'000'000'000); }

   private:
    ManualClock& clock_;
  };
  ManualClock clock(1'000'000'000);
  MoveClockOnOutput observer(clock);
  Pipeline pipeline{"p", {Shell("slow", "echo started; sleep 1000")}};
  pipeline.tasks[0].timeout_ns = 5'000'000'000;
  const auto report = executor::Run(pipeline, {.clock = &clock, .observer = &observer});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->totals.timed_out, 1U);
  EXPECT_EQ(report->totals.outcome, Outcome::kFailed);
  EXPECT_EQ(report->tasks[0].duration_ns, 5'000'000'000);
  EXPECT_EQ(report->totals.duration_ns, 5'000'000'000);
  EXPECT_EQ(report->totals.critical_path_ns, 5'000'000'000);
  EXPECT_DOUBLE_EQ(report->totals.speedup, 1.0);
  EXPECT_DOUBLE_EQ(report->totals.agents_busy, 1.0);
}

class StopOnOutput final : public RunObserver {
 public:
  void OnTaskOutput(const TaskFacts&, std::string_view) override { source.request_stop(); }
  std::stop_source source;
};

TEST(RunTest, CancellingEndsRunningTasksAndSkipsTheRest) {
  StopOnOutput observer;
  const auto report =
      executor::Run({"p", {Shell("a", "echo on; sleep 1000"), Shell("b", "sleep 1000"), Shell("c", "true", {0})}},
                    {.agents = 2, .stop_token = observer.source.get_token(), .observer = &observer});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->totals.outcome, Outcome::kCancelled);
  auto tasks = LastAttempts(*report);
  EXPECT_EQ(tasks["a"].outcome, Outcome::kCancelled);
  EXPECT_NE(tasks["b"].outcome, Outcome::kSucceeded);
  EXPECT_EQ(tasks["c"].outcome, Outcome::kSkipped);
  EXPECT_EQ(tasks.size(), 3U);
}

TEST(RunTest, ARunCancelledBeforeItBeginsStartsNothing) {
  std::stop_source source;
  source.request_stop();
  const auto report =
      executor::Run({"p", {Shell("a", "true"), Shell("b", "true")}}, {.stop_token = source.get_token()});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->totals.outcome, Outcome::kCancelled);
  EXPECT_EQ(report->totals.skipped, 2U);
}

TEST(RunTest, BadPipelinesAndLabelsAreRefused) {
  EXPECT_FALSE(executor::Run({"p", {}}).ok());
  EXPECT_FALSE(executor::Run({"p", {Shell("a", "true", {0})}}).ok());
  const Pipeline good{"p", {Shell("a", "true")}};
  EXPECT_FALSE(executor::Run(good, {.labels = {{"agent", "x"}}}).ok());
  EXPECT_FALSE(executor::Run(good, {.labels = {{"__name__", "x"}}}).ok());
  EXPECT_FALSE(executor::Run(good, {.labels = {{"a", "x"}, {"a", "y"}}}).ok());
  EXPECT_FALSE(executor::Run(good, {.output_directory = "/proc/no/such"}).ok());
}

TEST(RunTest, OutputGoesToFilesUpToTheLimit) {
  const Folder folder;
  const auto report = executor::Run(
      {"p", {Shell("group/a", "echo hello"), Shell("flood", "head -c 100000 /dev/zero | tr '\\0' x; false")}},
      {.output_tail_bytes = 10, .output_directory = folder.path() + "/logs", .output_file_bytes = 50});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(folder.Read("logs/group_a.1.log"), "hello\n");
  EXPECT_EQ(folder.Read("logs/flood.1.log"), std::string(50, 'x') + "\n[99950 bytes left out]\n");
  auto tasks = LastAttempts(*report);
  EXPECT_EQ(tasks["flood"].output_tail, std::string(10, 'x'));
  EXPECT_EQ(tasks["flood"].output_bytes, 100'000U);
  EXPECT_EQ(tasks["group/a"].output_bytes, 6U);
  EXPECT_EQ(tasks["group/a"].output_tail, "");
}

TEST(RunTest, ReportsPointsOfRunTasksAgentsAndEvents) {
  ManualClock clock(1'700'000'000'000'000'000);
  RecordingSink sink;
  const auto report =
      executor::Run({"checks", {Shell("a", "true"), Shell("b", "exit 2"), Shell("c", "true", {1})}},
                    {.agents = 2, .clock = &clock, .sink = &sink, .labels = {{"era", "v2"}}, .run_id = "run-1"});
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(sink.databases, testing::Each("_exec"));
  EXPECT_EQ(report->reports.rows_written, sink.rows.size());
  EXPECT_EQ(report->reports.rows_lost, 0U);
  std::set<std::pair<std::string, int64_t>> places;
  for (const SeenRow& row : sink.rows) {
    EXPECT_EQ(row.tags.at("pipeline"), "checks");
    EXPECT_EQ(row.tags.at("mode"), "parallel");
    EXPECT_EQ(row.tags.at("era"), "v2");
    for (const auto& [name, value] : row.tags) {
      EXPECT_THAT((std::set<std::string>{"pipeline", "mode", "era", "agent", "kind"}), testing::Contains(name));
    }
    EXPECT_EQ(std::get<std::string>(row.fields.at("run_id")), "run-1");
    // No two rows of a series may be at one time, even when the clock stands still.
    std::string series = row.measurement;
    for (const auto& [name, value] : row.tags) series += "," + name + "=" + value;
    EXPECT_TRUE(places.emplace(series, row.time_ns).second) << series;
  }
  const auto tasks = sink.Of("exec_task");
  ASSERT_EQ(tasks.size(), 3U);
  std::map<std::string, SeenRow> by_name;
  for (const SeenRow& row : tasks) by_name[std::get<std::string>(row.fields.at("task"))] = row;
  EXPECT_EQ(std::get<int64_t>(by_name["a"].fields.at("success")), 1);
  EXPECT_EQ(by_name["a"].tags.at("kind"), "kind-of-a");
  EXPECT_THAT(by_name["a"].tags.at("agent"), HasSubstr("Agent-"));
  EXPECT_EQ(std::get<int64_t>(by_name["b"].fields.at("exit_code")), 2);
  EXPECT_EQ(std::get<std::string>(by_name["b"].fields.at("outcome")), "failed");
  EXPECT_EQ(std::get<std::string>(by_name["c"].fields.at("outcome")), "skipped");
  EXPECT_FALSE(by_name["c"].tags.contains("agent"));

  const auto runs = sink.Of("exec_run");
  ASSERT_GE(runs.size(), 2U);
  EXPECT_EQ(std::get<int64_t>(runs.front().fields.at("tasks_queued")), 3);
  EXPECT_EQ(std::get<std::string>(runs.back().fields.at("outcome")), "failed");
  EXPECT_EQ(std::get<int64_t>(runs.back().fields.at("tasks_skipped")), 1);
  EXPECT_EQ(std::get<int64_t>(runs[runs.size() - 2].fields.at("tasks_complete")), 3);

  EXPECT_GE(sink.Of("exec_agent").size(), 4U);
  std::vector<std::string> texts;
  for (const SeenRow& row : sink.Of("exec_event")) texts.push_back(std::get<std::string>(row.fields.at("text")));
  EXPECT_THAT(texts, testing::Contains(HasSubstr(": a completed in ")));
  EXPECT_THAT(texts, testing::Contains("c skipped: it needs b, which failed"));
}

TEST(RunTest, ASinkThatFailsDoesNotFailTheRun) {
  RecordingSink sink;
  sink.fail = true;
  const auto report = executor::Run({"p", {Shell("a", "true")}}, {.sink = &sink});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->totals.outcome, Outcome::kSucceeded);
  EXPECT_EQ(report->reports.rows_written, 0U);
  EXPECT_GT(report->reports.rows_lost, 5U);
  EXPECT_GT(sink.writes, 0U);
  EXPECT_EQ(report->reports.last_error, "away");
}

TEST(RunTest, RunIdsDiffer) {
  const Pipeline pipeline{"p", {Shell("a", "true")}};
  EXPECT_NE(executor::Run(pipeline)->run.run_id, executor::Run(pipeline)->run.run_id);
}

TEST(RunTest, ManySmallTasksOnManyAgents) {
  Pipeline pipeline{"p", {}};
  for (size_t i = 0; i < 60; ++i) {
    std::vector<size_t> needs;
    if (i >= 6) needs = {i - 6, i - 5};
    TaskSpec task = Shell("t" + std::to_string(i), "true", needs);
    task.command = {"true"};
    pipeline.tasks.push_back(task);
  }
  const auto report = executor::Run(pipeline, {.agents = 6});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->totals.succeeded, 60U);
}

TEST(RunTest, AGateDecidesOverATaskThatExitsWithZero) {
  Pipeline pipeline{"p",
                    {Shell("bad", "echo cover 60%"), Shell("meh", "echo cover 80%"), Shell("good", "echo cover 90%")}};
  for (TaskSpec& task : pipeline.tasks) {
    task.gate =
        GateSpec{.regex = "cover ([0-9]+)%", .unit = "%", .warn = *ParseLimit("< 85"), .fail = *ParseLimit("< 70")};
  }
  RecordingSink sink;
  const auto report = executor::Run(pipeline, {.sink = &sink});
  ASSERT_TRUE(report.ok());
  auto tasks = LastAttempts(*report);
  EXPECT_EQ(tasks["bad"].outcome, Outcome::kFailed);
  EXPECT_EQ(tasks["bad"].error, "gate: 60% < 70%");
  EXPECT_EQ(tasks["meh"].outcome, Outcome::kSucceeded);
  EXPECT_EQ(report->totals.gates_passed, 1U);
  EXPECT_EQ(report->totals.gates_warned, 1U);
  EXPECT_EQ(report->totals.gates_failed, 1U);
  std::map<std::string, SeenRow> gates;
  for (const SeenRow& row : sink.Of("exec_gate")) gates[row.Text("task")] = row;
  EXPECT_EQ(gates["bad"].Text("status"), "FAIL");
  EXPECT_DOUBLE_EQ(gates["bad"].Float("number"), 60);
  EXPECT_EQ(gates["meh"].Text("reason"), "80% < 85%");
  EXPECT_EQ(gates["good"].Int("level"), 0);
  std::vector<std::string> texts;
  for (const SeenRow& row : sink.Of("exec_event")) texts.push_back(row.Text("text"));
  EXPECT_THAT(texts, testing::Contains(HasSubstr(", 80% < 85% (WARN)")));
  EXPECT_THAT(texts, testing::Contains("System: quality gate FAILED: 1 passed, 1 warned, 1 failed"));
}

TEST(RunTest, ProgressIsReportedWhileTheTaskRuns) {
  RecordingSink sink;
  const auto report = executor::Run({"p", {Shell("scan", "echo progress: 40%; echo progress: 78%")}}, {.sink = &sink});
  ASSERT_TRUE(report.ok());
  EXPECT_DOUBLE_EQ(report->tasks[0].progress_percent, 78);
  std::vector<std::string> texts;
  for (const SeenRow& row : sink.Of("exec_event")) texts.push_back(row.Text("text"));
  EXPECT_THAT(texts, testing::Contains("Agent-1: scan in progress... 78%"));
  double last = -1;
  for (const SeenRow& row : sink.Of("exec_task")) {
    if (row.fields.contains("progress_percent")) last = row.Float("progress_percent");
  }
  EXPECT_DOUBLE_EQ(last, 78);
}

TEST(RunTest, InputsMustBeThere) {
  const Folder folder;
  std::ofstream(folder.path() + "/a.txt") << "12345";
  std::ofstream(folder.path() + "/b.txt") << "1234567";
  Pipeline pipeline{"p", {Shell("there", "true"), Shell("missing", "touch ran")}};
  for (TaskSpec& task : pipeline.tasks) task.working_directory = folder.path();
  pipeline.tasks[0].inputs = {"*.txt"};
  pipeline.tasks[1].inputs = {"*.txt", "no/such*"};
  const auto report = executor::Run(pipeline);
  ASSERT_TRUE(report.ok());
  auto tasks = LastAttempts(*report);
  EXPECT_EQ(tasks["there"].outcome, Outcome::kSucceeded);
  EXPECT_EQ(tasks["there"].input_files, 2U);
  EXPECT_EQ(tasks["there"].input_bytes, 12U);
  EXPECT_EQ(tasks["missing"].outcome, Outcome::kFailed);
  EXPECT_THAT(tasks["missing"].error, HasSubstr("no/such*"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/ran"));
}

TEST(RunTest, SlotsOfOneAgentRunTogetherAndAWideTaskRunsAlone) {
  // The two readers and the writer need each other; the wide task fails if any of them runs beside it.
  const Folder folder;
  Pipeline pipeline{"p",
                    {Shell("wide", "mkdir lock && sleep 0.1 && rmdir lock"),
                     Shell("reader", "mkdir lock && rmdir lock || exit 1; mkfifo f 2>/dev/null; read line < f"),
                     Shell("writer", "mkfifo f 2>/dev/null; echo hello > f")}};
  for (TaskSpec& task : pipeline.tasks) {
    task.working_directory = folder.path();
    task.timeout_ns = 60'000'000'000;
  }
  pipeline.tasks[0].slots = 9;
  const auto report = executor::Run(pipeline, {.agents = 1, .slots = 2});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->totals.succeeded, 3U);
  ASSERT_EQ(report->agents.size(), 1U);
  EXPECT_EQ(report->agents[0].attempts, 3U);
  EXPECT_EQ(LastAttempts(*report)["wide"].slots, 2U);
  EXPECT_LE(report->totals.agents_busy, 1.0);
}

TEST(RunTest, FunctionsAreTasksToo) {
  TaskSpec good, bad, thrower;
  good.name = "good";
  good.function = [](TaskContext& context) -> Result<void> {
    context.Print("found 0 issues\n");
    context.Progress(50);
    return {};
  };
  good.gate = GateSpec{.regex = "found ([0-9]+)", .unit = "issues", .fail = *ParseLimit("> 0")};
  bad.name = "bad";
  bad.function = [](TaskContext&) -> Result<void> { return InvalidArgument("no good"); };
  thrower.name = "thrower";
  thrower.needs = {0};
  thrower.function = [](TaskContext&) -> Result<void> { throw std::runtime_error("boom"); };
  const auto report = executor::Run({"p", {good, bad, thrower}}, {.agents = 2});
  ASSERT_TRUE(report.ok()) << report.error().message;
  auto tasks = LastAttempts(*report);
  EXPECT_EQ(tasks["good"].outcome, Outcome::kSucceeded);
  EXPECT_EQ(tasks["good"].gate->reason, "0 issues");
  EXPECT_DOUBLE_EQ(tasks["good"].progress_percent, 50);
  EXPECT_EQ(tasks["bad"].error, "no good");
  EXPECT_THAT(tasks["thrower"].error, HasSubstr("boom"));
}

TEST(RunTest, AFunctionHearsOfItsTimeoutAndOfCancellation) {
  ManualClock clock(1'000'000'000);
  TaskSpec slow;
  slow.name = "slow";
  slow.timeout_ns = 5'000'000'000;
  slow.function = [&clock](TaskContext& context) -> Result<void> {
    EXPECT_FALSE(context.stop_requested());
    clock.Advance(5'000'000'000);
    EXPECT_TRUE(context.stop_requested());
    return {};
  };
  const auto report = executor::Run({"p", {slow}}, {.clock = &clock});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->totals.timed_out, 1U);

  std::stop_source source;
  slow.timeout_ns = 0;
  slow.function = [&source](TaskContext& context) -> Result<void> {
    source.request_stop();
    return context.stop_requested() ? Result<void>(InvalidArgument("stopped")) : Result<void>();
  };
  const auto cancelled = executor::Run({"p", {slow}}, {.stop_token = source.get_token()});
  ASSERT_TRUE(cancelled.ok());
  EXPECT_EQ(cancelled->totals.cancelled, 1U);
}

TEST(RunTest, AMeasuredBaselineCountsForSpeedupAndEfficiency) {
  ManualClock clock(1'000'000'000);
  TaskSpec task;
  task.name = "a";
  task.function = [&clock](TaskContext&) -> Result<void> {
    clock.Advance(2'000'000'000);
    return {};
  };
  const auto report = executor::Run({"p", {task}}, {.clock = &clock, .baseline_ns = 3'000'000'000});
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->totals.sequential_measured);
  EXPECT_DOUBLE_EQ(report->totals.speedup, 1.5);
  EXPECT_DOUBLE_EQ(report->totals.efficiency, 1.5);
  EXPECT_DOUBLE_EQ(report->totals.serial_share, 1.0);
}

TEST(ToTextTest, Durations) {
  EXPECT_EQ(ToText(0), "0 us");
  EXPECT_EQ(ToText(32'000'000), "32 ms");
  EXPECT_EQ(ToText(1'500'000'000), "1.50 s");
  EXPECT_EQ(ToText(125'000'000'000), "2 min 5 s");
}

}  // namespace
}  // namespace tidemark::executor
