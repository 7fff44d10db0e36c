// What tasks, and the executor itself, may do wrong: whatever it is, the run ends, tells what happened, and nothing is
// left running.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "executor/agent/process/task_mark.h"
#include "executor/agent/run.h"
#include "executor/agent/run_guard.h"
#include "executor/telemetry/process_tree.h"
#include "tests/temp_directory.h"

namespace tidemark::executor {
namespace {

using ::testing::HasSubstr;

bool Lives(pid_t pid) {
  const auto place = PlaceOf(pid);
  return place && place->state != 'Z' && place->state != 'X';
}

class ExecutorFaults : public ::testing::Test {
 protected:
  ~ExecutorFaults() override { prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); }

  TaskSpec Shell(const std::string& name, const std::string& script) const {
    TaskSpec task;
    task.name = name;
    task.command = {"/bin/sh", "-c", script};
    task.working_directory = folder_;
    return task;
  }

  // Waits for a number that a task writes into a file.
  pid_t PidIn(const std::string& name) const {
    for (int i = 0; i < 30'000; ++i) {
      pid_t pid = 0;
      std::string line_end;
      std::ifstream file(folder_ + "/" + name);
      if (file >> pid >> line_end) return pid;
      poll(nullptr, 0, 1);
    }
    ADD_FAILURE() << name << " was not written";
    return 0;
  }

  static bool WaitUntilGone(pid_t pid) {
    for (int i = 0; i < 30'000 && Lives(pid); ++i) poll(nullptr, 0, 1);
    return !Lives(pid);
  }

  const TempDirectory directory_;
  const std::string& folder_ = directory_.path();
};

// Leaves a process behind in a session of its own, and writes its number.
constexpr const char* kEscape =
    "setsid sh -c 'echo $$ end > escaped; exec sleep 1000' & while ! [ -s escaped ]; do :; done; ";

TEST_F(ExecutorFaults, ATaskThatHangsIsEnded) {
  TaskSpec hang = Shell("hang", "sleep 1000");
  hang.timeout_ns = 50'000'000;
  const auto report = executor::Run({"p", {hang}});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->tasks[0].outcome, Outcome::kTimedOut);
  EXPECT_FALSE(report->tasks[0].killed);
}

TEST_F(ExecutorFaults, ATaskThatIgnoresSigtermIsKilled) {
  TaskSpec stubborn = Shell("stubborn", "trap '' TERM; while :; do sleep 1000; done");
  stubborn.timeout_ns = 200'000'000;
  const auto report = executor::Run({"p", {stubborn}}, {.grace_ns = 50'000'000});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->tasks[0].outcome, Outcome::kTimedOut);
  EXPECT_TRUE(report->tasks[0].killed);
}

TEST_F(ExecutorFaults, WhatForksAndDiesLeavesNothing) {
  const auto report = executor::Run({"p", {Shell("forks", "sleep 1000 & echo $! end > child; kill -9 $$")}});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->tasks[0].outcome, Outcome::kFailed);
  EXPECT_EQ(report->tasks[0].signal, SIGKILL);
  EXPECT_TRUE(WaitUntilGone(PidIn("child")));
}

TEST_F(ExecutorFaults, WhatMovesToAnotherSessionIsFound) {
  for (const bool adopt : {false, true}) {
    std::filesystem::remove(folder_ + "/escaped");
    const auto report = executor::Run({"p", {Shell("escapes", kEscape)}}, {.adopt_orphans = adopt});
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report->tasks[0].outcome, Outcome::kSucceeded);
    EXPECT_GE(report->tasks[0].escaped, 1U);
    EXPECT_TRUE(WaitUntilGone(PidIn("escaped"))) << "adopt " << adopt;
  }
}

TEST_F(ExecutorFaults, AnAdoptedOrphanWithoutAMarkEndsWithTheRun) {
  const auto report = executor::Run(
      {"p",
       {Shell("escapes",
              "env -i setsid sh -c 'echo $$ end > escaped; exec sleep 1000' & while ! [ -s escaped ]; do :; done")}},
      {.adopt_orphans = true});
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(WaitUntilGone(PidIn("escaped")));
}

TEST_F(ExecutorFaults, OtherTasksMarkedProcessesAreLeftAlone) {
  // The second task ends only when the first one has ended, and its escaped process must live until then.
  Pipeline pipeline{"p",
                    {Shell("first", "while ! [ -s escaped ]; do :; done"),
                     Shell("second", std::string(kEscape) +
                                         "while ! [ -e first-ended ]; do :; done; kill -0 $(cut -d' ' -f1 escaped)")}};
  pipeline.tasks[1].timeout_ns = 60'000'000'000;
  class Observer final : public RunObserver {
   public:
    explicit Observer(std::string path) : path_(std::move(path)) {}
    void OnTaskEnd(const TaskFacts& task) override {
      if (task.task == "first") std::ofstream(path_) << "x";
    }

   private:
    std::string path_;
  } observer(folder_ + "/first-ended");
  const auto report = executor::Run(pipeline, {.agents = 2, .observer = &observer, .adopt_orphans = true});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->totals.succeeded, 2U);
  EXPECT_TRUE(WaitUntilGone(PidIn("escaped")));
}

