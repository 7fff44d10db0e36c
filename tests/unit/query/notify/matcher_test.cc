#include "query/notify/matcher.h"

#include <gtest/gtest.h>

namespace tidemark::query::notify {
namespace {

TEST(ParseMatchers, AsAmtoolReadsThem) {
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "{}"},
      {"", "{}"},
      {"a=b", R"({a="b"})"},
      {"{a=b,}", R"({a="b"})"},
      {"{ a = \"b, c\" , d=~\"x|y\"}", R"({a="b, c",d=~"x|y"})"},
      {"a!=\"b\",c!~d.*", R"({a!="b",c!~"d.*"})"},
      {"a=", R"({a=""})"},
      {"a= b c ", R"({a="b c"})"},
      {R"(a="x\"y\\z\n\q")", R"({a="x\"y\\z\n\\q"})"},
      {R"(a=x\)", R"({a="x\\"})"},
      {"a:b=c", R"({a:b="c"})"},
  };
  for (const auto& [text, printed] : cases) {
    const Result<Matchers> matchers = ParseMatchers(text);
    ASSERT_TRUE(matchers.ok()) << text << ": " << matchers.error().message;
    EXPECT_EQ(MatchersText(*matchers), printed) << text;
  }
}

TEST(ParseMatchers, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"a", "bad matcher format: a"},
      {"1a=b", "bad matcher format: 1a=b"},
      {",a=b", "bad matcher format: "},
      {"a=b\"c", "matcher value contains unescaped double quote: b\"c"},
      {"a=\"b", "matcher value contains unescaped double quote: \"b"},
      {"a=\"b\"c", "matcher value contains unescaped double quote: \"b\"c"},
      {"a=~\"(\"", "a=~\"(\": not a regular expression: missing )"},
  };
  for (const auto& [text, message] : cases) {
    const Result<Matchers> matchers = ParseMatchers(text);
    ASSERT_FALSE(matchers.ok()) << text;
    EXPECT_EQ(matchers.error().message, message);
  }
}

TEST(Matcher, AnchoredAndAbsentIsEmpty) {
  const auto matches = [](const char* text, const model::Labels& labels) {
    return AllMatch(*ParseMatchers(text), labels);
  };
  EXPECT_TRUE(matches("a=~\"x|y\"", {{"a", "y"}}));
  EXPECT_FALSE(matches("a=~\"x|y\"", {{"a", "yy"}}));
  EXPECT_TRUE(matches("a!~x", {}));
  EXPECT_TRUE(matches("a=\"\"", {{"b", "1"}}));
  EXPECT_FALSE(matches("a=\"\"", {{"a", "1"}}));
  // As Go's: a dot is no newline.
  EXPECT_FALSE(matches("a=~\"x.y\"", {{"a", "x\ny"}}));
}

TEST(PassesFilter, AnEmptyValueWantsTheLabelMissing) {
  const auto passes = [](const char* text, const model::Labels& labels) {
    return PassesFilter(*ParseMatchers(text), labels);
  };
  EXPECT_TRUE(passes("a=", {{"b", "1"}}));
  EXPECT_FALSE(passes("a=", {{"a", "1"}}));
  EXPECT_TRUE(passes("a!=", {{"a", "1"}}));
  EXPECT_FALSE(passes("a!=", {{"b", "1"}}));
  EXPECT_TRUE(passes("a=~\"1|2\",b=3", {{"a", "1"}, {"b", "3"}}));
}

}  // namespace
}  // namespace tidemark::query::notify
