#include "query/promql/matchers.h"
#include "query/promql/parser.h"
#include "query/promql/printer.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <random>
#include <string>
#include <string_view>

namespace tidemark::query::promql {
namespace {

using model::MatchOp;

TEST(Matchers, EmptyLabel) {
  EXPECT_TRUE(MatchesEmpty({MatchOp::kEqual, "a", ""}));
  EXPECT_FALSE(MatchesEmpty({MatchOp::kEqual, "a", "x"}));
  EXPECT_FALSE(MatchesEmpty({MatchOp::kNotEqual, "a", ""}));
  EXPECT_TRUE(MatchesEmpty({MatchOp::kNotEqual, "a", "x"}));
  EXPECT_TRUE(MatchesEmpty({MatchOp::kRegex, "a", ".*"}));
  EXPECT_TRUE(MatchesEmpty({MatchOp::kRegex, "a", "x|"}));
  EXPECT_FALSE(MatchesEmpty({MatchOp::kRegex, "a", ".+"}));
  EXPECT_FALSE(MatchesEmpty({MatchOp::kNotRegex, "a", "x?"}));
  EXPECT_TRUE(MatchesEmpty({MatchOp::kNotRegex, "a", "x"}));
}

TEST(Matchers, RegexErrorsAreInGosWords) {
  EXPECT_TRUE(CheckRegex("a|b{2,3}[c-d]\\d(?:x)(?P<n>y)").ok());
  const auto refusal = [](std::string_view pattern) {
    const Status status = CheckRegex(pattern);
    return status.ok() ? "accepted" : status.error().message;
  };
  EXPECT_EQ(refusal("a("), "error parsing regexp: missing closing ): `^(?s:a()$`");
  EXPECT_EQ(refusal("[z-a]"), "error parsing regexp: invalid character class range: `z-a`");
  EXPECT_EQ(refusal("\\y"), "error parsing regexp: invalid escape sequence: `\\y`");
  EXPECT_EQ(refusal("a{1001}"), "error parsing regexp: invalid repeat count: `{1001}`");
  EXPECT_EQ(refusal("(?=x)"), "error parsing regexp: invalid or unsupported Perl syntax: `(?=`");
}

TEST(Matchers, ListsOfNames) {
  for (const char* pattern :
       {"host_1|host_2", "cpu_(usage_user|usage_system)", "", "a|", "|", "()", "(|a)b*", ".*|x"}) {
    EXPECT_TRUE(CheckRegex(pattern).ok()) << pattern;
  }
  EXPECT_FALSE(MatchesEmpty({MatchOp::kRegex, "a", "host_1|host_2"}));
  EXPECT_TRUE(MatchesEmpty({MatchOp::kRegex, "a", "(a|b*)c?"}));
  // Too long and too deep to be told without RE2.
  EXPECT_FALSE(MatchesEmpty({MatchOp::kRegex, "a", std::string(10'000, 'x')}));
  EXPECT_TRUE(MatchesEmpty({MatchOp::kRegex, "a", std::string(300, '(') + std::string(300, ')')}));
  EXPECT_FALSE(CheckRegex(std::string(3000, '(')).ok());
}

TEST(Matchers, ListsOfAMegabyteAreTaken) {
  for (const std::string_view name : {"host-0042.example.com|", "host-0042\\.example\\.com|", "h[o0]st-é|"}) {
    std::string list;
    while (list.size() < 900'000) list += name;
    EXPECT_TRUE(CheckRegex(list).ok()) << name;
    EXPECT_TRUE(MatchesEmpty({MatchOp::kRegex, "a", list})) << name;
    list += "x";
    EXPECT_FALSE(MatchesEmpty({MatchOp::kRegex, "a", list})) << name;
  }
}

TEST(Matchers, RandomPatternsAreWhatRe2MakesOfThem) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  constexpr std::string_view kBytes = "aab|||()()..**++?-?_ \\[]{}^$1,:\xc3";
  RE2::Options options;
  options.set_log_errors(false);
  int good = 0;
  for (int i = 0; i < 30'000; ++i) {
    std::string pattern;
    for (size_t left = random() % 9; left > 0; --left) {
      // Mostly out of the first ones, of which more is right.
      pattern.push_back(kBytes[random() % (random() % 8 == 0 ? kBytes.size() : 17)]);
    }
    const RE2 regex("^(?s:" + pattern + ")$", options);
    ASSERT_EQ(CheckRegex(pattern).ok(), regex.ok()) << pattern;
    if (!regex.ok()) continue;
    ++good;
    const bool empty = RE2::FullMatch("", regex);
    ASSERT_EQ(MatchesEmpty({MatchOp::kRegex, "a", pattern}), empty) << pattern;
    ASSERT_EQ(MatchesEmpty({MatchOp::kNotRegex, "a", pattern}), !empty) << pattern;
  }
  EXPECT_GT(good, 1000);
}

TEST(ToSelector, IsReadBack) {
  using model::MatchOp;
  const std::vector<model::Matcher> matchers{{MatchOp::kEqual, "host", "a\"b\\"},
                                             {MatchOp::kRegex, "größe", "x.*"},
                                             {MatchOp::kNotEqual, "with space", ""},
                                             {MatchOp::kNotRegex, "__name__", "debug_.+"}};
  const std::string text = ToSelector(matchers);
  EXPECT_EQ(text, R"({host="a\"b\\","größe"=~"x.*","with space"!="",__name__!~"debug_.+"})");
  const auto parsed = ParseSelector(text);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(*parsed, matchers);
  EXPECT_EQ(ToSelector({}), "{}");
}

}  // namespace
}  // namespace tidemark::query::promql
