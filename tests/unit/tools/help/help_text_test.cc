// The help of a small program.
#include "tools/help/help_text.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace tidemark::help {
namespace {

TEST(HelpText, WrapsBetweenWords) {
  EXPECT_EQ(Wrapped("one two three", 7), "one two\nthree");
  EXPECT_EQ(Wrapped("one two three", 6), "one\ntwo\nthree");
  EXPECT_EQ(Wrapped("one two three", 13), "one two three");
  EXPECT_EQ(Wrapped("a-word-that-is-long b", 5), "a-word-that-is-long\nb");
  EXPECT_EQ(Wrapped("one\ntwo three\n", 9), "one\ntwo three\n");
  EXPECT_EQ(Wrapped("", 5), "");
}

TEST(HelpText, GroupsRepeatsAndDefaults) {
  std::string text = "ns";
  std::vector<std::string> list;
  CLI::App app("a toy");
  Use(&app);
  auto* const ask = app.add_subcommand("ask", "ask a server for what it has, in words that do not fit into one line");
  ask->group("Ask");
  app.add_subcommand("man", "pages")->group("Shell");
  ask->add_option("--server", text, "where")->group(kServerGroup);
  ask->add_option("--unit", text, "of times")->capture_default_str()->group("Time");
  ask->add_option("--label", list, "one");
  ask->add_option("--name", list, "One.");
  ask->add_option("--one", list, "only one")->expected(1);
  const std::string root = app.help();
  EXPECT_NE(root.find("\nAsk:\n  ask                         ask a server for what it has, in words that do not\n"
                      "                              fit into one line\n\nShell:\n"),
            std::string::npos)
      << root;
  const std::string help = ask->help();
  EXPECT_NE(help.find("one; may be given several times\n"), std::string::npos) << help;
  EXPECT_NE(help.find("One. May be given several times.\n"), std::string::npos) << help;
  EXPECT_NE(help.find("only one\n"), std::string::npos) << help;
  EXPECT_NE(help.find("\n\nTime:\n  --unit TEXT=ns"), std::string::npos) << help;
  EXPECT_LT(help.find("\nOptions:\n"), help.find("\nTime:\n")) << help;
  EXPECT_LT(help.find("\nTime:\n"), help.find("\nServer:\n")) << help;
  EXPECT_EQ(help.find("\n\n\n"), std::string::npos) << help;
  std::istringstream lines(root + help);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), kColumns) << line;
}

}  // namespace
}  // namespace tidemark::help
