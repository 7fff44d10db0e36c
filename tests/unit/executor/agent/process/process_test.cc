#include "executor/agent/process/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <string>
#include <thread>

namespace tidemark::executor {
namespace {

using ::testing::HasSubstr;

// Whether a process of this number is there and not just waiting to be reaped by somebody.
bool Lives(pid_t pid) {
  if (kill(pid, 0) != 0) return false;
  std::string stat = "/proc/" + std::to_string(pid) + "/stat";
  std::FILE* const file = std::fopen(stat.c_str(), "re");
  if (file == nullptr) return false;
  char state = 'X';
  const int read = std::fscanf(file, "%*d (%*[^)]) %c", &state);
  std::fclose(file);
  return read == 1 && state != 'Z' && state != 'X';
}

class ProcessTest : public ::testing::Test {
 protected:
  Result<ProcessResult> RunShell(const std::string& script, int64_t timeout_ns = 0, int64_t grace_ns = 1'000'000'000) {
    return RunProcess({.command = {"/bin/sh", "-c", script},
                       .environment = MergedEnvironment({}),
                       .timeout_ns = timeout_ns,
                       .grace_ns = grace_ns},
                      *clock_, stop_, {.on_started = on_started_, .on_output = [this](std::string_view bytes) {
                                         output_ += bytes;
                                         if (on_output_) on_output_(bytes);
                                       }});
  }

  const Clock* clock_ = &SystemClock::Get();
  StopSignal stop_ = *StopSignal::Make();
  std::function<void(pid_t)> on_started_;
  std::function<void(std::string_view)> on_output_;
  std::string output_;
};

TEST_F(ProcessTest, ReportsExitCodeAndOutput) {
  const auto result = RunShell("echo out; echo err >&2; exit 7");
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->end, ProcessResult::End::kExited);
  EXPECT_EQ(result->exit_code, 7);
  EXPECT_EQ(result->signal, 0);
  EXPECT_FALSE(result->killed);
  EXPECT_GT(result->max_rss_bytes, 0);
  EXPECT_EQ(output_, "out\nerr\n");
}

TEST_F(ProcessTest, ReportsSignals) {
  const auto result = RunShell("kill -SEGV $$");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->end, ProcessResult::End::kSignalled);
  EXPECT_EQ(result->signal, SIGSEGV);
  EXPECT_EQ(result->exit_code, -1);
}

TEST_F(ProcessTest, AllOutputArrivesHoweverMuch) {
  const auto result = RunShell("head -c 3000000 /dev/zero; printf end");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(output_.size(), 3'000'003U);
  EXPECT_TRUE(output_.ends_with("end"));
}

TEST_F(ProcessTest, StandardInputIsEmptyAndNoDescriptorLeaks) {
  int leak[2];
  ASSERT_EQ(pipe(leak), 0);  // without O_CLOEXEC, as some libraries do
  const auto result = RunShell("cat; ls /proc/self/fd");
  close(leak[0]);
  close(leak[1]);
  ASSERT_TRUE(result.ok());
  // ls itself has the folder open as 3.
  EXPECT_EQ(output_, "0\n1\n2\n3\n");
}

