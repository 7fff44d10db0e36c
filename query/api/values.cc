#include "query/api/values.h"

#include <fmt/core.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include "query/rules/rule_file.h"

namespace tidemark::query::api {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Reads a double as Go's ParseFloat does for what users write; no infinities, no NaN.
std::optional<double> ReadFloat(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

// Takes `count` digits off the front of `text`.
std::optional<int> TakeDigits(std::string_view* text, size_t count) {
  if (text->size() < count) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!IsDigit((*text)[i])) return std::nullopt;
    value = value * 10 + ((*text)[i] - '0');
  }
  text->remove_prefix(count);
  return value;
}

bool Take(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

// RFC 3339 with a fraction of any length, which is cut to milliseconds.
std::optional<int64_t> ReadRfc3339Ms(std::string_view text) {
  namespace chrono = std::chrono;
  const auto year = TakeDigits(&text, 4);
  if (!year || !Take(&text, '-')) return std::nullopt;
  const auto month = TakeDigits(&text, 2);
  if (!month || !Take(&text, '-')) return std::nullopt;
  const auto day = TakeDigits(&text, 2);
  if (!day || !(Take(&text, 'T') || Take(&text, 't'))) return std::nullopt;
  const auto hour = TakeDigits(&text, 2);
  if (!hour || *hour > 23 || !Take(&text, ':')) return std::nullopt;
  const auto minute = TakeDigits(&text, 2);
  if (!minute || *minute > 59 || !Take(&text, ':')) return std::nullopt;
  const auto second = TakeDigits(&text, 2);
  if (!second || *second > 59) return std::nullopt;
  int64_t fraction_ms = 0;
  if (Take(&text, '.') || Take(&text, ',')) {
    if (text.empty() || !IsDigit(text.front())) return std::nullopt;
    for (int64_t weight = 100; !text.empty() && IsDigit(text.front()); weight /= 10, text.remove_prefix(1)) {
      fraction_ms += weight * (text.front() - '0');
    }
  }
  int64_t offset_minutes = 0;
  if (!Take(&text, 'Z') && !Take(&text, 'z')) {
    const bool west = !text.empty() && text.front() == '-';
    if (!Take(&text, '+') && !Take(&text, '-')) return std::nullopt;
    const auto offset_hour = TakeDigits(&text, 2);
    if (!offset_hour || *offset_hour > 23 || !Take(&text, ':')) return std::nullopt;
    const auto offset_minute = TakeDigits(&text, 2);
    if (!offset_minute || *offset_minute > 59) return std::nullopt;
    offset_minutes = (west ? -1 : 1) * (*offset_hour * 60 + *offset_minute);
  }
  const chrono::year_month_day date{chrono::year(*year), chrono::month(static_cast<unsigned>(*month)),
                                    chrono::day(static_cast<unsigned>(*day))};
  if (!text.empty() || !date.ok()) return std::nullopt;
  const int64_t days = chrono::sys_days(date).time_since_epoch().count();
  return (((days * 24 + *hour) * 60 + *minute - offset_minutes) * 60 + *second) * 1000 + fraction_ms;
}

}  // namespace

Result<int64_t> ParseTimeMs(std::string_view text) {
  if (const auto seconds = ReadFloat(text)) {
    const double ms = std::round(*seconds * 1000);
    if (ms >= static_cast<double>(kMinTimeMs) && ms <= static_cast<double>(kMaxTimeMs)) {
      return static_cast<int64_t>(ms);
    }
  } else if (const auto ms = ReadRfc3339Ms(text)) {
    return *ms;
  } else if (text == "-292273086-05-16T16:47:06Z") {
    return kMinTimeMs;
  } else if (text == "292277025-08-18T07:12:54.999999999Z") {
    return kMaxTimeMs;
  }
  return InvalidArgument(fmt::format("cannot parse {} to a valid timestamp", Quoted(text)));
}

Result<int64_t> ParseDurationMs(std::string_view text) {
  if (const auto seconds = ReadFloat(text)) {
    const double ns = *seconds * 1e9;
    // Written so that NaN, which compares with nothing, overflows too.
    if (!(std::fabs(ns) < static_cast<double>(std::numeric_limits<int64_t>::max()))) {
      return InvalidArgument(fmt::format("cannot parse {} to a valid duration. It overflows int64", Quoted(text)));
    }
    return static_cast<int64_t>(*seconds * 1000);
  }
  if (Result<int64_t> ms = rules::ParseRuleDurationMs(text); ms.ok()) return ms;
  return InvalidArgument(fmt::format("cannot parse {} to a valid duration", Quoted(text)));
}

model::Timestamp TimestampAtMs(int64_t ms, int64_t extra_ns) {
  int64_t ns = 0;
  if (__builtin_mul_overflow(ms, 1'000'000, &ns) || __builtin_add_overflow(ns, extra_ns, &ns)) {
    return ms < 0 ? model::Timestamp::Min() : model::Timestamp::Max();
  }
  return {ns};
}

Result<uint64_t> ParseLimit(std::string_view text) {
  if (text.empty()) return 0;
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) {
    return InvalidArgument(fmt::format("strconv.Atoi: parsing {}: value out of range", Quoted(text)));
  }
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return InvalidArgument(fmt::format("strconv.Atoi: parsing {}: invalid syntax", Quoted(text)));
  }
  if (value < 0) return InvalidArgument("limit must be non-negative");
  return static_cast<uint64_t>(value);
}

std::string UnescapeLabelName(std::string_view name) {
  constexpr std::string_view kPrefix = "U__";
  if (!name.starts_with(kPrefix)) return std::string(name);
  std::string out;
  for (std::string_view rest = name.substr(kPrefix.size()); !rest.empty();) {
    if (!Take(&rest, '_')) {
      out.push_back(rest.front());
      rest.remove_prefix(1);
      continue;
    }
    if (Take(&rest, '_')) {
      out.push_back('_');
      continue;
    }
    uint32_t rune = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), rune, 16);
    const auto digits = static_cast<size_t>(end - rest.data());
    const bool surrogate = rune >= 0xD800 && rune <= 0xDFFF;
    if (error != std::errc() || digits > 6 || rune > 0x10FFFF || surrogate) return std::string(name);
    rest.remove_prefix(digits);
    if (!Take(&rest, '_')) return std::string(name);
    const auto put = [&out](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (rune < 0x80) {
      put(rune);
    } else if (rune < 0x800) {
      put(0xC0 | rune >> 6);
      put(0x80 | (rune & 0x3F));
    } else if (rune < 0x10000) {
      put(0xE0 | rune >> 12);
      put(0x80 | (rune >> 6 & 0x3F));
      put(0x80 | (rune & 0x3F));
    } else {
      put(0xF0 | rune >> 18);
      put(0x80 | (rune >> 12 & 0x3F));
      put(0x80 | (rune >> 6 & 0x3F));
      put(0x80 | (rune & 0x3F));
    }
  }
  return out;
}

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
          out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
  return out;
}

Error InvalidParameter(std::string_view name, const Error& error) {
  return {error.code, fmt::format("invalid parameter {}: {}", Quoted(name), error.message)};
}

}  // namespace tidemark::query::api
