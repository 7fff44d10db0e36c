// Runs every script in scripts/: each case must pass.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/conformance/promql/runner.h"

namespace tidemark::query::conformance {
namespace {

std::vector<std::string> ScriptNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(TM_PROMQL_SCRIPTS)) {
    if (entry.path().extension() == ".test") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

class Scripts : public testing::TestWithParam<std::string> {};

TEST_P(Scripts, Pass) {
  std::ifstream file(std::filesystem::path(TM_PROMQL_SCRIPTS) / (GetParam() + ".test"));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto tally = RunScript(text);
  ASSERT_TRUE(tally.ok()) << tally.error().message;
  EXPECT_GT(tally->float_cases, 0);
  for (const Failure& failure : tally->failures) {
    ADD_FAILURE() << GetParam() << ".test:" << failure.line << ": " << failure.query << "\n  " << failure.reason;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Scripts, testing::ValuesIn(ScriptNames()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace tidemark::query::conformance