TEST_F(ExecutorFaults, AFloodOfOutputCostsBoundedMemoryAndDisk) {
  TaskSpec flood = Shell("flood", "head -c 1073741824 /dev/zero");
  flood.gate = GateSpec{.regex = "never ([0-9]+)", .fail = *ParseLimit("> 0")};
  const int64_t before = UseOfTree(getpid()).rss_bytes;
  const auto report =
      executor::Run({"p", {flood}}, {.output_directory = folder_ + "/out", .output_file_bytes = 1 << 20});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->tasks[0].output_bytes, uint64_t{1} << 30);
  EXPECT_THAT(report->tasks[0].error, HasSubstr("nothing matches"));
  EXPECT_LE(report->tasks[0].output_tail.size(), size_t{64} << 10);
  EXPECT_LT(std::filesystem::file_size(folder_ + "/out/flood.1.log"), uintmax_t{1} << 21);
  EXPECT_LT(UseOfTree(getpid()).rss_bytes - before, int64_t{64} << 20);
}

TEST_F(ExecutorFaults, ATaskMayRemoveItsDirectory) {
  std::filesystem::create_directory(folder_ + "/gone");
  TaskSpec remover = Shell("remover", "rm -rf \"$PWD\"; echo bye");
  remover.working_directory = folder_ + "/gone";
  TaskSpec after = Shell("after", "true");
  after.working_directory = folder_ + "/gone";
  after.needs = {0};
  const auto report = executor::Run({"p", {remover, after}});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->tasks[0].outcome, Outcome::kSucceeded);
  EXPECT_EQ(report->tasks[1].outcome, Outcome::kFailed);
  EXPECT_THAT(report->tasks[1].error, HasSubstr("/gone"));
}

TEST_F(ExecutorFaults, ASinkThatIsAwayDelaysAndFailsNothing) {
  class Away final : public model::PointSink {
   public:
    Result<model::WriteReport> Write(std::string_view, const model::Batch&) override {
      return Error{ErrorCode::kUnavailable, "away"};
    }
  } sink;
  const auto report = executor::Run({"p", {Shell("a", "true"), Shell("b", "true")}}, {.sink = &sink});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->totals.succeeded, 2U);
  EXPECT_EQ(report->reports.rows_written, 0U);
  EXPECT_GT(report->reports.rows_lost, 0U);
}

TEST_F(ExecutorFaults, AKilledExecutorLeavesNoOrphanAndTheNextOneTells) {
  const std::string token = NewRunId(SystemClock::Get().NowNs());
  const pid_t crashing = fork();
  if (crashing == 0) {
    const auto guard = RunGuard::Start(token);
    const auto report = executor::Run(
        {"p", {Shell("long", std::string(kEscape) + "echo $$ end > main; sleep 1000"), Shell("short", "true")}},
        {.agents = 1, .run_id = token, .state_directory = folder_ + "/state", .adopt_orphans = true});
    _exit(guard.ok() && report.ok() ? 0 : 1);
  }
  const pid_t main = PidIn("main"), escaped = PidIn("escaped");
  ASSERT_TRUE(Lives(main));
  ASSERT_TRUE(Lives(escaped));
  kill(crashing, SIGKILL);
  waitpid(crashing, nullptr, 0);
  EXPECT_TRUE(WaitUntilGone(main));
  EXPECT_TRUE(WaitUntilGone(escaped));
  const auto next = executor::Run({"p", {Shell("a", "true")}}, {.state_directory = folder_ + "/state"});
  ASSERT_TRUE(next.ok());
  ASSERT_EQ(next->interrupted.size(), 1U);
  EXPECT_EQ(next->interrupted[0].run_id, token);
  EXPECT_THAT(next->interrupted[0].running, testing::ElementsAre("long"));
  EXPECT_TRUE(executor::Run({"p", {Shell("a", "true")}}, {.state_directory = folder_ + "/state"})->interrupted.empty());
}

TEST_F(ExecutorFaults, WhereTheGuardIsKilledTooTheNextRunCleansUp) {
  const std::string token = NewRunId(SystemClock::Get().NowNs());
  const pid_t crashing = fork();
  if (crashing == 0) {
    const auto report = executor::Run({"p", {Shell("long", "echo $$ end > main; sleep 1000")}},
                                      {.run_id = token, .state_directory = folder_ + "/state"});
    _exit(report.ok() ? 0 : 1);
  }
  const pid_t main = PidIn("main");
  kill(crashing, SIGKILL);
  waitpid(crashing, nullptr, 0);
  EXPECT_TRUE(Lives(main));
  const auto next = executor::Run({"p", {Shell("a", "true")}}, {.state_directory = folder_ + "/state"});
  ASSERT_TRUE(next.ok());
  ASSERT_EQ(next->interrupted.size(), 1U);
  EXPECT_GE(next->interrupted[0].killed, 1U);
  EXPECT_TRUE(WaitUntilGone(main));
}

}  // namespace
}  // namespace tidemark::executor
