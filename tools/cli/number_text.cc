#include "tools/cli/number_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

namespace tidemark::cli {
namespace {

constexpr int kDigits = 6;

}  // namespace

std::string ShortNumber(std::string_view value) {
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || !std::isfinite(number)) return std::string(value);
  const double size = std::fabs(number);
  if (number == 0) return "0";
  if (size >= 1e15 || size < 1e-4) return fmt::format("{:.{}g}", number, kDigits);
  if (std::floor(size) == size) return fmt::format("{:.0f}", number);
  const int whole = static_cast<int>(std::floor(std::log10(size))) + 1;  // digits before the point, 0 and less below 1
  std::string text = fmt::format("{:.{}f}", number, std::max(0, kDigits - whole));
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text;
}

}  // namespace tidemark::cli
