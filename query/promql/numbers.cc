#include "query/promql/numbers.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "query/promql/quote.h"
#include "storage/base/text/ascii.h"
#include "storage/base/text/duration.h"

namespace tidemark::query::promql {
namespace {

using text::IsDigit;
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Whether every underscore stands between digits, where the prefix 0x counts as a digit.
bool UnderscoresOk(std::string_view text) {
  char before = '^';
  const bool hex = text.size() >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  if (hex) {
    text.remove_prefix(2);
    before = '0';
  }
  for (const char c : text) {
    if (hex ? IsHexDigit(c) : IsDigit(c)) {
      before = '0';
    } else if (c == '_') {
      if (before != '0') return false;
      before = '_';
    } else {
      if (before == '_') return false;
      before = '!';
    }
  }
  return before != '_';
}

std::string WithoutUnderscores(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c != '_') out += c;
  }
  return out;
}

std::optional<int64_t> ReadInteger(std::string_view digits, int base) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

Error NumberError(std::string_view text, std::string_view reason) {
  return InvalidArgument(fmt::format("error parsing number: strconv.ParseFloat: parsing {}: {}", Quote(text), reason));
}

}  // namespace

Result<double> ParseNumber(std::string_view text) {
  if (!UnderscoresOk(text)) return NumberError(text, "invalid syntax");
  const std::string plain = WithoutUnderscores(text);
  const bool hex = plain.size() > 2 && plain[0] == '0' && (plain[1] == 'x' || plain[1] == 'X');
  if (hex) {
    if (const auto value = ReadInteger(std::string_view(plain).substr(2), 16)) return static_cast<double>(*value);
    // Without a binary exponent, which the lexer does not let through, this is no floating-point number either.
    return NumberError(text, "invalid syntax");
  }
  if (plain.size() > 1 && plain[0] == '0') {
    if (const auto value = ReadInteger(std::string_view(plain).substr(1), 8)) return static_cast<double>(*value);
  } else if (const auto value = ReadInteger(plain, 10)) {
    return static_cast<double>(*value);
  }
  double value = 0;
  const char* const last = plain.data() + plain.size();
  const auto [end, error] = std::from_chars(plain.data(), last, value);
  if (end != last || error == std::errc::invalid_argument) return NumberError(text, "invalid syntax");
  if (error == std::errc::result_out_of_range) {
    // Too small is zero in Go; only too large is an error. The two differ in the exponent's sign, or, without an
    // exponent, in what stands before the point.
    const size_t exponent = plain.find_first_of("eE");
    const bool tiny = exponent == std::string::npos ? plain[0] == '.' || plain[0] == '0' : plain[exponent + 1] == '-';
    if (!tiny) return NumberError(text, "value out of range");
    return 0.0;
  }
  return value;
}

Result<int64_t> ParseDurationNs(std::string_view text) {
  const auto ns = text::ParseDuration(text, text::kPrometheusDuration);
  if (ns) return *ns;
  switch (ns.error().fault) {
    case text::DurationFault::kEmpty: return InvalidArgument("empty duration string");
    case text::DurationFault::kSyntax: break;
    case text::DurationFault::kNoUnit:
      return InvalidArgument(fmt::format("missing unit character in duration {}", Quote(text)));
    case text::DurationFault::kUnknownUnit:
      return InvalidArgument(fmt::format("unknown unit {} in duration {}", Quote(ns.error().unit), Quote(text)));
    case text::DurationFault::kRange: return InvalidArgument("duration out of range");
  }
  return InvalidArgument("not a valid duration string: " + Quote(text));
}

std::string NumberToString(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  // The shortest digits come with an exponent, which is then written out. (The fixed format of to_chars prints all
  // digits of large numbers.)
  std::array<char, 40> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  std::string_view text(buffer.data(), static_cast<size_t>(result.ptr - buffer.data()));
  std::string out;
  if (text.front() == '-') {
    out = "-";
    text.remove_prefix(1);
  }
  const size_t e = text.find('e');
  int exponent = 0;
  const size_t sign = text[e + 1] == '+' ? 1 : 0;
  std::from_chars(text.data() + e + 1 + sign, text.data() + text.size(), exponent);
  std::string digits(text.substr(0, 1));
  if (e > 2) digits += text.substr(2, e - 2);
  const int point = exponent + 1;  // digits before the decimal point
  if (point <= 0) {
    return out + "0." + std::string(static_cast<size_t>(-point), '0') + digits;
  }
  const auto before = static_cast<size_t>(point);
  if (digits.size() <= before) return out + digits + std::string(before - digits.size(), '0');
  return out + digits.substr(0, before) + "." + digits.substr(before);
}

std::string DurationToString(int64_t ms) { return text::PrintDuration(ms, text::DurationStyle::kPrometheus); }

}  // namespace tidemark::query::promql
