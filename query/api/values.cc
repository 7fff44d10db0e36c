#include "query/api/values.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "query/promql/quote.h"
#include "storage/base/text/duration.h"
#include "storage/base/text/instant.h"

namespace tidemark::query::api {
namespace {

// Reads a double as Go's ParseFloat does for what users write; no infinities, no NaN.
std::optional<double> ReadFloat(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

bool Take(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

}  // namespace

Result<int64_t> ParseTimeMs(std::string_view text) {
  if (const auto seconds = ReadFloat(text)) {
    // Whole seconds and the rest apart: their product has more digits than a double.
    double whole = 0;
    const double rest = std::modf(*seconds, &whole);
    if (whole >= static_cast<double>(kMinTimeMs / 1000) && whole <= static_cast<double>(kMaxTimeMs / 1000)) {
      return static_cast<int64_t>(whole) * 1000 + static_cast<int64_t>(std::round(rest * 1000));
    }
    // What some clients say for ever: the ends of 64 bits in milliseconds, divided by 1,000 and rounded.
    constexpr double kEverSeconds = 9'223'372'036'854'776;
    if (std::fabs(*seconds) <= kEverSeconds) return *seconds < 0 ? kMinTimeMs : kMaxTimeMs;
  } else if (const auto at = text::ParseRfc3339(text, text::Rfc3339Form::kGo)) {
    return at->Ms();
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
  if (const auto ms = text::ParseDurationMs(text)) return *ms;
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
    promql::AppendRune(out, rune);
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
