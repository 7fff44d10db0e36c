#include "storage/index/pattern.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <random>

namespace tidemark::index {
namespace {

using Texts = std::vector<std::string>;

std::optional<Texts> LiteralsOf(std::string_view expression) { return Pattern::Parse(expression).value()->literals(); }

TEST(PatternTest, ListsOfNamesBecomeTexts) {
  EXPECT_EQ(LiteralsOf("a|b|c"), (Texts{"a", "b", "c"}));
  EXPECT_EQ(LiteralsOf("cpu_(user|system)"), (Texts{"cpu_system", "cpu_user"}));
  EXPECT_EQ(LiteralsOf("(?:a|b)(c|)"), (Texts{"a", "ac", "b", "bc"}));
  EXPECT_EQ(LiteralsOf("10\\.0\\.0\\.1:9100"), (Texts{"10.0.0.1:9100"}));
  EXPECT_EQ(LiteralsOf("b|a|b"), (Texts{"a", "b"}));
  EXPECT_EQ(LiteralsOf(""), (Texts{""}));
  EXPECT_EQ(LiteralsOf("é|ü"), (Texts{"é", "ü"}));
}

TEST(PatternTest, WhatIsNotAListRunsAsAnExpression) {
  for (const char* expression : {"a.b", "a*", "(a|b)+", "a?", "[ab]", "^a$", "\\d", "(?i)a", "a{2}", "(a|b*)"}) {
    EXPECT_EQ(LiteralsOf(expression), std::nullopt) << expression;
  }
}

TEST(PatternTest, ExpansionIsBounded) {
  std::string expression;
  for (int i = 0; i < 64; ++i) expression += "(a|b)";
  EXPECT_EQ(LiteralsOf(expression), std::nullopt);
  EXPECT_TRUE(Pattern::Parse(expression).value()->Matches(std::string(64, 'a')));
  EXPECT_EQ(LiteralsOf(std::string(100, '(') + "a" + std::string(100, ')')), std::nullopt);
}

TEST(PatternTest, ListsOfAMegabyteMatch) {
  for (const std::string_view tail : {".example.com", "\\.example\\.com", "[.]example"}) {
    std::string list;
    for (int i = 0; list.size() < 900'000; ++i)
      list += (i == 0 ? "" : "|") + std::string("host-") + std::to_string(i) + std::string(tail);
    const auto pattern = Pattern::Parse(list);
    ASSERT_TRUE(pattern.ok()) << pattern.error().message.substr(0, 200);
    EXPECT_TRUE((*pattern)->Matches(tail.front() == '[' ? "host-4711.example" : "host-4711.example.com"));
    EXPECT_FALSE((*pattern)->Matches("host-4711x"));
  }
}

TEST(PatternTest, Prefixes) {
  EXPECT_EQ(Pattern::Parse("host_1.*").value()->prefix(), "host_1");
  EXPECT_EQ(Pattern::Parse("host_1[0-9]").value()->prefix(), "host_1");
  EXPECT_EQ(Pattern::Parse("ab*").value()->prefix(), "a");
  EXPECT_EQ(Pattern::Parse("aé*").value()->prefix(), "a");
  EXPECT_EQ(Pattern::Parse("ab*|c").value()->prefix(), "");
  EXPECT_EQ(Pattern::Parse("ab(?i)*").value()->prefix(), "");
  EXPECT_TRUE(Pattern::Parse("ab(?i)*").value()->Matches("a"));
  EXPECT_FALSE(Pattern::Parse("host_1.+").value()->Matches("host_1"));
  EXPECT_TRUE(Pattern::Parse("host_1.+").value()->Matches("host_1\n"));
}

TEST(PatternTest, BadExpressionsAreRefused) {
  for (const char* expression : {"(", ")", "a)", "[", "*", "a**b(", "\\", "(?P<x", "a|(b", "x{2000}"}) {
    EXPECT_FALSE(Pattern::Parse(expression).ok()) << expression;
  }
}

// Random expressions over a small alphabet mean what RE2 says, whatever way they were taken apart.
TEST(PatternTest, AgreesWithRe2) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const Texts pieces = {"a",   "b",   "|",    "(",   ")",  ".*", ".+", ".",  "*",    "+",   "?", "é",
                        "\\.", "\\|", "[ab]", "(?:", "\n", "^",  "$",  "(?", "(?i)", "{2}", "\\"};
  const Texts alphabet = {"a", "b", "é", ".", "|", "\n"};
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  int valid = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string expression;
    for (uint64_t n = random() % 8; n > 0; --n) expression += pieces[random() % pieces.size()];
    const RE2 expected(expression, options);
    const auto pattern = Pattern::Parse(expression);
    ASSERT_EQ(pattern.ok(), expected.ok()) << expression;
    if (!pattern.ok()) continue;
    ++valid;
    ASSERT_EQ((*pattern)->matches_empty(), RE2::FullMatch("", expected)) << expression;
    for (int t = 0; t < 10; ++t) {
      std::string text;
      for (uint64_t n = random() % 5; n > 0; --n) text += alphabet[random() % alphabet.size()];
      ASSERT_EQ((*pattern)->Matches(text), RE2::FullMatch(text, expected)) << expression << " on " << text;
    }
  }
  EXPECT_GT(valid, 5'000);
}

}  // namespace
}  // namespace tidemark::index
