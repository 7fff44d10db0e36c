#include "executor/agent/run_journal.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/temp_directory.h"

namespace tidemark::executor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RunJournalTest : public ::testing::Test {
 protected:
  const TempDirectory directory_;
  const std::string& folder_ = directory_.path();
};

TEST_F(RunJournalTest, ARunThatEndsLeavesNothing) {
  {
    auto journal = RunJournal::Create(folder_ + "/new", "p", "id-1", 7, 3);
    ASSERT_TRUE(journal.ok()) << journal.error().message;
    journal->TaskStarted("a");
    // It is under way, and not interrupted.
    EXPECT_THAT(TakeInterruptedRuns(folder_ + "/new"), IsEmpty());
    EXPECT_FALSE(std::filesystem::is_empty(folder_ + "/new"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/new"));
}

TEST_F(RunJournalTest, ACrashIsToldOnce) {
  const pid_t child = fork();
  if (child == 0) {
    auto journal = RunJournal::Create(folder_, "checks", "id-2", 77, 5);
    if (!journal.ok()) _exit(1);
    journal->TaskStarted("build");
    journal->TaskStarted("lint");
    journal->TaskEnded("build");
    journal->TaskStarted("unit");
    _exit(0);  // no destructor: as if it had been killed
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(WEXITSTATUS(status), 0);
  const auto runs = TakeInterruptedRuns(folder_);
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].run_id, "id-2");
  EXPECT_EQ(runs[0].pipeline, "checks");
  EXPECT_EQ(runs[0].started_at_ns, 77);
  EXPECT_EQ(runs[0].tasks, 5U);
  EXPECT_EQ(runs[0].tasks_ended, 1U);
  EXPECT_THAT(runs[0].running, ElementsAre("lint", "unit"));
  EXPECT_THAT(TakeInterruptedRuns(folder_), IsEmpty());
}

TEST_F(RunJournalTest, FilesThatAreNoJournalsDoNoHarm) {
  std::ofstream(folder_ + "/a.run") << "";
  std::ofstream(folder_ + "/b.run") << "run only three words\nend x\nstart\n";
  std::ofstream(folder_ + "/c.run") << std::string("\0\xff\n", 3) << "run id p -5 -7\nend nobody\nstart t\nsta";
  std::ofstream(folder_ + "/other.txt") << "run id p 1 1\n";
  const auto runs = TakeInterruptedRuns(folder_);
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].tasks, 0U);
  EXPECT_THAT(runs[0].running, ElementsAre("t"));
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/other.txt"));
  EXPECT_THAT(TakeInterruptedRuns(folder_ + "/missing"), IsEmpty());
}

}  // namespace
}  // namespace tidemark::executor
