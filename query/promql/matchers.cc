#include "query/promql/matchers.h"

#include <re2/re2.h>

#include <string>

#include <fmt/format.h>

namespace tidemark::query::promql {
namespace {

RE2::Options Quiet() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(int64_t{64} << 20);  // as the index has it (storage/index/pattern.cc)
  return options;
}

// Anchored on both sides, and `.` matches a newline: https://github.com/prometheus/prometheus/releases/tag/v3.0.0
std::string Anchored(std::string_view pattern) { return fmt::format("^(?s:{})$", pattern); }

std::string_view GoWords(RE2::ErrorCode code) {
  switch (code) {
    case RE2::ErrorBadEscape: return "invalid escape sequence";
    case RE2::ErrorBadCharClass: return "invalid character class";
    case RE2::ErrorBadCharRange: return "invalid character class range";
    case RE2::ErrorMissingBracket: return "missing closing ]";
    case RE2::ErrorMissingParen: return "missing closing )";
    case RE2::ErrorUnexpectedParen: return "unexpected )";
    case RE2::ErrorTrailingBackslash: return "trailing backslash at end of expression";
    case RE2::ErrorRepeatArgument: return "missing argument to repetition operator";
    case RE2::ErrorRepeatSize: return "invalid repeat count";
    case RE2::ErrorRepeatOp: return "invalid nested repetition operator";
    case RE2::ErrorBadPerlOp: return "invalid or unsupported Perl syntax";
    case RE2::ErrorBadUTF8: return "invalid UTF-8";
    case RE2::ErrorBadNamedCapture: return "invalid named capture";
    case RE2::ErrorPatternTooLarge: return "expression too large";
    default: return "internal error";
  }
}

// Looks over a pattern that has nothing but ASCII letters, digits, `_ - / : , = ~ @ # ; < > ! " ' %` and space, `.`,
// `|`, groups and single `* + ?`, which is what queries mostly have: lists of names, prefixes. Such a pattern is right,
// and whether it matches the empty string shows without RE2, which takes tens of microseconds to compile one.
class PlainPattern {
 public:
  explicit PlainPattern(std::string_view pattern) : rest_(pattern) {
    plain_ = pattern.size() <= kBytesMax;
    matches_empty_ = Alternation(0);
    plain_ = plain_ && rest_.empty();
  }

  // False for patterns that only RE2 can tell.
  [[nodiscard]] bool plain() const { return plain_; }
  [[nodiscard]] bool matches_empty() const { return matches_empty_; }

 private:
  // So that none of RE2's limits matters: neither its memory nor its depth.
  static constexpr size_t kBytesMax = size_t{1} << 20;
  static constexpr int kDepthMax = 100;

  static bool IsLiteral(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-/:,=~@#;<>!\"'% ").contains(c);
  }

  [[nodiscard]] bool At(char c) const { return !rest_.empty() && rest_.front() == c; }
  [[nodiscard]] bool AtQuantifier() const { return At('*') || At('+') || At('?'); }

  // Whether what stands up to the end of the group matches the empty string.
  bool Alternation(int depth) {
    plain_ = plain_ && depth <= kDepthMax;
    bool empty = Concatenation(depth);
    while (plain_ && At('|')) {
      rest_.remove_prefix(1);
      empty = Concatenation(depth) || empty;
    }
    return empty;
  }

  bool Concatenation(int depth) {
    bool empty = true;
    while (plain_ && !rest_.empty() && !At('|') && !At(')')) {
      bool item_empty = false;
      if (At('(')) {
        rest_.remove_prefix(1);
        plain_ = !At('?');
        item_empty = plain_ && Alternation(depth + 1);
        plain_ = plain_ && At(')');
      } else {
        plain_ = At('.') || IsLiteral(rest_.front());
      }
      if (!plain_) return false;
      rest_.remove_prefix(1);
      if (AtQuantifier()) {
        item_empty = item_empty || !At('+');
        rest_.remove_prefix(1);
        // Not greedy, or wrong.
        plain_ = !AtQuantifier();
      }
      empty = empty && item_empty;
    }
    return empty;
  }

  std::string_view rest_;
  bool plain_ = true;
  bool matches_empty_ = false;
};

bool PatternMatchesEmpty(std::string_view pattern) {
  if (const PlainPattern plain(pattern); plain.plain()) return plain.matches_empty();
  return RE2::FullMatch("", RE2(Anchored(pattern), Quiet()));
}

}  // namespace

Status CheckRegex(std::string_view pattern) {
  if (PlainPattern(pattern).plain()) return {};
  const RE2 regex(Anchored(pattern), Quiet());
  if (regex.ok()) return {};
  return InvalidArgument(fmt::format("error parsing regexp: {}: `{}`", GoWords(regex.error_code()), regex.error_arg()));
}

bool MatchesEmpty(const model::Matcher& matcher) {
  switch (matcher.op) {
    case model::MatchOp::kEqual: return matcher.value.empty();
    case model::MatchOp::kNotEqual: return !matcher.value.empty();
    case model::MatchOp::kRegex: return PatternMatchesEmpty(matcher.value);
    case model::MatchOp::kNotRegex: return !PatternMatchesEmpty(matcher.value);
  }
  return false;
}

}  // namespace tidemark::query::promql
