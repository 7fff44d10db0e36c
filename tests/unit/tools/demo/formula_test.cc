#include "tools/demo/formula.h"

#include <gtest/gtest.h>

namespace tidemark::demo {
namespace {

TEST(Formula, NamesAreFoundAndNumbersAreNot) {
  EXPECT_EQ(NamesIn("(a_1 - b2)*1e6 / 0x1F + a_1 - 2.5e-3 + Inf*NaN"), (std::vector<std::string>{"a_1", "b2", "a_1"}));
  EXPECT_TRUE(NamesIn("").empty());
  EXPECT_EQ(NamesIn("1 +"), std::vector<std::string>{});
}

TEST(Formula, NumbersTakeTheNamesPlace) {
  const auto value = [](const std::string& name) { return name == "a" ? -1.5 : 12.0; };
  EXPECT_EQ(WithNumbers("b - a^2", value), "12 - (-1.5)^2");
  EXPECT_EQ(WithNumbers("1e3*bb", value), "1e3*12");
}

TEST(Formula, Names) {
  for (const char* const good : {"a", "A_b9", "info"}) EXPECT_TRUE(IsFormulaName(good)) << good;
  for (const char* const bad : {"", "_a", "9a", "a-b", "inf", "Inf", "NaN", "a b"})
    EXPECT_FALSE(IsFormulaName(bad)) << bad;
}

}  // namespace
}  // namespace tidemark::demo
