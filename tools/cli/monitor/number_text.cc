#include "tools/cli/monitor/number_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "storage/base/text/instant.h"

namespace tidemark::cli::monitor {
namespace {

using Decimals = std::optional<int>;

// Without zeros at the end of a fraction.
std::string Trim(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string Plain(double value, Decimals decimals) {
  const double size = std::fabs(value);
  if (decimals) {
    // What is not nothing is not shown as nothing.
    const double least = std::pow(10.0, -*decimals);
    return value != 0 && size < least / 2 ? fmt::format("<{:.{}f}", least, *decimals)
                                          : fmt::format("{:.{}f}", value, *decimals);
  }
  if (value == std::floor(value)) return size < 1e15 ? fmt::format("{:.0f}", value) : fmt::format("{:.2e}", value);
  if (size >= 100) return fmt::format("{:.0f}", value);
  if (size >= 10) return Trim(fmt::format("{:.1f}", value));
  if (size >= 1) return Trim(fmt::format("{:.2f}", value));
  if (size >= 0.1) return Trim(fmt::format("{:.3f}", value));
  if (size >= 0.001) return Trim(fmt::format("{:.4f}", value));
  return fmt::format("{:.1e}", value);
}

// What is not whole is not shown as whole: 99.99 of 100 is a goal, and 100 is none that anybody reaches.
std::string Share(double percent, Decimals decimals) {
  constexpr int kMostPlaces = 5;
  std::string text = Plain(percent, decimals);
  if (decimals || std::fabs(percent) >= 100 || (text != "100" && text != "-100")) return text;
  for (int places = 2; places <= kMostPlaces; ++places) {
    std::string finer = fmt::format("{:.{}f}", percent, places);
    if (Trim(finer) != text) return finer;
  }
  return text;
}

std::string Signed(double value, Decimals decimals) {
  const int places = decimals.value_or(std::fabs(value) >= 10 ? 0 : 1);
  return (value < 0 ? "−" : "+") + Plain(std::fabs(value), places);
}

std::string Grouped(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", std::fabs(value), decimals);
  const size_t point = std::min(text.find('.'), text.size());
  for (size_t at = point; at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return (value < 0 ? "−" : "") + text;
}

std::string Duration(double seconds, Decimals decimals) {
  const double size = std::fabs(seconds);
  if (size == 0) return "0 s";
  if (size < 1e-6) return Plain(seconds * 1e9, decimals) + " ns";
  if (size < 1e-3) return Plain(seconds * 1e6, decimals) + " µs";
  if (size < 1) return Plain(seconds * 1e3, decimals) + " ms";
  if (size < 120) return Plain(seconds, decimals) + " s";
  if (size < 7200) return Plain(seconds / 60, decimals) + " min";
  if (size < 172'800) return Plain(seconds / 3600, decimals) + " h";
  return Plain(seconds / 86'400, decimals) + " d";
}

// Units of prefixes: the number, divided by `base` until it is small, and a prefix before `suffix`.
struct Scaled {
  std::string_view name;
  double factor;
  double base;
  std::array<std::string_view, 7> prefixes;
  std::string_view suffix;
};
constexpr std::array<std::string_view, 7> kIec = {" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
constexpr std::array<std::string_view, 7> kSi = {" B", " kB", " MB", " GB", " TB", " PB", " EB"};
constexpr std::array<std::string_view, 7> kCounted = {" ", " k", " M", " G", " T", " P", " E"};
constexpr std::array<std::string_view, 7> kShort = {"", " K", " M", " B", " T", " Q", " Qi"};
constexpr double kMebi = 1024.0 * 1024.0;
constexpr Scaled kScaled[] = {
    {"short", 1, 1000, kShort, ""},        {"bytes", 1, 1024, kIec, ""},
    {"mbytes", kMebi, 1024, kIec, ""},     {"decbytes", 1, 1000, kSi, ""},
    {"binBps", 1, 1024, kIec, "/s"},       {"Bps", 1, 1000, kSi, "/s"},
    {"bps", 1, 1000, kCounted, "b/s"},     {"pps", 1, 1000, kCounted, "p/s"},
    {"ops", 1, 1000, kCounted, "ops/s"},   {"reqps", 1, 1000, kCounted, "req/s"},
    {"rps", 1, 1000, kCounted, "reads/s"}, {"wps", 1, 1000, kCounted, "writes/s"},
    {"iops", 1, 1000, kCounted, "io/s"},   {"eps", 1, 1000, kCounted, "/s"},
    {"per s", 1, 1000, kCounted, "/s"},
};

std::string ScaledText(const Scaled& unit, double value, Decimals decimals) {
  double scaled = value * unit.factor;
  size_t power = 0;
  // 999.9996 is shown as 1000, so that the next prefix takes it.
  while (power + 1 < unit.prefixes.size() && std::fabs(scaled) >= unit.base * 0.9995) {
    scaled /= unit.base;
    ++power;
  }
  return Plain(scaled, decimals) + std::string(unit.prefixes[power]) + std::string(unit.suffix);
}

// Units with a way of their own.
struct Special {
  std::string_view name;
  std::string (*text)(double value, Decimals decimals);
};
constexpr Special kSpecial[] = {
    {"none", [](double v, Decimals d) { return Plain(v, d); }},
    {"percent", [](double v, Decimals d) { return Share(v, d) + " %"; }},
    {"%", [](double v, Decimals d) { return Share(v, d) + " %"; }},
    {"percentunit", [](double v, Decimals d) { return Share(v * 100, d) + " %"; }},
    {"change", [](double v, Decimals d) { return Signed(v * 100, d) + " %"; }},
    {"changepercent", [](double v, Decimals d) { return Signed(v, d) + " %"; }},
    {"s", [](double v, Decimals d) { return Duration(v, d); }},
    {"ms", [](double v, Decimals d) { return Duration(v / 1e3, d); }},
    {"us", [](double v, Decimals d) { return Duration(v / 1e6, d); }},
    {"ns", [](double v, Decimals d) { return Duration(v / 1e9, d); }},
    {"cps", [](double v, Decimals d) { return (std::fabs(v) >= 100 ? Grouped(v, 0) : Plain(v, d)) + " cmd/s"; }},
    {"x", [](double v, Decimals d) { return Plain(v, d) + "×"; }},
    {"cores", [](double v, Decimals d) { return Plain(v, d) + " cores"; }},
    {"currencyUSD", [](double v, Decimals d) { return "$" + Grouped(v, d.value_or(std::fabs(v) < 100 ? 2 : 0)); }},
    {"USD", [](double v, Decimals d) { return "$" + Grouped(v, d.value_or(std::fabs(v) < 100 ? 2 : 0)); }},
    {"grouped", [](double v, Decimals d) { return Grouped(v, d.value_or(0)); }},
    {"dateTime",
     [](double v, Decimals) {
       std::string out;
       text::AppendRfc3339(&out, static_cast<int64_t>(std::clamp(v, -9e9, 9e9)) * 1'000'000'000);
       std::replace(out.begin(), out.end(), 'T', ' ');
       return out.substr(0, 19);
     }},
};

}  // namespace

std::string NumberText(double value, std::string_view unit, std::optional<int> decimals) {
  if (std::isnan(value)) return "–";
  if (std::isinf(value)) return value > 0 ? "+∞" : "−∞";
  if (unit.empty()) unit = "short";
  std::string text;
  const auto* const scaled = std::ranges::find(kScaled, unit, &Scaled::name);
  const auto* const special = std::ranges::find(kSpecial, unit, &Special::name);
  if (scaled != std::end(kScaled)) {
    text = ScaledText(*scaled, value, decimals);
  } else if (special != std::end(kSpecial)) {
    text = special->text(value, decimals);
  } else {
    text = Plain(value, decimals) + " " + std::string(unit);
  }
  if (text.starts_with('-')) text.replace(0, 1, "−");
  return text;
}

}  // namespace tidemark::cli::monitor
