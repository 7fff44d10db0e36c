#include "query/rules/template.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace tidemark::query::rules {
namespace {

constexpr std::array<std::string_view, 9> kFunctions = {
    "humanize", "humanize1024", "humanizePercentage", "humanizeDuration", "humanizeTimestamp", "toUpper", "toLower",
    "title",    "printf"};

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

bool IsName(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

// As C's %.4g, the precision of Prometheus' humanizers.
std::string FourDigits(double value) { return fmt::format("{:.4g}", value); }

std::string ShortestDecimal(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

std::string Humanize(double value, double base, const std::array<std::string_view, 9>& larger, bool fractions) {
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

std::string HumanizeDuration(double seconds) {
  if (!std::isfinite(seconds)) return FourDigits(seconds);
  if (std::fabs(seconds) < 1) {
    return seconds == 0 ? "0s" : Humanize(seconds, 1000, {}, true) + "s";
  }
  const std::string sign = seconds < 0 ? "-" : "";
  seconds = std::fabs(seconds);
  if (seconds >= 1e15) return sign + FourDigits(seconds) + "s";
  const auto whole = static_cast<int64_t>(seconds);
  const int64_t days = whole / 86'400;
  const int64_t hours = whole / 3600 % 24;
  const int64_t minutes = whole / 60 % 60;
  if (days > 0) return fmt::format("{}{}d {}h {}m {}s", sign, days, hours, minutes, whole % 60);
  if (hours > 0) return fmt::format("{}{}h {}m {}s", sign, hours, minutes, whole % 60);
  if (minutes > 0) return fmt::format("{}{}m {}s", sign, minutes, whole % 60);
  return sign + FourDigits(seconds) + "s";
}

std::string HumanizeTimestamp(double seconds) {
  namespace chrono = std::chrono;
  if (!std::isfinite(seconds) || std::fabs(seconds) > 9e9) return FourDigits(seconds);
  const chrono::sys_time<chrono::milliseconds> time{chrono::milliseconds(std::llround(seconds * 1000))};
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} +0000 UTC", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

// Whether `format` is one number verb of printf with nothing that could read past it: %[flags][width][.digits]verb
// with text around it.
bool IsNumberFormat(std::string_view format) {
  size_t verbs = 0;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') continue;
    if (i + 1 < format.size() && format[i + 1] == '%') {
      ++i;
      continue;
    }
    size_t digits = 0;
    for (++i; i < format.size() && std::string_view("+-# 0123456789.").find(format[i]) != std::string_view::npos; ++i) {
      ++digits;
    }
    if (digits > 8 || i >= format.size() || std::string_view("eEfFgGv").find(format[i]) == std::string_view::npos) {
      return false;
    }
    ++verbs;
  }
  return verbs == 1;
}

std::string PrintNumber(std::string format, double value) {
  // %v is Go's; %g comes nearest.
  for (size_t i = 0; i + 1 < format.size(); ++i) {
    if (format[i] == '%' && format[i + 1] == '%') {
      ++i;
    } else if (format[i] == 'v' && format.rfind('%', i) != std::string::npos &&
               format.find_first_not_of("+-# 0123456789.", format.rfind('%', i) + 1) == i) {
      format[i] = 'g';
    }
  }
  if (!format.empty() && format.back() == 'v' && format.rfind('%') != std::string::npos &&
      format.find_first_not_of("+-# 0123456789.", format.rfind('%') + 1) == format.size() - 1) {
    format.back() = 'g';
  }
  char buffer[512];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  const int length = std::snprintf(buffer, sizeof(buffer), format.c_str(), value);
#pragma GCC diagnostic pop
  return {buffer, static_cast<size_t>(std::clamp<int>(length, 0, sizeof(buffer) - 1))};
}

}  // namespace

Result<Template::Piece> Template::ParseAction(std::string_view action) {
  const auto unknown = [action](std::string_view what) {
    return InvalidArgument(fmt::format("template: unknown \"{}\" in {{{{{}}}}}", what, action));
  };
  Piece piece;
  std::string_view rest = action;
  // Go's trim markers.
  if (rest.starts_with("- ")) rest.remove_prefix(2);
  if (rest.ends_with(" -")) rest.remove_suffix(2);
  bool first = true;
  while (!rest.empty() || first) {
    // A '|' inside quotes belongs to printf's format.
    size_t end = 0;
    for (bool quoted = false; end < rest.size() && (quoted || rest[end] != '|'); ++end) {
      if (rest[end] == '"') quoted = !quoted;
    }
    std::string_view part = Trim(rest.substr(0, end));
    rest = end < rest.size() ? rest.substr(end + 1) : std::string_view();
    if (first) {
      first = false;
      // `humanize $value` is `$value | humanize`.
      if (const size_t space = part.rfind(' '); space != std::string_view::npos && part.front() != '$') {
        TM_TRY_ASSIGN(Piece inner,
                      ParseAction(std::string(part.substr(space + 1)) + " | " + std::string(part.substr(0, space))));
        piece = std::move(inner);
        continue;
      }
      if (part == "$value" || part == ".Value") {
        piece.kind = Piece::Kind::kValue;
        continue;
      }
      piece.kind = Piece::Kind::kLabel;
      for (const std::string_view prefix : {"$labels.", ".Labels."}) {
        if (part.starts_with(prefix)) piece.text = part.substr(prefix.size());
      }
      if (!IsName(piece.text)) return unknown(part);
      continue;
    }
    Step step;
    const size_t space = std::min(part.find(' '), part.size());
    step.function = part.substr(0, space);
    const std::string_view argument = Trim(part.substr(space));
    if (std::find(kFunctions.begin(), kFunctions.end(), step.function) == kFunctions.end()) return unknown(part);
    if (step.function == "printf") {
      if (argument.size() < 2 || argument.front() != '"' || argument.back() != '"') return unknown(part);
      step.argument = argument.substr(1, argument.size() - 2);
      const bool text = step.argument == "%s";
      if (!text && !IsNumberFormat(step.argument)) return unknown(part);
    } else if (!argument.empty()) {
      return unknown(part);
    }
    piece.steps.push_back(std::move(step));
  }
  return piece;
}

Result<Template> Template::Parse(std::string_view text) {
  Template result;
  while (!text.empty()) {
    const size_t open = text.find("{{");
    if (open != 0) result.pieces_.push_back({std::string(text.substr(0, open)), Piece::Kind::kText, {}});
    if (open == std::string_view::npos) break;
    text.remove_prefix(open + 2);
    const size_t close = text.find("}}");
    if (close == std::string_view::npos) return InvalidArgument("template: {{ is not closed by }}");
    TM_TRY_ASSIGN(Piece piece, ParseAction(text.substr(0, close)));
    result.pieces_.push_back(std::move(piece));
    text.remove_prefix(close + 2);
  }
  return result;
}

std::string Template::Apply(const Step& step, const std::string& input, double value, bool numeric) {
  const std::string& f = step.function;
  if (f == "toUpper" || f == "toLower" || f == "title") {
    std::string out = input;
    bool start = true;
    for (char& c : out) {
      const bool upper = f == "toUpper" || (f == "title" && start);
      if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
      if (f == "toLower" && c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
      start = c == ' ';
    }
    return out;
  }
  if (f == "printf" && step.argument == "%s") return input;
  double number = value;
  if (!numeric) {
    const auto [end, error] = std::from_chars(input.data(), input.data() + input.size(), number);
    if (error != std::errc() || end != input.data() + input.size()) return input;
  }
  if (f == "printf") return PrintNumber(step.argument, number);
  if (f == "humanize") return Humanize(number, 1000, {"k", "M", "G", "T", "P", "E", "Z", "Y"}, true);
  if (f == "humanize1024") return Humanize(number, 1024, {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"}, false);
  if (f == "humanizePercentage") return FourDigits(number * 100) + "%";
  if (f == "humanizeDuration") return HumanizeDuration(number);
  return HumanizeTimestamp(number);
}

std::string Template::Expand(const model::LabelViews& labels, double value) const {
  std::string out;
  for (const Piece& piece : pieces_) {
    std::string text = piece.text;
    bool numeric = false;
    if (piece.kind == Piece::Kind::kLabel) {
      text.clear();
      for (const model::LabelView& label : labels) {
        if (label.name == piece.text) text = label.value;
      }
    } else if (piece.kind == Piece::Kind::kValue) {
      text = ShortestDecimal(value);
      numeric = true;
    }
    for (const Step& step : piece.steps) {
      text = Apply(step, text, value, numeric);
      numeric = false;
    }
    out += text;
  }
  return out;
}

}  // namespace tidemark::query::rules
