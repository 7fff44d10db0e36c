#include "query/promql/lexer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidemark::query::promql {
namespace {

using enum TokenKind;

std::vector<TokenKind> Kinds(std::string_view text) {
  Lexer lexer(text);
  std::vector<TokenKind> kinds;
  while (true) {
    const Token token = lexer.Next();
    kinds.push_back(token.kind);
    if (token.kind == kEnd) return kinds;
  }
}

TEST(PromqlLexer, TokensCarryTheirPlaceAndText) {
  Lexer lexer("  sum # c\n by(x)");
  Token token = lexer.Next();
  EXPECT_EQ(token.kind, kSum);
  EXPECT_EQ(token.start, 2u);
  EXPECT_EQ(token.end, 5u);
  EXPECT_EQ(token.text, "sum");
  token = lexer.Next();
  EXPECT_EQ(token.kind, kBy);
  EXPECT_EQ(token.start, 11u);
}

TEST(PromqlLexer, TheEndComesAgainAndAgain) {
  Lexer lexer("");
  EXPECT_EQ(lexer.Next().kind, kEnd);
  EXPECT_EQ(lexer.Next().kind, kEnd);
  Lexer failed("? up");
  EXPECT_EQ(failed.Next().kind, kError);
  EXPECT_EQ(failed.Next().kind, kEnd);
}

TEST(PromqlLexer, WordsInBracesAreNames) {
  EXPECT_EQ(Kinds("sum{sum=~\"x\",by!~'y'}"), (std::vector{kSum, kLeftBrace, kIdentifier, kEqualRegex, kString, kComma,
                                                           kIdentifier, kNotEqualRegex, kString, kRightBrace, kEnd}));
}

TEST(PromqlLexer, WordsInBracketsAreDurations) {
  EXPECT_EQ(Kinds("a[max_of(step(),5m):1h]"),
            (std::vector{kIdentifier, kLeftBracket, kMaxOf, kLeftParen, kStep, kLeftParen, kRightParen, kComma,
                         kDuration, kRightParen, kColon, kDuration, kRightBracket, kEnd}));
}

TEST(PromqlLexer, ColonsMakeMetricNames) {
  EXPECT_EQ(Kinds("a:b :c d"), (std::vector{kMetricIdentifier, kMetricIdentifier, kIdentifier, kEnd}));
}

TEST(PromqlLexer, KeywordsInAnyCase) {
  EXPECT_EQ(Kinds("GROUP_LEFT aTaN2 Inf nan Start"), (std::vector{kGroupLeft, kAtan2, kNumber, kNumber, kStart, kEnd}));
}

TEST(PromqlLexer, FillIsAKeywordOnlyBeforeAParenthesis) {
  EXPECT_EQ(Kinds("fill fill ( fill_left(")[0], kIdentifier);
  EXPECT_EQ(Kinds("fill\n (")[0], kFill);
}

TEST(PromqlLexer, OperatorsOfTwoCharacters) {
  EXPECT_EQ(Kinds("== != <= >= </ >/ < > ="), (std::vector{kEqual, kNotEqual, kLessEqual, kGreaterEqual, kTrimUpper,
                                                           kTrimLower, kLess, kGreater, kAssign, kEnd}));
}

TEST(PromqlLexer, Descriptions) {
  const auto first = [](std::string_view text) {
    Lexer lexer(text);
    return Describe(lexer.Next());
  };
  EXPECT_EQ(first(""), "end of input");
  EXPECT_EQ(first("foo"), "identifier \"foo\"");
  EXPECT_EQ(first("a:b"), "metric identifier \"a:b\"");
  EXPECT_EQ(first("1.5"), "number \"1.5\"");
  EXPECT_EQ(first("1234567890123"), "number \"1234567890\"...");
  EXPECT_EQ(first("5m"), "duration \"5m\"");
  EXPECT_EQ(first("'x'"), "string \"'x'\"");
  EXPECT_EQ(first("Offset"), "<Offset>");
  EXPECT_EQ(first("+"), "<op:+>");
  EXPECT_EQ(first("unless"), "<op:unless>");
  EXPECT_EQ(first("Sum"), "<aggr:Sum>");
  EXPECT_EQ(first("start"), "\"start\"");
  EXPECT_EQ(first("("), "\"(\"");
}

}  // namespace
}  // namespace tidemark::query::promql
