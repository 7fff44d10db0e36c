#include "query/promql/matchers.h"

#include <re2/re2.h>

#include <string>

#include <fmt/format.h>

namespace tidemark::query::promql {
namespace {

RE2::Options Quiet() {
  RE2::Options options;
  options.set_log_errors(false);
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

}  // namespace

Status CheckRegex(std::string_view pattern) {
  const RE2 regex(Anchored(pattern), Quiet());
  if (regex.ok()) return {};
  return InvalidArgument(fmt::format("error parsing regexp: {}: `{}`", GoWords(regex.error_code()), regex.error_arg()));
}

bool MatchesEmpty(const model::Matcher& matcher) {
  switch (matcher.op) {
    case model::MatchOp::kEqual: return matcher.value.empty();
    case model::MatchOp::kNotEqual: return !matcher.value.empty();
    case model::MatchOp::kRegex: return RE2::FullMatch("", RE2(Anchored(matcher.value), Quiet()));
    case model::MatchOp::kNotRegex: return !RE2::FullMatch("", RE2(Anchored(matcher.value), Quiet()));
  }
  return false;
}

}  // namespace tidemark::query::promql
