#include "query/promql/numbers.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "query/promql/quote.h"

namespace tidemark::query::promql {
namespace {

constexpr int64_t kMs = 1;
constexpr int64_t kSecond = 1000 * kMs;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kWeek = 7 * kDay;
constexpr int64_t kYear = 365 * kDay;
constexpr uint64_t kNsPerMs = 1'000'000;

struct Unit {
  std::string_view name;
  int64_t ms;
  bool only_exact;  // printed only when nothing is left over, since 90d reads better than 12w6d
};

// From large to small: the order in which they must be written.
constexpr std::array kUnits{
    Unit{"y", kYear, true},    Unit{"w", kWeek, true},    Unit{"d", kDay, false}, Unit{"h", kHour, false},
    Unit{"m", kMinute, false}, Unit{"s", kSecond, false}, Unit{"ms", kMs, false},
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
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
  constexpr uint64_t kLimit = uint64_t{1} << 63;
  if (text == "0") return 0;
  if (text.empty()) return InvalidArgument("empty duration string");
  const auto invalid = [&] { return InvalidArgument("not a valid duration string: " + Quote(text)); };
  uint64_t total = 0;
  size_t next_unit = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t digits = at;
    while (at < text.size() && IsDigit(text[at])) ++at;
    uint64_t count = 0;
    if (std::from_chars(text.data() + digits, text.data() + at, count).ec != std::errc()) return invalid();
    const size_t letters = at;
    while (at < text.size() && !IsDigit(text[at])) ++at;
    const std::string_view name = text.substr(letters, at - letters);
    if (name.empty()) {
      return InvalidArgument(fmt::format("missing unit character in duration {}", Quote(text)));
    }
    size_t unit = 0;
    while (unit < kUnits.size() && kUnits[unit].name != name) ++unit;
    if (unit == kUnits.size()) {
      return InvalidArgument(fmt::format("unknown unit {} in duration {}", Quote(name), Quote(text)));
    }
    if (unit < next_unit) return invalid();
    next_unit = unit + 1;
    const uint64_t unit_ns = static_cast<uint64_t>(kUnits[unit].ms) * kNsPerMs;
    if (count > kLimit / unit_ns) return InvalidArgument("duration out of range");
    total += count * unit_ns;
    if (total >= kLimit) return InvalidArgument("duration out of range");
  }
  return static_cast<int64_t>(total);
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

std::string DurationToString(int64_t ms) {
  if (ms == 0) return "0s";
  std::string out;
  uint64_t rest = static_cast<uint64_t>(ms);
  if (ms < 0) {
    out = "-";
    rest = 0 - rest;
  }
  for (const Unit& unit : kUnits) {
    const auto size = static_cast<uint64_t>(unit.ms);
    if (rest < size || (unit.only_exact && rest % size != 0)) continue;
    fmt::format_to(std::back_inserter(out), "{}{}", rest / size, unit.name);
    rest %= size;
  }
  return out;
}

}  // namespace tidemark::query::promql
