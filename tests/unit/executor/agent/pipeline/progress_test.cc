#include "executor/agent/pipeline/progress.h"

#include <gtest/gtest.h>

namespace tidemark::executor {
namespace {

TEST(ProgressTest, UnderstandsTheUsualForms) {
  ProgressReader reader("");
  EXPECT_EQ(reader.Append("[  7%] Building x\n"), 7.0);
  EXPECT_EQ(reader.Append("scan Progress: 78.5 %\n"), 78.5);
  EXPECT_EQ(reader.Append("[17/20] Linking\n"), 85.0);
  // A percentage that is no progress.
  EXPECT_EQ(reader.Append("coverage 99% of lines\n"), std::nullopt);
  EXPECT_EQ(reader.Append("[1/0] nothing\n[400%]\n[30/20] more than all\n"), std::nullopt);
}

TEST(ProgressTest, TellsTheNewestAndOnlyWholeSteps) {
  ProgressReader reader("");
  EXPECT_EQ(reader.Append("progress: 10%\rprogress: 20%\rprogress: 3"), 20.0);
  EXPECT_EQ(reader.Append("0%\r"), 30.0);
  EXPECT_EQ(reader.Append("progress: 30.4%\n"), std::nullopt);
  // A second part begins again.
  EXPECT_EQ(reader.Append("progress: 0%\n"), 0.0);
}

TEST(ProgressTest, AnExpressionOfTheTasksOwn) {
  EXPECT_FALSE(CheckProgress("(").ok());
  EXPECT_FALSE(CheckProgress("done").ok());
  EXPECT_FALSE(CheckProgress("(a)(b)").ok());
  ASSERT_TRUE(CheckProgress("done ([0-9]+)").ok());
  ProgressReader reader("done ([0-9]+)");
  EXPECT_EQ(reader.Append("[50%]\n"), std::nullopt);
  EXPECT_EQ(reader.Append("done 42\n"), 42.0);
}

}  // namespace
}  // namespace tidemark::executor
