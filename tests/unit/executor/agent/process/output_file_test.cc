#include "executor/agent/process/output_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/temp_directory.h"

namespace tidemark::executor {
namespace {

using ::testing::ElementsAre;

TEST(OutputStemsTest, NamesStayWhereTheyCan) {
  EXPECT_THAT(OutputStems({"build", "Unit tests", "größe", "a.1"}), ElementsAre("build", "Unit tests", "größe", "a.1"));
}

TEST(OutputStemsTest, NoTwoTasksShareAFile) {
  EXPECT_THAT(OutputStems({"a/b", "a_b", "A/b", "a_b~2"}), ElementsAre("a_b", "a_b~2", "A_b~3", "a_b~2~2"));
  EXPECT_THAT(OutputStems({"..", "_.", ".x", "_x", "a\nb",
                           "a\x7f"
                           "b"}),
              ElementsAre("_.", "_.~2", "_x", "_x~2", "a_b", "a_b~2"));
  // A number behind a task's name is no attempt of another one.
  const std::vector<std::string> stems = OutputStems({"a", "a.1", "a.1.1"});
  std::set<std::string> files;
  for (const std::string& stem : stems) {
    for (int attempt = 1; attempt < 12; ++attempt) files.insert(stem + "." + std::to_string(attempt) + ".log");
  }
  EXPECT_EQ(files.size(), 33U);
}

TEST(OutputStemsTest, LongNamesAreCutAndCanBeCreated) {
  const std::string name = std::string(300, 'n') + "/";
  const std::vector<std::string> stems = OutputStems({name + "a", name + "b"});
  EXPECT_NE(stems[0], stems[1]);
  const TempDirectory folder;
  for (const std::string& stem : stems) EXPECT_TRUE(OutputFile::Create(folder.path(), stem, 1'000'000, 10).ok());
}

}  // namespace
}  // namespace tidemark::executor
