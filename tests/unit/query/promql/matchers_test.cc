#include "query/promql/matchers.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace tidemark::query::promql
