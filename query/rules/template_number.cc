#include <cctype>
#include <charconv>
#include <cmath>
#include <string>

#include "query/frame/go_format.h"
#include "query/rules/template_syntax.h"

namespace tidemark::query::rules {

bool ReadTemplateNumber(std::string_view text, TemplateOperand* out) {
  const bool negative = text.starts_with('-');
  std::string_view digits = text.substr(negative || text.starts_with('+') ? 1 : 0);
  int base = 10;
  const char kind = digits.size() > 1 && digits[0] == '0' ? static_cast<char>(digits[1] | 0x20) : '\0';
  if (kind == 'x' || kind == 'o' || kind == 'b') {
    base = kind == 'x' ? 16 : kind == 'o' ? 8 : 2;
    digits.remove_prefix(2);
    // An underscore may stand behind the prefix, and between digits.
    if (digits.starts_with('_')) digits.remove_prefix(1);
  } else if (digits.size() > 1 && digits[0] == '0' && digits.find_first_of(".eE") == std::string_view::npos) {
    base = 8;  // also of "09", which is none
  }
  std::string plain;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] != '_') {
      plain.push_back(digits[i]);
      continue;
    }
    if (i == 0 || i + 1 == digits.size() || !std::isxdigit(static_cast<unsigned char>(digits[i - 1])) ||
        !std::isxdigit(static_cast<unsigned char>(digits[i + 1]))) {
      return false;
    }
  }
  uint64_t whole = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), whole, base);
  if (error == std::errc() && end == plain.data() + plain.size()) {
    out->overflows = whole > static_cast<uint64_t>(INT64_MAX) + (negative ? 1 : 0);
    if (out->overflows) return !negative;
    out->is_integer = true;
    out->integer = negative ? static_cast<int64_t>(~whole + 1) : static_cast<int64_t>(whole);
    out->number = static_cast<double>(out->integer);
    return true;
  }
  if (base != 10 && base != 16) return false;
  if (plain.find_first_of(base == 16 ? ".pP" : ".eE") == std::string::npos) return false;
  const auto number = frame::ParseGoFloat((base == 16 ? "0x" : "") + plain);
  if (!number || !std::isfinite(*number)) return false;
  out->number = negative ? -*number : *number;
  return true;
}

}  // namespace tidemark::query::rules