TEST_F(ProcessTest, WhatCannotStartIsAnError) {
  EXPECT_EQ(RunProcess({.command = {"no-such-program-anywhere"}}, *clock_, stop_, {}).error().code,
            ErrorCode::kNotFound);
  EXPECT_EQ(RunProcess({.command = {"/etc/passwd"}}, *clock_, stop_, {}).error().code, ErrorCode::kInvalidArgument);
  const auto no_folder = RunProcess({.command = {"true"}, .working_directory = "/no/such/folder"}, *clock_, stop_, {});
  EXPECT_EQ(no_folder.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(no_folder.error().message, HasSubstr("/no/such/folder"));
  EXPECT_FALSE(RunProcess({}, *clock_, stop_, {}).ok());
}

TEST_F(ProcessTest, WorkingDirectoryAndEnvironment) {
  std::string output;
  const auto result = RunProcess(
      {.command = {"/bin/sh", "-c", "pwd; echo $A$B"}, .environment = {"A=1", "B=2"}, .working_directory = "/usr"},
      *clock_, stop_, {.on_started = {}, .on_output = [&](auto bytes) { output += bytes; }});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(output, "/usr\n12\n");
}

TEST_F(ProcessTest, MergedEnvironmentLetsTheLaterWin) {
  setenv("TM_TEST_VARIABLE", "ours", 1);
  const auto environment = MergedEnvironment({{"TM_TEST_VARIABLE", "first"}, {"TM_TEST_VARIABLE", "second"}});
  unsetenv("TM_TEST_VARIABLE");
  EXPECT_EQ(std::count(environment.begin(), environment.end(), "TM_TEST_VARIABLE=second"), 1);
  EXPECT_EQ(std::count_if(environment.begin(), environment.end(),
                          [](const std::string& entry) { return entry.starts_with("TM_TEST_VARIABLE="); }),
            1);
}

TEST_F(ProcessTest, TheTimeoutEndsTheWholeGroup) {
  ManualClock clock(0);
  clock_ = &clock;
  pid_t child = 0;
  on_output_ = [&](std::string_view bytes) {
    child = static_cast<pid_t>(std::strtol(std::string(bytes).c_str(), nullptr, 10));
    clock.Advance(60'000'000'000);
  };
  const auto result = RunShell("sleep 1000 & echo $!; wait", 60'000'000'000);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->end, ProcessResult::End::kTimedOut);
  EXPECT_EQ(result->signal, SIGTERM);
  EXPECT_FALSE(result->killed);
  ASSERT_GT(child, 0);
  while (Lives(child)) std::this_thread::yield();  // its new parent reaps it
}

TEST_F(ProcessTest, WhoIgnoresTermIsKilledAfterTheGrace) {
  ManualClock clock(0);
  clock_ = &clock;
  int moves = 0;
  on_output_ = [&](std::string_view) {
    // "ready" makes the timeout due; the trap's answer, the end of the grace. The shell may say more in between.
    const int due = output_.find("no\n") != std::string::npos      ? 2
                    : output_.find("ready\n") != std::string::npos ? 1
                                                                   : 0;
    if (due > moves) clock.Advance(10'000'000'000);
    moves = std::max(moves, due);
  };
  const auto result =
      RunShell("trap 'echo no' TERM; echo ready; while :; do sleep 0.01; done", 10'000'000'000, 10'000'000'000);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->end, ProcessResult::End::kTimedOut);
  EXPECT_EQ(result->signal, SIGKILL);
  EXPECT_TRUE(result->killed);
  EXPECT_EQ(moves, 2);
}

TEST_F(ProcessTest, StopCancels) {
  on_output_ = [&](std::string_view) { stop_.Raise(); };
  const auto result = RunShell("echo ready; sleep 1000");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->end, ProcessResult::End::kCancelled);
  EXPECT_TRUE(stop_.raised());
}

TEST_F(ProcessTest, StoppedProcessesAreEndedToo) {
  on_output_ = [&](std::string_view) { stop_.Raise(); };
  const auto result = RunShell("echo ready; kill -STOP $$");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->end, ProcessResult::End::kCancelled);
}

TEST_F(ProcessTest, WhatACommandLeavesBehindIsKilled) {
  const auto result = RunShell("sleep 1000 & echo $!");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->exit_code, 0);
  const auto child = static_cast<pid_t>(std::strtol(output_.c_str(), nullptr, 10));
  ASSERT_GT(child, 0);
  while (Lives(child)) std::this_thread::yield();
}

TEST_F(ProcessTest, AnEscapedProcessDoesNotHoldTheRun) {
  // In a session of its own, with our pipe still open.
  const auto result = RunShell(
      "trap 'exit 0' USR1; setsid sh -c 'echo $$; kill -USR1 '$$'; exec sleep 1000' & while :; do sleep 0.01; done");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->exit_code, 0);
  const auto child = static_cast<pid_t>(std::strtol(output_.c_str(), nullptr, 10));
  ASSERT_GT(child, 0);
  kill(child, SIGKILL);
}

}  // namespace
}  // namespace tidemark::executor
