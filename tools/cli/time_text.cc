#include "tools/cli/time_text.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <ctime>

#include "storage/base/text/duration.h"
#include "storage/base/text/instant.h"

namespace tidemark::cli {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;

}  // namespace

Result<int64_t> ParseDurationText(std::string_view text) {
  const Error bad = InvalidArgument(fmt::format("\"{}\" is no duration: write 15s, 1h30m or seconds", text));
  const auto total = text::ParseFractionalDuration(text, text::kTypedDuration, kNsPerMs);
  if (!total || !(*total >= 1) || *total > 9e15) return bad;
  return std::llround(*total);
}

Result<int64_t> ParseTimeText(std::string_view text, int64_t now_ms) {
  const Error bad =
      InvalidArgument(fmt::format("\"{}\" is no time: write 2016-01-01T00:00:00Z, unix seconds, now or -1h", text));
  std::string_view rest = text;
  if (rest.starts_with("now")) {
    rest.remove_prefix(3);
    if (rest.empty()) return now_ms;
    if (!rest.starts_with('-')) return bad;
  }
  if (const auto at = text::ParseRfc3339(rest, text::Rfc3339Form::kTyped)) {
    return at->seconds * 1000 + std::llround(at->nanos / 1e9 * 1000);
  }
  double seconds = 0;
  const auto [at, error] = std::from_chars(rest.data(), rest.data() + rest.size(), seconds);
  if (error == std::errc() && at == rest.data() + rest.size() && rest.data() == text.data()) {
    if (std::abs(seconds) > 9e12) return bad;
    return std::llround(seconds * 1000);
  }
  if (!rest.starts_with('-')) return bad;
  const auto duration = ParseDurationText(rest.substr(1));
  if (!duration.ok()) return bad;
  return now_ms - *duration;
}

std::string TimeToText(int64_t ms) {
  return text::PrintInstant(text::Instant::FromMs(ms),
                            {.between = ' ', .fraction = text::InstantStyle::Fraction::kMsOrNone, .zone = ""});
}

std::string TimeWithZone(int64_t ms, TimeZone zone) {
  const int64_t seconds = ms / 1000 - (ms % 1000 < 0 ? 1 : 0);
  const auto at = static_cast<time_t>(seconds);
  struct tm local{};
  if (zone == TimeZone::kUtc || localtime_r(&at, &local) == nullptr || local.tm_zone == nullptr) {
    return TimeToText(ms) + " UTC";
  }
  // Shown as if it were UTC, and named.
  return TimeToText(ms + static_cast<int64_t>(local.tm_gmtoff) * 1000) + " " + local.tm_zone;
}

}  // namespace tidemark::cli
