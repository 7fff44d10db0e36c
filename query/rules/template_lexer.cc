#include "query/rules/template_lexer.h"

#include <algorithm>
#include <iterator>

#include <fmt/core.h>

#include "query/promql/quote.h"
#include "storage/base/text/ascii.h"

namespace tidemark::query::rules {
namespace {

using enum TemplateTokenKind;

constexpr std::string_view kKeywords[] = {"block", "break", "continue", "define",   "else", "end",
                                          "if",    "nil",   "range",    "template", "with"};

using text::IsDigit;
using text::IsSpace;
// Letters beyond ASCII are part of names, as in Go; which of those characters are letters is not asked.
bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '_' || (c & 0x80) != 0;
}

// The size of the text in quotes at the start of `rest`, with them; npos where it is not closed.
size_t QuotedSize(std::string_view rest) {
  const char quote = rest.front();
  for (size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == quote) return i + 1;
    if (quote == '`') continue;
    if (rest[i] == '\n') return std::string_view::npos;
    if (rest[i] == '\\') ++i;
  }
  return std::string_view::npos;
}

class Lexer {
 public:
  explicit Lexer(std::string_view action) : rest_(action) {}

  Result<std::vector<TemplateToken>> Run() {
    while (!rest_.empty()) TM_RETURN_IF_ERROR(Next());
    tokens_.push_back({});
    return std::move(tokens_);
  }

 private:
  void Emit(TemplateTokenKind kind, size_t size) {
    tokens_.push_back({.kind = kind, .text = rest_.substr(0, size)});
    rest_.remove_prefix(size);
  }

  [[nodiscard]] size_t NameSize(size_t from) const {
    size_t size = from;
    while (size < rest_.size() && IsNameChar(rest_[size])) ++size;
    return size;
  }

  // Go asks for something that parts behind a word.
  [[nodiscard]] Status CheckBehind(size_t size) const {
    if (size >= rest_.size() || IsSpace(rest_[size]) || std::string_view(".,|:()").contains(rest_[size])) return {};
    return InvalidArgument(
        fmt::format("bad character {}", promql::DescribeRune(promql::DecodeRune(rest_.substr(size)).value)));
  }

  Status Word(TemplateTokenKind kind, size_t from) {
    const size_t size = NameSize(from);
    TM_RETURN_IF_ERROR(CheckBehind(size));
    Emit(kind, size);
    return {};
  }

  Status Next() {
    const char c = rest_.front();
    const char next = rest_.size() > 1 ? rest_[1] : '\0';
    if (IsSpace(c)) {
      size_t size = 0;
      while (size < rest_.size() && IsSpace(rest_[size])) ++size;
      Emit(kSpace, size);
      return {};
    }
    switch (c) {
      case '=': Emit(kAssign, 1); return {};
      case ',': Emit(kComma, 1); return {};
      case '|': Emit(kPipe, 1); return {};
      case '(': Emit(kLeftParen, 1); return {};
      case ')': Emit(kRightParen, 1); return {};
      case ':':
        if (next != '=') return InvalidArgument("expected :=");
        Emit(kDeclare, 2);
        return {};
      case '"':
      case '`':
      case '\'': {
        const size_t size = QuotedSize(rest_);
        if (size == std::string_view::npos) {
          return InvalidArgument(c == '\''  ? "unterminated character constant"
                                 : c == '"' ? "unterminated quoted string"
                                            : "unterminated raw quoted string");
        }
        Emit(c == '\'' ? kCharacter : kText, size);
        return {};
      }
      case '$': return Word(kVariable, 1);
      case '.':
        if (IsDigit(next)) return Number();
        if (IsNameChar(next)) return Word(kField, 1);
        TM_RETURN_IF_ERROR(CheckBehind(1));
        Emit(kDot, 1);
        return {};
      default: break;
    }
    if (c == '+' || c == '-' || IsDigit(c)) return Number();
    if (IsNameChar(c)) {
      const std::string_view word = rest_.substr(0, NameSize(0));
      const bool keyword = std::ranges::find(kKeywords, word) != std::end(kKeywords);
      const bool truth = word == "true" || word == "false";
      return Word(keyword ? kKeyword : truth ? kBool : kIdentifier, 0);
    }
    return InvalidArgument(
        fmt::format("unexpected {} in command", promql::DescribeRune(promql::DecodeRune(rest_).value)));
  }

  // What follows is the parser's concern, but for letters, which are part of no number.
  Status Number() {
    size_t size = rest_.front() == '+' || rest_.front() == '-' ? 1 : 0;
    std::string_view digits = "0123456789_";
    bool hexadecimal = false;
    if (rest_.substr(size).starts_with('0') && rest_.size() > size + 1) {
      switch (rest_[size + 1]) {
        case 'x':
        case 'X':
          digits = "0123456789abcdefABCDEF_";
          hexadecimal = true;
          size += 2;
          break;
        case 'o':
        case 'O':
          digits = "01234567_";
          size += 2;
          break;
        case 'b':
        case 'B':
          digits = "01_";
          size += 2;
          break;
        default: break;
      }
    }
    const auto run = [&](std::string_view set) {
      while (size < rest_.size() && set.contains(rest_[size])) ++size;
    };
    run(digits);
    if (size < rest_.size() && rest_[size] == '.') {
      ++size;
      run(digits);
    }
    const std::string_view powers = hexadecimal ? "pP" : "eE";
    if (size < rest_.size() && powers.contains(rest_[size]) && digits.size() >= 11) {
      ++size;
      if (size < rest_.size() && (rest_[size] == '+' || rest_[size] == '-')) ++size;
      run("0123456789_");
    }
    if (size < rest_.size() && IsNameChar(rest_[size])) {
      return InvalidArgument(fmt::format("bad number syntax: \"{}\"", rest_.substr(0, NameSize(size))));
    }
    Emit(kNumber, size);
    return {};
  }

  std::string_view rest_;
  std::vector<TemplateToken> tokens_;
};

}  // namespace

Result<std::vector<TemplateToken>> LexTemplateAction(std::string_view action) { return Lexer(action).Run(); }

size_t FindEndOfAction(std::string_view text) {
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    const char c = text[i];
    if (c == '}' && text[i + 1] == '}') return i;
    if (c != '"' && c != '`' && c != '\'') continue;
    const size_t size = QuotedSize(text.substr(i));
    if (size == std::string_view::npos) continue;
    i += size - 1;
  }
  return std::string_view::npos;
}

}  // namespace tidemark::query::rules
