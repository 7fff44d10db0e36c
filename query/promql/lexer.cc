#include "query/promql/lexer.h"

#include <utility>

#include <fmt/format.h>

namespace tidemark::query::promql {
namespace {

using enum TokenKind;

constexpr std::string_view kDecimalDigits = "0123456789";
constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";

bool IsSpace(char32_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(char32_t c) { return c >= '0' && c <= '9'; }
bool IsAlpha(char32_t c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsAlphaNumeric(char32_t c) { return IsAlpha(c) || IsDigit(c); }

// -1, the end of the text, is shown as an unknown character.
std::string Show(char32_t c) { return QuoteRune(c); }

bool IsDurationWordStart(char32_t c) {
  switch (c) {
    case 's':
    case 'S':
    case 'm':
    case 'M':
    case 'r':
    case 'R': return true;
    default: return false;
  }
}

}  // namespace

char32_t Lexer::Peek() const { return at_ < text_.size() ? DecodeRune(text_.substr(at_)).value : kNone; }

char32_t Lexer::Take() {
  if (at_ >= text_.size()) return kNone;
  const Rune rune = DecodeRune(text_.substr(at_));
  at_ += rune.size;
  return rune.value;
}

bool Lexer::TakeIf(std::string_view set) {
  if (at_ >= text_.size() || set.find(text_[at_]) == std::string_view::npos) return false;
  ++at_;
  return true;
}

void Lexer::TakeRun(std::string_view set) {
  while (TakeIf(set)) {
  }
}

Token Lexer::Emit(TokenKind kind) const {
  return {kind, static_cast<uint32_t>(start_), static_cast<uint32_t>(at_), text_.substr(start_, at_ - start_)};
}

Token Lexer::Fail(std::string message) {
  failed_ = true;
  message_ = std::move(message);
  return {kError, static_cast<uint32_t>(start_), static_cast<uint32_t>(text_.size()), message_};
}

void Lexer::SkipSpace() {
  while (at_ < text_.size() && IsSpace(static_cast<unsigned char>(text_[at_]))) ++at_;
}

void Lexer::SkipComment() {
  const size_t line_end = text_.find_first_of("\r\n", at_);
  at_ = line_end == std::string_view::npos ? text_.size() : line_end;
}

Token Lexer::Next() {
  if (failed_) {
    start_ = at_ = text_.size();
    return Emit(kEnd);
  }
  while (true) {
    SkipSpace();
    if (in_duration_ || PeekByte() != '#') break;
    SkipComment();
  }
  start_ = at_;
  if (in_braces_) return NextInBraces();
  return in_duration_ ? NextInDuration() : NextInText();
}

Token Lexer::OneOrTwo(char second, TokenKind two, TokenKind one) {
  if (PeekByte() != second) return Emit(one);
  ++at_;
  return Emit(two);
}

Token Lexer::NextInText() {
  const char32_t c = Take();
  switch (c) {
    case kNone:
      if (paren_depth_ != 0) return Fail("unclosed left parenthesis");
      if (in_brackets_) return Fail("unclosed left bracket");
      return Emit(kEnd);
    case ',': return Emit(kComma);
    case '*': return Emit(kMul);
    case '/': return Emit(kDiv);
    case '%': return Emit(kMod);
    case '+': return Emit(kAdd);
    case '-': return Emit(kSub);
    case '^': return Emit(kPow);
    case '@': return Emit(kAt);
    case '=':
      if (PeekByte() == '~') return Fail("unexpected character after '=': '~'");
      return OneOrTwo('=', kEqual, kAssign);
    case '!':
      if (const char32_t next = Take(); next != '=') return Fail("unexpected character after '!': " + Show(next));
      return Emit(kNotEqual);
    case '<': return PeekByte() == '/' ? OneOrTwo('/', kTrimUpper, kLess) : OneOrTwo('=', kLessEqual, kLess);
    case '>': return PeekByte() == '/' ? OneOrTwo('/', kTrimLower, kGreater) : OneOrTwo('=', kGreaterEqual, kGreater);
    case '"':
    case '\'': return LexString(static_cast<char>(c));
    case '`': return LexRawString();
    case '(': ++paren_depth_; return Emit(kLeftParen);
    case ')':
      if (--paren_depth_ < 0) {
        start_ = at_;
        return Fail("unexpected right parenthesis ')'");
      }
      return Emit(kRightParen);
    case '{': in_braces_ = true; return Emit(kLeftBrace);
    case '[':
      if (in_brackets_) return Fail("unexpected left bracket '['");
      in_brackets_ = in_duration_ = true;
      seen_colon_ = false;
      return Emit(kLeftBracket);
    case ']':
      if (!in_brackets_) return Fail("unexpected right bracket ']'");
      in_brackets_ = false;
      return Emit(kRightBracket);
    default: break;
  }
  if (IsDigit(c) || (c == '.' && IsDigit(Peek()))) {
    at_ = start_;
    return LexNumberOrDuration();
  }
  if (IsAlpha(c) || c == ':') {
    if (!in_brackets_) return LexWord();
    if (c == ':') {
      if (std::exchange(seen_colon_, true)) return Fail("unexpected colon ':'");
      return Emit(kColon);
    }
    return LexDurationWord("unexpected character: {}, expected ':'", c);
  }
  return Fail("unexpected character: " + Show(c));
}

Token Lexer::NextInBraces() {
  const char32_t c = Take();
  switch (c) {
    case kNone: return Fail("unexpected end of input inside braces");
    case ',': return Emit(kComma);
    case '"':
    case '\'': return LexString(static_cast<char>(c));
    case '`': return LexRawString();
    case '=': return OneOrTwo('~', kEqualRegex, kAssign);
    case '!': {
      const char32_t next = Take();
      if (next == '~') return Emit(kNotEqualRegex);
      if (next == '=') return Emit(kNotEqual);
      return Fail("unexpected character after '!' inside braces: " + Show(next));
    }
    case '{': return Fail("unexpected left brace '{'");
    case '}': in_braces_ = false; return Emit(kRightBrace);
    default: break;
  }
  if (IsAlpha(c)) return LexNameInBraces();
  return Fail("unexpected character inside braces: " + Show(c));
}

Token Lexer::NextInDuration() {
  const char32_t c = Take();
  switch (c) {
    case kNone: return Fail("unexpected end of input in duration expression");
    case ']': in_brackets_ = in_duration_ = false; return Emit(kRightBracket);
    case ':':
      if (!seen_number_) {
        start_ = at_;
        return Fail("unexpected colon before duration in duration expression");
      }
      if (std::exchange(seen_colon_, true)) {
        start_ = at_;
        return Fail("unexpected repeated colon in duration expression");
      }
      return Emit(kColon);
    case '(': ++paren_depth_; return Emit(kLeftParen);
    case ')':
      if (--paren_depth_ < 0) {
        start_ = at_;
        return Fail("unexpected right parenthesis ')'");
      }
      return Emit(kRightParen);
    case '+': return Emit(kAdd);
    case '-': return Emit(kSub);
    case '*': return Emit(kMul);
    case '/': return Emit(kDiv);
    case '%': return Emit(kMod);
    case '^': return Emit(kPow);
    case ',': return Emit(kComma);
    default: break;
  }
  if (IsDurationWordStart(c)) return LexDurationWord("unexpected character in duration expression: {}", c);
  if (IsDigit(c) || (c == '.' && IsDigit(Peek()))) {
    at_ = start_;
    seen_number_ = true;
    in_duration_ = false;
    return LexNumberOrDuration();
  }
  return Fail("unexpected character in duration expression: " + Show(c));
}

Token Lexer::LexWord() {
  bool has_colon = text_[start_] == ':';
  while (IsAlphaNumeric(Peek()) || Peek() == ':') has_colon |= text_[at_++] == ':';
  const TokenKind keyword = KeywordOf(text_.substr(start_, at_ - start_));
  const bool is_fill = keyword == kFill || keyword == kFillLeft || keyword == kFillRight;
  if (keyword != kIdentifier && (!is_fill || OpensParenNext())) return Emit(keyword);
  return Emit(has_colon ? kMetricIdentifier : kIdentifier);
}

Token Lexer::LexNameInBraces() {
  while (IsAlphaNumeric(Peek())) ++at_;
  return Emit(kIdentifier);
}

Token Lexer::LexDurationWord(std::string_view message_format, char32_t first) {
  if (IsDurationWordStart(first)) {
    while (IsAlpha(Peek())) ++at_;
    switch (const TokenKind word = KeywordOf(text_.substr(start_, at_ - start_))) {
      case kStep:
      case kRange:
      case kMinOf:
      case kMaxOf: return Emit(word);
      default: break;
    }
  }
  return Fail(fmt::format(fmt::runtime(message_format), Show(first)));
}

bool Lexer::OpensParenNext() const {
  const size_t next = text_.find_first_not_of(" \t\r\n", at_);
  return next != std::string_view::npos && text_[next] == '(';
}

Token Lexer::LexNumberOrDuration() {
  if (ScanNumber()) return Emit(kNumber);
  if (ScanDurationRest()) return Emit(kDuration);
  // MetricsQL counts in steps: 5i.
  const bool steps =
      text_.substr(at_).starts_with('i') &&
      (text_.substr(at_).size() == 1 || !IsAlphaNumeric(static_cast<unsigned char>(text_.substr(at_)[1])));
  return Fail("bad number or duration syntax: " + Quote(text_.substr(start_, at_ - start_)) +
              (steps ? " (PromQL has no unit for steps: write step(), as in [5 * step()])" : ""));
}

// Reads a number as upstream's lexer does, which leaves some wrong ones to the parser and, by reading e as an exponent
// in hexadecimal too, refuses some right ones, such as 0x1e. On failure the position tells where it stopped.
bool Lexer::ScanNumber() {
  std::string_view digits = kDecimalDigits;
  if (TakeIf("0") && TakeIf("xX")) {
    TakeIf("_");
    digits = kHexDigits;
  }
  TakeIf(".");
  TakeIf(digits);
  bool seen_dot = false;
  bool seen_exponent = false;
  while (true) {
    const char c = PeekByte();
    if (at_ >= text_.size()) break;
    if (c == '.') {
      ++at_;
      if (std::exchange(seen_dot, true) || TakeIf("_.") || digits.size() > kDecimalDigits.size()) return false;
    } else if (c == 'e' || c == 'E') {
      ++at_;
      if (std::exchange(seen_exponent, true)) return false;
      TakeIf("+-");
      if (TakeIf("._eE") || at_ >= text_.size()) return false;
    } else if (c == '_') {
      ++at_;
      if (TakeIf("._eE") || at_ >= text_.size()) return false;
    } else if (digits.find(c) != std::string_view::npos) {
      TakeRun(digits);
    } else {
      break;
    }
  }
  return at_ != start_ && !IsAlphaNumeric(Peek());
}

// Reads the units behind a number, and further numbers with units. Their order and meaning are the parser's concern.
bool Lexer::ScanDurationRest() {
  if (!TakeIf("smhdwy")) return false;
  TakeIf("s");
  while (TakeIf(kDecimalDigits)) {
    TakeRun(kDecimalDigits);
    if (!TakeIf("smhdw")) return false;
    TakeIf("s");
  }
  if (!IsAlphaNumeric(Peek())) return true;
  ++at_;
  return false;
}

Token Lexer::LexString(char quote) {
  while (true) {
    const char32_t c = Take();
    if (c == kRuneError) return Fail("invalid UTF-8 rune");
    if (c == kNone || c == '\n') return Fail("unterminated quoted string");
    if (c == static_cast<unsigned char>(quote)) return Emit(kString);
    if (c == '\\') {
      if (std::string message = ScanEscape(quote); !message.empty()) return Fail(std::move(message));
    }
  }
}

Token Lexer::LexRawString() {
  while (true) {
    const char32_t c = Take();
    if (c == kRuneError) return Fail("invalid UTF-8 rune");
    if (c == kNone) return Fail("unterminated raw string");
    if (c == '`') return Emit(kString);
  }
}

// Reads what follows a backslash. Returns what is wrong with it, or nothing.
std::string Lexer::ScanEscape(char quote) {
  constexpr std::string_view kUnterminated = "escape sequence not terminated";
  const char32_t c = Take();
  size_t count = 0;
  uint32_t base = 16;
  char32_t value_max = 0x10FFFF;
  switch (c) {
    case 'a':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
    case 'v':
    case '\\': return {};
    case 'x':
      count = 2;
      value_max = 255;
      break;
    case 'u': count = 4; break;
    case 'U': count = 8; break;
    case kNone: return std::string(kUnterminated);
    default:
      if (c == static_cast<unsigned char>(quote)) return {};
      if (c < '0' || c > '7') return "unknown escape sequence " + DescribeRune(c);
      --at_;
      count = 3;
      base = 8;
      value_max = 255;
  }
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) {
    const char32_t digit = Take();
    if (digit == kNone) return std::string(kUnterminated);
    const size_t digit_value = digit < 0x80 ? kHexDigits.find(static_cast<char>(digit)) : std::string_view::npos;
    const size_t folded = digit_value != std::string_view::npos && digit_value >= 16 ? digit_value - 6 : digit_value;
    if (folded >= base) return "illegal character " + DescribeRune(digit) + " in escape sequence";
    value = value * base + folded;
  }
  if (value > value_max || (value >= 0xD800 && value < 0xE000))
    return "escape sequence is an invalid Unicode code point";
  return {};
}

}  // namespace tidemark::query::promql
