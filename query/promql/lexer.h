// Lexer: query text to tokens, one at a time.
//
// Follows the states of Prometheus' lexer: inside braces every word is an identifier, inside brackets only durations
// and their arithmetic are words. After an error it yields nothing more. One thread; keeps a view of the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "query/promql/quote.h"
#include "query/promql/token.h"

namespace tidemark::query::promql {

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Lexer(const Lexer&) = delete;  // tokens point at its message
  Lexer& operator=(const Lexer&) = delete;

  // The next token, comments and spaces skipped; kEnd again and again at the end. The text of a kError token lives as
  // long as the lexer.
  Token Next();

 private:
  // The character at the position, or kNone at the end.
  static constexpr char32_t kNone = 0xFFFFFFFF;
  char32_t Peek() const;
  char32_t Take();
  char PeekByte() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool TakeIf(std::string_view set);
  void TakeRun(std::string_view set);

  Token Emit(TokenKind kind) const;
  Token Fail(std::string message);
  void SkipSpace();
  void SkipComment();

  Token NextInText();
  Token NextInBraces();
  Token NextInDuration();
  Token LexWord();
  Token LexNameInBraces();
  Token LexDurationWord(std::string_view message_format, char32_t first);
  Token LexNumberOrDuration();
  Token LexString(char quote);
  Token LexRawString();
  Token OneOrTwo(char second, TokenKind two, TokenKind one);
  bool ScanNumber();
  bool ScanDurationRest();
  std::string ScanEscape(char quote);
  bool OpensParenNext() const;

  std::string_view text_;
  size_t at_ = 0;
  size_t start_ = 0;  // of the token being read
  std::string message_;
  int64_t paren_depth_ = 0;
  bool in_braces_ = false;
  bool in_brackets_ = false;
  bool in_duration_ = false;  // in brackets, no number read yet
  bool seen_colon_ = false;   // in these brackets
  bool seen_number_ = false;  // in any brackets: upstream does not forget it at the next one
  bool failed_ = false;
};

}  // namespace tidemark::query::promql
