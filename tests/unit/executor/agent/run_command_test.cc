#include "executor/agent/run_command.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "executor/agent/process/signal_stop.h"
#include "tests/temp_directory.h"

namespace tidemark::executor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RunCommandTest : public ::testing::Test {
 protected:
  ~RunCommandTest() override { free(text_); }

  Result<RunReport> RunText(const std::string& text, bool show_output = false, const RunOptions& run = {}) {
    const std::string file = folder_ + "/f.yaml";
    std::ofstream(file) << text;
    std::FILE* const out = open_memstream(&text_, &text_size_);
    Result<RunReport> report = RunPipelineFile({.file = file, .run = run, .out = out, .show_output = show_output});
    std::fclose(out);
    return report;
  }
  [[nodiscard]] std::string printed() const { return {text_, text_size_}; }

 private:
  const TempDirectory directory_;
  const std::string& folder_ = directory_.path();
  char* text_ = nullptr;
  size_t text_size_ = 0;
};

TEST_F(RunCommandTest, TellsHowItGoesAndShowsTheOutputOfFailures) {
  const auto report = RunText(R"(
name: demo
tasks:
  - {name: good, command: echo silent}
  - {name: bad, command: "echo one; echo two; exit 4"}
  - {name: after, command: "true", needs: [bad]}
)");
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(ExitCode(*report), 1);
  EXPECT_THAT(printed(), HasSubstr("demo: 3 tasks"));
  EXPECT_THAT(printed(), HasSubstr("good completed in"));
  EXPECT_THAT(printed(), Not(HasSubstr("silent")));
  EXPECT_THAT(printed(), HasSubstr(": exit code 4\nbad | one\nbad | two\n"));
  EXPECT_THAT(printed(), HasSubstr("after skipped: it needs bad, which failed"));
  EXPECT_THAT(printed(), HasSubstr("1 succeeded, 1 failed, 1 skipped"));
}

TEST_F(RunCommandTest, ATerminalObeysNothingThatATaskWrote) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(grantpt(terminal), 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  std::FILE* const out = fopen(ptsname(terminal), "we");
  ASSERT_NE(out, nullptr);
  const auto report = RunPipeline({"p", {{.name = "evil", .command = {"sh", "-c", "printf '\\033[2Jhidden\\n'"}}}},
                                  {.run = {}, .out = out, .show_output = true});
  ASSERT_TRUE(report.ok()) << report.error().message;
  std::string shown(4096, '\0');
  const ssize_t got = read(terminal, shown.data(), shown.size());
  ASSERT_GT(got, 0);
  shown.resize(static_cast<size_t>(got));
  EXPECT_EQ(shown.find('\x1b'), std::string::npos) << shown;
  EXPECT_THAT(shown, HasSubstr("^[[2Jhidden"));
  std::fclose(out);
  close(terminal);
}

TEST_F(RunCommandTest, ShowsAllOutputWhenAsked) {
  const auto report = RunText("tasks: [{name: a, command: \"printf 'one\\\\ntwo'\"}]", true);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(ExitCode(*report), 0);
  EXPECT_THAT(printed(), HasSubstr("a | one\na | two\n"));
}

TEST_F(RunCommandTest, ABadFileRunsNothing) {
  const auto report = RunText("tasks: [{name: a}]");
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.error().message, HasSubstr("f.yaml:1:9: task \"a\" has no command"));
  EXPECT_EQ(printed(), "");
}

TEST_F(RunCommandTest, SignalsCancelTheRun) {
  auto stop = SignalStop::Make();
  ASSERT_TRUE(stop.ok());
  const pid_t self = getpid();
  const auto report = RunText("tasks: [{name: a, command: \"kill -INT " + std::to_string(self) + "; sleep 1000\"}]",
                              false, {.stop_token = (*stop)->token()});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ((*stop)->signal(), SIGINT);
  EXPECT_EQ(ExitCode(*report), 130);
}

TEST(ParseLabelTest, KeyAndValue) {
  EXPECT_EQ(*ParseLabel("era=v2"), (model::Label{"era", "v2"}));
  EXPECT_EQ(*ParseLabel("a=b=c"), (model::Label{"a", "b=c"}));
  for (const char* bad : {"", "era", "=v2", "era="}) EXPECT_FALSE(ParseLabel(bad).ok()) << bad;
}

}  // namespace
}  // namespace tidemark::executor
