#include "query/rules/humanize.h"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <string_view>

namespace tidemark::query::rules {
namespace {

// As C's %.4g, the precision of Prometheus' humanizers.
std::string FourDigits(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{:.4g}", value);
}

std::string Scale(double value, double base, const std::array<std::string_view, 9>& larger, bool fractions) {
  if (value == 0 || !std::isfinite(value)) return FourDigits(value);
  if (std::fabs(value) >= 1) {
    std::string_view prefix;
    for (const std::string_view next : larger) {
      if (next.empty() || std::fabs(value) < base) break;
      prefix = next;
      value /= base;
    }
    return FourDigits(value) + std::string(prefix);
  }
  if (!fractions) return FourDigits(value);
  static constexpr std::array<std::string_view, 8> kSmaller = {"m", "u", "n", "p", "f", "a", "z", "y"};
  std::string_view prefix;
  for (const std::string_view next : kSmaller) {
    if (std::fabs(value) >= 1) break;
    prefix = next;
    value *= base;
  }
  return FourDigits(value) + std::string(prefix);
}

}  // namespace

std::string Humanize(double value) { return Scale(value, 1000, {"k", "M", "G", "T", "P", "E", "Z", "Y"}, true); }

std::string Humanize1024(double value) {
  return Scale(value, 1024, {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"}, false);
}

std::string HumanizePercentage(double ratio) { return FourDigits(ratio * 100) + "%"; }

std::string HumanizeDuration(double seconds) {
  if (!std::isfinite(seconds)) return FourDigits(seconds);
  if (std::fabs(seconds) < 1) {
    return seconds == 0 ? "0s" : Scale(seconds, 1000, {}, true) + "s";
  }
  const std::string sign = seconds < 0 ? "-" : "";
  seconds = std::fabs(seconds);
  if (seconds >= 9.2e18) return sign + FourDigits(seconds) + "s";
  const auto whole = static_cast<int64_t>(seconds);
  const int64_t days = whole / 86'400;
  const int64_t hours = whole / 3600 % 24;
  const int64_t minutes = whole / 60 % 60;
  if (days > 0) return fmt::format("{}{}d {}h {}m {}s", sign, days, hours, minutes, whole % 60);
  if (hours > 0) return fmt::format("{}{}h {}m {}s", sign, hours, minutes, whole % 60);
  if (minutes > 0) return fmt::format("{}{}m {}s", sign, minutes, whole % 60);
  return sign + FourDigits(seconds) + "s";
}

}  // namespace tidemark::query::rules
