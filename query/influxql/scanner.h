// The words of InfluxQL, after influxdata/influxql's scanner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidemark::query::influxql {

enum class TokenKind : uint8_t {
  kEnd,
  kKeyword,  // Token::text is in capitals
  kIdent,    // text is the name, unquoted
  kString,   // text is the value
  kInteger,
  kNumber,
  kDuration,  // 7d
  kSymbol,    // an operator or punctuation, or a character that is neither
  kBad,       // a string or comment without end, or with a wrong escape
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  uint32_t line = 1;
  uint32_t character = 1;

  bool Is(std::string_view word) const {
    return (kind == TokenKind::kKeyword || kind == TokenKind::kSymbol) && text == word;
  }
  // The token in the words of "found ...".
  std::string Found() const;
};

// Scanner: one token after the other; comments (-- and /* */) and spaces are skipped. Keeps a view of the text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // kEnd again and again at the end.
  Token Next();
  // When the last token was the "/" that begins a regular expression: what is up to its end, as kString. kBad without
  // one.
  Token RestOfRegex();

 private:
  char Peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void Step();
  bool SkipBlank();
  void ScanWord(Token& token);
  void ScanNumber(Token& token);
  void ScanQuoted(Token& token, TokenKind kind);
  void ScanSymbol(Token& token);

  std::string_view text_;
  size_t at_ = 0;
  uint32_t line_ = 1;
  uint32_t character_ = 1;
  // InfluxDB's scanner counts the end as a character when a word or a space has run into it.
  bool counts_end_ = false;
};

}  // namespace tidemark::query::influxql
