#include "storage/base/text/duration.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <span>

#include "storage/base/text/ascii.h"

namespace tidemark::text {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;

std::span<const DurationUnit> UnitsOf(const DurationDialect& dialect) {
  const auto* const first = std::ranges::find(kDurationUnits, dialect.longest, &DurationUnit::name);
  const auto* const last = std::ranges::find(kDurationUnits, dialect.shortest, &DurationUnit::name);
  return {first, last + 1};
}

// The milliseconds of a unit of the table that has whole ones.
constexpr uint64_t MsOf(std::string_view name) {
  return static_cast<uint64_t>(std::ranges::find(kDurationUnits, name, &DurationUnit::name)->ns / kNsPerMs);
}

// As Prometheus' model.Duration prints: years and weeks only when nothing is left over, since 90d reads better than
// 12w6d.
std::string PrintPrometheus(int64_t ms) {
  if (ms == 0) return "0s";
  std::string out;
  uint64_t rest = static_cast<uint64_t>(ms);
  if (ms < 0) {
    out = "-";
    rest = 0 - rest;
  }
  for (const DurationUnit& unit : UnitsOf(kPrometheusDuration)) {
    const uint64_t size = MsOf(unit.name);
    const bool only_exact = size > MsOf("d");
    if (rest < size || (only_exact && rest % size != 0)) continue;
    fmt::format_to(std::back_inserter(out), "{}{}", rest / size, unit.name);
    rest %= size;
  }
  return out;
}

std::string PrintOneUnit(int64_t ms) {
  if (ms == 0) return "0";
  for (const std::string_view name : {"d", "h", "m", "s"}) {
    const auto size = static_cast<int64_t>(MsOf(name));
    if (ms % size == 0) return fmt::format("{}{}", ms / size, name);
  }
  return fmt::format("{}ms", ms);
}

std::string PrintGo(int64_t ms) {
  const int64_t seconds = ms / 1000;
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{}m{}s", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace

std::expected<int64_t, DurationError> ParseDuration(std::string_view text, const DurationDialect& dialect) {
  constexpr uint64_t kLimit = uint64_t{1} << 63;
  const auto fault = [](DurationFault which, std::string_view unit = {}) {
    return std::unexpected(DurationError{which, unit});
  };
  if (text.empty()) return fault(DurationFault::kEmpty);
  if (dialect.zero && text == "0") return 0;
  const std::span<const DurationUnit> units = UnitsOf(dialect);
  uint64_t total = 0;
  size_t next_unit = 0;
  for (std::string_view rest = text; !rest.empty();) {
    uint64_t count = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    if (error != std::errc()) return fault(DurationFault::kSyntax);
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    const auto letters = static_cast<size_t>(std::ranges::find_if(rest, IsDigit) - rest.begin());
    const std::string_view name = rest.substr(0, letters);
    rest.remove_prefix(letters);
    if (name.empty()) return fault(DurationFault::kNoUnit);
    const auto unit = std::ranges::find(units, name, &DurationUnit::name);
    if (unit == units.end()) return fault(DurationFault::kUnknownUnit, name);
    const auto index = static_cast<size_t>(unit - units.begin());
    if (dialect.ordered && index < next_unit) return fault(DurationFault::kSyntax);
    next_unit = index + 1;
    // At most 2^63 each, so that the sum cannot wrap before it is looked at.
    const auto unit_ns = static_cast<uint64_t>(unit->ns);
    if (count > kLimit / unit_ns) return fault(DurationFault::kRange);
    total += count * unit_ns;
    if (total >= kLimit) return fault(DurationFault::kRange);
  }
  return static_cast<int64_t>(total);
}

std::expected<int64_t, DurationError> ParseDurationMs(std::string_view text) {
  const auto ns = ParseDuration(text, kPrometheusDuration);
  if (!ns) return ns;
  return *ns / kNsPerMs;
}

std::optional<double> ParseFractionalDuration(std::string_view text, const DurationDialect& dialect, int64_t unit_ns) {
  if (text.empty()) return std::nullopt;
  const std::span<const DurationUnit> units = UnitsOf(dialect);
  const auto format = dialect.exponents ? std::chars_format::general : std::chars_format::fixed;
  double total = 0;
  for (std::string_view rest = text; !rest.empty();) {
    double number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number, format);
    if (error != std::errc() || !(number >= 0)) return std::nullopt;
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    // The longest name that fits: what follows a unit may be a point as well as a digit.
    const DurationUnit* unit = nullptr;
    for (const DurationUnit& candidate : units) {
      if (rest.starts_with(candidate.name) && (unit == nullptr || candidate.name.size() > unit->name.size())) {
        unit = &candidate;
      }
    }
    int64_t size = kNsPerMs * 1000;
    if (unit != nullptr) {
      size = unit->ns;
      rest.remove_prefix(unit->name.size());
    } else if (!dialect.bare_seconds || !rest.empty() || total != 0) {
      return std::nullopt;
    }
    if (dialect.single && !rest.empty()) return std::nullopt;
    total += number * static_cast<double>(size / unit_ns);
  }
  return total;
}

std::string PrintDuration(int64_t ms, DurationStyle style) {
  switch (style) {
    case DurationStyle::kPrometheus: return PrintPrometheus(ms);
    case DurationStyle::kOneUnit: return PrintOneUnit(ms);
    case DurationStyle::kGo: return PrintGo(ms);
  }
  return {};
}

}  // namespace tidemark::text
