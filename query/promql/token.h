// The words of the query language, as the lexer hands them to the parser.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidemark::query::promql {

enum class TokenKind : uint8_t {
  kEnd,    // of the text
  kError,  // the lexer's complaint; Token::text is its message
  kIdentifier,
  kMetricIdentifier,  // an identifier with a colon in it
  kNumber,
  kDuration,
  kString,
  // Punctuation.
  kLeftParen,
  kRightParen,
  kLeftBrace,
  kRightBrace,
  kLeftBracket,
  kRightBracket,
  kComma,
  kAssign,
  kColon,
  // Operators, in the order of BinaryOp as far as kTrimLower.
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kAtan2,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAnd,
  kOr,
  kUnless,
  kTrimUpper,
  kTrimLower,
  kEqualRegex,
  kNotEqualRegex,
  kAt,
  // Aggregations, in the order of AggregateOp.
  kSum,
  kAvg,
  kCount,
  kMin,
  kMax,
  kGroup,
  kStddev,
  kStdvar,
  kTopk,
  kBottomk,
  kCountValues,
  kQuantile,
  kLimitk,
  kLimitRatio,
  // Keywords.
  kAnchored,
  kBool,
  kBy,
  kFill,
  kFillLeft,
  kFillRight,
  kGroupLeft,
  kGroupRight,
  kIgnoring,
  kOffset,
  kOn,
  kSmoothed,
  kWithout,
  // Words that are also functions.
  kStart,
  kEndWord,
  kStep,
  kRange,
  kMinOf,
  kMaxOf,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  uint32_t start = 0;  // byte offset into the text
  uint32_t end = 0;
  std::string_view text;  // the text between them; of kError, the message, which the lexer owns
};

constexpr bool IsOperator(TokenKind kind) { return kind >= TokenKind::kAdd && kind <= TokenKind::kAt; }
constexpr bool IsBinaryOperator(TokenKind kind) { return kind >= TokenKind::kAdd && kind <= TokenKind::kTrimLower; }
constexpr bool IsAggregator(TokenKind kind) { return kind >= TokenKind::kSum && kind <= TokenKind::kLimitRatio; }
constexpr bool IsKeyword(TokenKind kind) { return kind >= TokenKind::kAnchored && kind <= TokenKind::kWithout; }
constexpr bool IsFunctionWord(TokenKind kind) { return kind >= TokenKind::kStart && kind <= TokenKind::kMaxOf; }

// Whether the word may name a metric where an expression is expected.
bool MayNameMetric(TokenKind kind);

// Whether the word may name a label in by (...), on (...) and their kin.
bool MayNameLabel(TokenKind kind);

// The keyword that `word` is, in any letter case, or kIdentifier.
TokenKind KeywordOf(std::string_view word);

// The token in the words of "unexpected ...": `identifier "x"`, `<op:+>`, `<by>`, `end of input`, `"("`.
std::string Describe(const Token& token);

}  // namespace tidemark::query::promql
