#include "tools/cli/monitor/number_text.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/check.h"
#include "storage/base/clock.h"
#include "storage/base/text/instant.h"
#include "tools/cli/monitor/embedded.h"

namespace tidemark::cli::monitor {
namespace {

using Decimals = std::optional<int>;

constexpr std::string_view kMinus = "−";

// With so many decimals; what lies half way goes away from zero, as on the page, and not to the even digit.
std::string Fixed(double value, int decimals) {
  const double power = std::pow(10.0, decimals);
  const double scaled = std::fabs(value) * power;
  // Beyond 2^52 there are no halves.
  if (scaled < 4.5e15 && scaled - std::floor(scaled) == 0.5) {
    value = std::copysign((std::floor(scaled) + 1) / power, value);
  }
  std::string text = fmt::format("{:.{}f}", value, decimals);
  // A zero has no sign.
  if (text.starts_with('-') && text.find_first_of("123456789") == std::string::npos) text.erase(0, 1);
  return text;
}

// "1.5e-7": no zeros in front of the exponent.
std::string Exponential(double value, int decimals) {
  const double size = std::fabs(value);
  const double power = size > 0 ? std::pow(10.0, decimals - std::floor(std::log10(size))) : 1;
  if (size * power - std::floor(size * power) == 0.5) {
    value = std::copysign((std::floor(size * power) + 1) / power, value);
  }
  std::string text = fmt::format("{:.{}e}", value, decimals);
  const size_t digits = text.find('e') + 2;
  while (digits + 1 < text.size() && text[digits] == '0') text.erase(digits, 1);
  return text;
}

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
    return value != 0 && size < least / 2 ? "<" + Fixed(least, *decimals) : Fixed(value, *decimals);
  }
  if (value == std::floor(value)) return size < 1e15 ? Fixed(value, 0) : Exponential(value, 2);
  if (size >= 100) return Fixed(value, 0);
  if (size >= 10) return Trim(Fixed(value, 1));
  if (size >= 1) return Trim(Fixed(value, 2));
  if (size >= 0.001) {
    const int digits = size < 0.1 ? 2 : 3;
    return Trim(Fixed(value, digits - 1 - static_cast<int>(std::floor(std::log10(size)))));
  }
  return Exponential(value, 1);
}

// What is not whole is not shown as whole: 99.99 of 100 is a goal, and 100 is none that anybody reaches.
std::string Share(double percent, Decimals decimals) {
  constexpr int kMostPlaces = 5;
  std::string text = Plain(percent, decimals);
  if (decimals || std::fabs(percent) >= 100 || (text != "100" && text != "-100")) return text;
  for (int places = 2; places <= kMostPlaces; ++places) {
    std::string finer = Fixed(percent, places);
    if (Trim(finer) != text) return finer;
  }
  return text;
}

std::string Signed(double value, Decimals decimals) {
  const int places = decimals.value_or(std::fabs(value) >= 10 ? 0 : 1);
  const std::string text = Plain(std::fabs(value), places);
  // What is next to nothing has no direction.
  if (text.starts_with('<')) return text;
  std::string out(1, value < 0 ? '-' : '+');
  return out += text;
}

