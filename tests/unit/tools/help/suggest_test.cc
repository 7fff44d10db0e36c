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

TEST(Suggest, NamesCommandsThatStandElsewhere) {
  CLI::App app("the command", "tidemark");
  CLI::App* const admin = app.add_subcommand("admin", "");
  admin->add_subcommand("token", "")->add_subcommand("list", "");
  admin->add_subcommand("quota", "")->add_subcommand("list", "");
  admin->add_subcommand("session", "")->add_subcommand("list", "");
  app.add_subcommand("alert", "")->add_subcommand("list", "");
  const auto describe = [&](std::vector<std::string> words) { return DescribeUnknownCommand(app, words); };
  EXPECT_EQ(describe({"token"}),
            "tidemark knows no \"token\": did you mean `tidemark admin token`?\n"
            "There are: admin, alert. See tidemark --help.");
  EXPECT_EQ(describe({"list", "--help"}), "tidemark knows no \"list\"\nThere are: admin, alert. See tidemark --help.");
  EXPECT_EQ(describe({"admin", "token", "--nosuch"}), "");
}

TEST(Suggest, SaysWhatIsWrongAndWhereHelpIs) {
  CLI::App app("the command", "tidemark");
  app.require_subcommand(1);
  CLI::App* const write = app.add_subcommand("write", "");
  std::string text;
  write->add_option("file", text)->required();
  write->add_option("--db", text);
  CLI::App* const token = app.add_subcommand("token", "");
  token->add_option("--grant", text)->required();
  const auto describe = [&](std::vector<std::string> words) -> std::string {
    try {
      app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    } catch (const CLI::ParseError& error) {
      return DescribeMistake(app, words, error);
    }
    return {};
  };
  EXPECT_EQ(describe({}), "tidemark needs a command: write, token. See tidemark --help.");
  EXPECT_EQ(describe({"write"}), "tidemark write: FILE is missing. See tidemark write --help.");
  EXPECT_EQ(describe({"token"}), "tidemark token: --grant is missing. See tidemark token --help.");
  EXPECT_EQ(describe({"write", "x", "--db"}), "tidemark write: --db needs a value. See tidemark write --help.");
  EXPECT_EQ(describe({"write", "x", "--nosuch"}), "tidemark write has no flag --nosuch. See tidemark write --help.");
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
