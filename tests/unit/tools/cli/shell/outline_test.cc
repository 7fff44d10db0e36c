// Completion and man pages of a small program, tried with bash and man where they are there.
#include "tools/cli/shell/outline.h"
#include "tests/temp_directory.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace tidemark::cli {
namespace {

class Shell : public testing::Test {
 protected:
  Shell() {
    app_.name("toy");
    auto* const admin = app_.add_subcommand("admin", "look after it");
    auto* const retention = admin->add_subcommand("retention", "how long it's kept");
    auto* const set = retention->add_subcommand("set", "keep it; 'inf' and \\ and .dots");
    set->add_option("db", text_, "database")->required();
    set->add_option("--match", list_, ".what, in '{a=\"b\"}'");
    set->add_flag("-q,--quiet", on_, "say nothing")->group("Output");
    set->add_option("--unit", unit_, "of times")->capture_default_str()->group("Output");
    admin->add_subcommand("rename", "another name");
    app_.add_subcommand("alert", "what fires")->group("Alert");
  }

  // What a command prints, its errors too; its exit code behind a line.
  std::string Run(const std::string& command) const {
    std::array<char, 4096> buffer{};
    std::string out;
    FILE* const pipe = ::popen(("cd " + folder_ + " && " + command + " 2>&1").c_str(), "r");
    while (const size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) out.append(buffer.data(), got);
    return out + fmt::format("[{}]", ::pclose(pipe) / 256);
  }

  [[nodiscard]] bool Has(const std::string& program) const { return Run("command -v " + program).ends_with("[0]"); }

  void Write(const std::string& name, const std::string& text) const { std::ofstream(folder_ + "/" + name) << text; }

  // What bash offers for the last of `words`.
  std::string Offered(const std::string& words, int last) const {
    Write("toy.bash", BashCompletion(OutlineOf(app_)));
    Write("try.bash",
          fmt::format("source ./toy.bash\nCOMP_WORDS=({})\nCOMP_CWORD={}\n_toy\necho \"${{COMPREPLY[*]}}\"\n", words,
                      last));
    return Run("bash try.bash");
  }

  CLI::App app_{"a toy"};
  TempDirectory directory_;
  const std::string& folder_ = directory_.path();
  std::string text_;
  std::string unit_ = "-ns";
  std::vector<std::string> list_;
  bool on_ = false;
};

TEST_F(Shell, TheOutlineHasEveryCommandAndFlag) {
  const Outline root = OutlineOf(app_);
  ASSERT_EQ(root.commands.size(), 2U);
  const Outline& set = root.commands[0].commands[0].commands[0];
  EXPECT_EQ(set.path, "toy admin retention set");
  ASSERT_EQ(set.flags.size(), 5U);  // and --help
  EXPECT_EQ(set.flags[4].initial, "-ns");
  EXPECT_EQ(set.flags[1].place, "db");
  EXPECT_TRUE(set.flags[1].required);
  EXPECT_TRUE(set.flags[2].value);
  EXPECT_TRUE(set.flags[2].repeats);
  EXPECT_EQ(set.flags[3].names, (std::vector<std::string>{"--quiet", "-q"}));
  EXPECT_FALSE(set.flags[3].value);
}

TEST_F(Shell, BashOffersWhatFitsAtEachPlace) {
  EXPECT_EQ(Offered("toy a", 1), "admin alert\n[0]");
  EXPECT_EQ(Offered("toy admin re", 2), "retention rename\n[0]");
  EXPECT_EQ(Offered("toy admin retention ''", 3), "set --help -h\n[0]");
  EXPECT_EQ(Offered("toy admin retention set db --m", 5), "--match\n[0]");
  // A value that is called as a command does not lead astray.
  EXPECT_EQ(Offered("toy admin retention set alert --q", 5), "--quiet\n[0]");
  EXPECT_EQ(Offered("toy alert re", 2), "\n[0]");
}

TEST_F(Shell, TheOtherShellsTakeTheirScripts) {
  Write("toy.zsh", ZshCompletion(OutlineOf(app_)));
  Write("toy.fish", FishCompletion(OutlineOf(app_)));
  if (Has("zsh")) {
    EXPECT_EQ(Run("zsh -n toy.zsh"), "[0]");
  }
  if (Has("fish")) {
    EXPECT_EQ(Run("fish -n toy.fish"), "[0]");
  }
  // Quotes in helps are closed in any case.
  for (const char* name : {"toy.zsh", "toy.fish"}) {
    std::ifstream file(folder_ + "/" + name);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_NE(text.find("retention"), std::string::npos);
    EXPECT_NE(text.find("set"), std::string::npos);
    EXPECT_NE(text.find("match"), std::string::npos);
  }
}

TEST_F(Shell, AManPageSaysAllAndManHasNothingAgainstIt) {
  const Outline root = OutlineOf(app_);
  const std::string page = ManPage(root.commands[0], "1.2.3");
  EXPECT_TRUE(page.starts_with(".TH TOY-ADMIN 1 \"\" \"Tidemark 1.2.3\"")) << page;
  EXPECT_NE(page.find(".SS toy admin retention set\n"), std::string::npos);
  EXPECT_NE(page.find("\\&.what"), std::string::npos);
  EXPECT_NE(page.find("\\fB\\-\\-match\\fR \\fIvalue\\fR ..."), std::string::npos) << page;
  EXPECT_NE(page.find("of times (default: \\-ns)\n"), std::string::npos) << page;
  EXPECT_NE(page.find("; may be given several times\n"), std::string::npos) << page;
  Write("toy-admin.1", page);
  Write("toy.1", ManPage(root, "1.2.3"));
  for (const char* name : {"toy-admin.1", "toy.1"}) {
    if (Has("groff")) {
      EXPECT_EQ(Run(fmt::format("groff -man -ww -z {}", name)), "[0]") << name;
    }
    if (!Has("man")) continue;
    const std::string shown = Run(fmt::format("MANWIDTH=100 man --warnings -l {}", name));
    EXPECT_TRUE(shown.ends_with("[0]")) << shown;
    EXPECT_EQ(shown.find("warning"), std::string::npos) << shown;
  }
  const std::string shown = Run("MANWIDTH=100 man -l toy-admin.1");
  if (!shown.ends_with("[0]")) return;
  EXPECT_NE(shown.find("'inf' and \\ and .dots"), std::string::npos) << shown;
}

}  // namespace
}  // namespace tidemark::cli
