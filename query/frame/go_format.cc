#include "query/frame/go_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace tidemark::query::frame {
namespace {

std::optional<std::string> Special(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return std::nullopt;
}

std::string Print(double value, std::chars_format format) {
  std::array<char, 400> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format);
  return {buffer.data(), result.ptr};
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
}

}  // namespace

std::string GoFormatFixed(double value) {
  if (const auto special = Special(value)) return *special;
  // Above 2^53 to_chars writes all digits of the integer; Go fills up the shortest ones with zeros.
  constexpr double kExactIntegers = 9007199254740992.0;
  if (std::fabs(value) < kExactIntegers) return Print(value, std::chars_format::fixed);
  const std::string scientific = Print(value, std::chars_format::scientific);
  const size_t e = scientific.find('e');
  std::string digits = scientific.substr(0, e);
  size_t after_point = 0;
  if (const size_t point = digits.find('.'); point != std::string::npos) {
    after_point = digits.size() - point - 1;
    digits.erase(point, 1);
  }
  return digits.append(static_cast<size_t>(std::atoi(scientific.c_str() + e + 1)) - after_point, '0');
}

std::string GoFormat(double value) {
  if (const auto special = Special(value)) return *special;
  std::string scientific = Print(value, std::chars_format::scientific);
  const size_t e = scientific.find('e');
  const int exponent = std::atoi(scientific.c_str() + e + 1);
  return exponent < -4 || exponent >= 6 ? scientific : Print(value, std::chars_format::fixed);
}

std::optional<double> ParseGoFloat(std::string_view text) {
  std::string_view body = text;
  bool negative = false;
  if (!body.empty() && (body.front() == '+' || body.front() == '-')) {
    negative = body.front() == '-';
    body.remove_prefix(1);
  }
  double value = 0;
  if (EqualIgnoringCase(body, "inf") || EqualIgnoringCase(body, "infinity")) {
    value = std::numeric_limits<double>::infinity();
  } else if (EqualIgnoringCase(body, "nan")) {
    value = std::numeric_limits<double>::quiet_NaN();
  } else {
    if (body.empty() || !(body.front() == '.' || (body.front() >= '0' && body.front() <= '9'))) return std::nullopt;
    const bool hex = body.size() > 2 && body[0] == '0' && (body[1] == 'x' || body[1] == 'X');
    if (hex) {
      body.remove_prefix(2);
      // Go wants the binary exponent that from_chars lets one leave out.
      if (body.find_first_of("pP") == std::string_view::npos) return std::nullopt;
    }
    const auto result = std::from_chars(body.data(), body.data() + body.size(), value,
                                        hex ? std::chars_format::hex : std::chars_format::general);
    if (result.ec != std::errc() || result.ptr != body.data() + body.size()) return std::nullopt;
  }
  return negative ? -value : value;
}

}  // namespace tidemark::query::frame
