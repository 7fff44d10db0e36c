#include "tools/help/suggest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidemark::help {
namespace {

const std::vector<std::string> kNames = {"write", "query", "admin", "exec", "bench", "demo"};

TEST(Suggest, FindsWhatIsAFewLettersAway) {
  EXPECT_EQ(Nearest("qeury", kNames), "query");
  EXPECT_EQ(Nearest("wirte", kNames), "write");
  EXPECT_EQ(Nearest("exe", kNames), "exec");
  EXPECT_EQ(Nearest("querry", kNames), "query");
  EXPECT_EQ(Nearest("frobnicate", kNames), "");
  EXPECT_EQ(Nearest("x", kNames), "");
  EXPECT_EQ(Nearest(std::string(100'000, 'q'), kNames), "");
}

TEST(Suggest, NamesTheLevelThatIsWrong) {
  CLI::App app("the command", "tidemark");
  CLI::App* const admin = app.add_subcommand("admin", "");
  CLI::App* const retention = admin->add_subcommand("retention", "");
  app.add_subcommand("query", "");
  std::string value;
  retention->add_option("--keep", value);
  const auto describe = [&](std::vector<std::string> words) { return DescribeUnknown(app, words); };
  EXPECT_EQ(describe({"qurey", "up"}),
            "tidemark knows no \"qurey\": did you mean \"query\"?\n"
            "There are: admin, query. See tidemark --help.");
  EXPECT_EQ(describe({"admin", "retentoin"}),
            "tidemark admin knows no \"retentoin\": did you mean \"retention\"?\n"
            "There are: retention. See tidemark admin --help.");
  EXPECT_EQ(
      describe({"admin", "retention", "--kep=1d"}),
      "tidemark admin retention has no flag --kep: did you mean \"--keep\"? See tidemark admin retention --help.");
  EXPECT_EQ(describe({"admin", "zzzzzz"}),
            "tidemark admin knows no \"zzzzzz\"\nThere are: retention. See tidemark admin --help.");
  // A word behind a command that takes words is no mistake.
  EXPECT_EQ(describe({"query", "up"}), "");
  EXPECT_EQ(describe({}), "");
}

TEST(Suggest, NamesFlagsOfAProgramWithoutCommands) {
  CLI::App app("the server", "tidemarkd");
  std::string value;
  app.add_option("--data", value);
  app.add_option("--http,--http-listen", value);
  const std::vector<std::string> words = {"--data", "x", "--htp", "127.0.0.1:0"};
  EXPECT_EQ(DescribeUnknown(app, words), "tidemarkd has no flag --htp: did you mean \"--http\"? See tidemarkd --help.");
}

}  // namespace
}  // namespace tidemark::help
