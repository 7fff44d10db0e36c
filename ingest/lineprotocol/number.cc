#include "ingest/lineprotocol/number.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>
#include <system_error>

#include "storage/base/text/ascii.h"

namespace tidemark::lineprotocol {
namespace {

using model::FieldType;

constexpr uint64_t kMantissaLimit = uint64_t{1} << 53;

using text::IsDigit;

Number Failed(NumberError error) {
  Number number;
  number.error = error;
  return number;
}

Number Binary(double value) {
  Number number;
  number.value = std::bit_cast<int64_t>(value);
  number.scale = model::kBinaryScale;
  return number;
}

// Digits only, without a sign. `limit` is the largest value allowed.
Number ParseWhole(std::string_view digits, bool negative, FieldType type, uint64_t limit, NumberError out_of_range) {
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), IsDigit)) {
    return Failed(NumberError::kInvalidNumber);
  }
  uint64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec != std::errc() || value > limit) return Failed(out_of_range);
  Number number;
  number.type = type;
  number.value = std::bit_cast<int64_t>(negative ? 0 - value : value);
  return number;
}

// The exponent behind the 'e', clamped to what can make a difference; the digits are known to be digits.
int64_t ParseExponent(std::string_view text) {
  const bool negative = text.front() == '-';
  if (text.front() == '-' || text.front() == '+') text.remove_prefix(1);
  int64_t exponent = 0;
  for (const char c : text) exponent = std::min<int64_t>(exponent * 10 + (c - '0'), int64_t{1} << 40);
  return negative ? -exponent : exponent;
}

// The nearest double of a syntactically valid float; `magnitude` is the power of ten just above its first digit that
// is not zero.
Number ParseBinary(std::string_view token, bool negative, int64_t magnitude) {
  double value = 0;
  const auto result = std::from_chars(token.data(), token.data() + token.size(), value);
  if (result.ec == std::errc::result_out_of_range) {
    if (magnitude > 0) return Failed(NumberError::kInvalidFloat);
    value = negative ? -0.0 : 0.0;
  }
  return Binary(value);
}

Number ParseFloat(std::string_view token) {
  const bool negative = token.front() == '-';
  size_t at = negative ? 1 : 0;
  uint64_t mantissa = 0;
  int64_t significant = 0;  // digits from the first that is not zero
  int64_t scale = 0;        // digits behind the point
  bool any_digit = false;
  bool point = false;
  for (; at < token.size(); ++at) {
    const char c = token[at];
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (!IsDigit(c)) break;
    any_digit = true;
    if (point) ++scale;
    if (significant > 0 || c != '0') {
      ++significant;
      if (significant <= 18) mantissa = mantissa * 10 + static_cast<uint64_t>(c - '0');
    }
  }
  int64_t exponent = 0;
  if (at < token.size()) {
    if (token[at] != 'e' && token[at] != 'E') return Failed(NumberError::kInvalidNumber);
    std::string_view tail = token.substr(at + 1);
    std::string_view digits = tail;
    if (!digits.empty() && (digits.front() == '-' || digits.front() == '+')) digits.remove_prefix(1);
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), IsDigit)) {
      return Failed(any_digit && digits.empty() ? NumberError::kInvalidFloat : NumberError::kInvalidNumber);
    }
    exponent = ParseExponent(tail);
  }
  if (!any_digit) return Failed(NumberError::kInvalidNumber);

  const int64_t magnitude = significant - scale + exponent;
  if (mantissa == 0 && negative) return Binary(-0.0);
  // A positive exponent beyond the digits behind the point adds zeros.
  if (significant <= 18) {
    int64_t decimal_scale = scale - exponent;
    if (mantissa == 0) decimal_scale = std::max<int64_t>(decimal_scale, 0);
    while (decimal_scale < 0 && mantissa < kMantissaLimit) {
      mantissa *= 10;
      ++decimal_scale;
    }
    if (mantissa < kMantissaLimit && decimal_scale >= 0 && decimal_scale <= model::kMaxScale) {
      Number number;
      number.value = negative ? -static_cast<int64_t>(mantissa) : static_cast<int64_t>(mantissa);
      number.scale = static_cast<uint8_t>(decimal_scale);
      return number;
    }
    if (mantissa == 0) return Binary(0.0);
  }
  return ParseBinary(token, negative, magnitude);
}

}  // namespace

Number ParseNumber(std::string_view token) {
  if (token.empty()) return Failed(NumberError::kInvalidNumber);
  const bool negative = token.front() == '-';
  const std::string_view digits = token.substr(negative ? 1 : 0);
  constexpr auto kMaxInt = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  switch (token.back()) {
    case 'i':
      return ParseWhole(digits.substr(0, digits.size() - 1), negative, FieldType::kInt, kMaxInt + (negative ? 1 : 0),
                        NumberError::kIntRange);
    case 'u':
      if (negative) return Failed(NumberError::kInvalidNumber);
      return ParseWhole(digits.substr(0, digits.size() - 1), false, FieldType::kUInt,
                        std::numeric_limits<uint64_t>::max(), NumberError::kUIntRange);
    default: return ParseFloat(token);
  }
}

}  // namespace tidemark::lineprotocol