std::string Grouped(double value, int decimals) {
  std::string text = Fixed(std::fabs(value), decimals);
  const size_t point = std::min(text.find('.'), text.size());
  for (size_t at = point; at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return (value < 0 ? "-" : "") + text;
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

std::string DateText(double seconds) {
  // Of the years whose nanoseconds are counted in 64 bits.
  constexpr double kMost = 9'214'646'400;
  if (std::fabs(seconds) >= kMost) return "–";
  std::string out;
  text::AppendRfc3339(&out, static_cast<int64_t>(std::floor(seconds)) * 1'000'000'000);
  std::replace(out.begin(), out.end(), 'T', ' ');
  return out.substr(0, 19);
}

std::string AgeText(double seconds) {
  const double ago = static_cast<double>(SystemClock::Get().NowNs()) * 1e-9 - seconds;
  return ago >= 0 ? Duration(ago, 0) + " ago" : "in " + Duration(-ago, 0);
}

std::string HexText(double value) {
  constexpr double kMost = 9.2e18;
  const double whole = std::clamp(std::floor(value + 0.5), -kMost, kMost);
  return fmt::format("{}{:X}", whole < 0 ? "-" : "", static_cast<uint64_t>(std::fabs(whole)));
}

// Ways of numbers that are not plain, by their names in the table.
struct Way {
  std::string_view name;
  std::string (*text)(double value, Decimals decimals);
};
constexpr Way kWays[] = {
    {"share", Share},
    {"signed", Signed},
    {"duration", Duration},
    {"rate", [](double v, Decimals d) { return std::fabs(v) >= 100 ? Grouped(v, 0) : Plain(v, d); }},
    {"money", [](double v, Decimals d) { return Grouped(v, d.value_or(std::fabs(v) < 100 ? 2 : 0)); }},
    {"grouped", [](double v, Decimals d) { return Grouped(v, d.value_or(0)); }},
    {"hex", [](double v, Decimals) { return HexText(v); }},
    {"sci", [](double v, Decimals d) { return Exponential(v, d.value_or(2)); }},
    {"date", [](double v, Decimals) { return DateText(v); }},
    {"ago", [](double v, Decimals) { return AgeText(v); }},
};

struct Unit {
  double factor = 1;
  double per = 1;
  double base = 0;  // of the scale; 0: none
  std::vector<std::string> prefixes;
  std::string front;
  std::string behind;
  std::vector<std::string> words;  // of zero, and of all else
  std::string (*way)(double value, Decimals decimals) = nullptr;
};

namespace dom = simdjson::dom;

std::string TextOf(dom::element object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::vector<std::string> TextsOf(dom::element object, std::string_view key) {
  std::vector<std::string> out;
  dom::array list;
  if (object[key].get(list) != simdjson::SUCCESS) return out;
  for (const dom::element one : list) out.emplace_back(std::string_view(one));
  return out;
}

double NumberOf(dom::element object, std::string_view key, double otherwise) {
  double number = 0;
  return object[key].get(number) == simdjson::SUCCESS ? number : otherwise;
}

Unit UnitOf(dom::element row, dom::element scales) {
  Unit unit{.factor = NumberOf(row, "factor", 1),
            .per = NumberOf(row, "per", 1),
            .prefixes = {},
            .front = TextOf(row, "front"),
            .behind = TextOf(row, "behind"),
            .words = TextsOf(row, "words")};
  if (const std::string scale = TextOf(row, "scale"); !scale.empty()) {
    unit.base = NumberOf(scales[scale], "base", 1000);
    unit.prefixes = TextsOf(scales[scale], "names");
  }
  if (const std::string name = TextOf(row, "way"); !name.empty()) {
    const auto* const way = std::ranges::find(kWays, name, &Way::name);
    TM_CHECK(way != std::end(kWays));
    unit.way = way->text;
  }
  return unit;
}

// The table is part of the program: what is wrong in it is wrong in every run, and the unit test says so.
const std::map<std::string, Unit, std::less<>>& Units() {
  static const auto* const units = [] {
    auto* const all = new std::map<std::string, Unit, std::less<>>;
    dom::parser parser;
    const simdjson::padded_string json(UnitsJson());
    dom::element root;
    TM_CHECK(parser.parse(json).get(root) == simdjson::SUCCESS);
    for (const auto& [name, row] : dom::object(root["units"])) all->emplace(name, UnitOf(row, root["scales"]));
    return all;
  }();
  return *units;
}

std::string TextIn(const Unit& unit, double value, Decimals decimals) {
  if (unit.words.size() == 2) return unit.words[value == 0 ? 0 : 1];
  double scaled = value * unit.factor / unit.per;
  size_t power = 0;
  // 999.9996 is shown as 1000, so that the next prefix takes it.
  while (power + 1 < unit.prefixes.size() && std::fabs(scaled) >= unit.base * 0.9995) {
    scaled /= unit.base;
    ++power;
  }
  const std::string text = unit.way != nullptr ? unit.way(scaled, decimals) : Plain(scaled, decimals);
  // A sign stands in front of everything: −$5.
  const bool minus = text.starts_with('-');
  return std::string(minus ? kMinus : "") + unit.front + (minus ? text.substr(1) : text) +
         (unit.prefixes.empty() ? "" : unit.prefixes[power]) + unit.behind;
}

}  // namespace

std::string NumberText(double value, std::string_view unit, std::optional<int> decimals) {
  if (std::isnan(value)) return "–";
  if (std::isinf(value)) return value > 0 ? "+∞" : "−∞";
  if (unit.empty()) unit = "short";
  if (const auto row = Units().find(unit); row != Units().end()) return TextIn(row->second, value, decimals);
  std::string text = Plain(value, decimals) + " " + std::string(unit);
  if (text.starts_with('-')) text.replace(0, 1, kMinus);
  return text;
}

}  // namespace tidemark::cli::monitor
