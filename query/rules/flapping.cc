#include "query/rules/flapping.h"

#include <fmt/core.h>

#include <charconv>

#include "storage/base/text/duration.h"

namespace tidemark::query::rules {

Result<FlapLimit> ParseFlapLimit(std::string_view text) {
  FlapLimit limit;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit.changes);
  std::string_view rest(end, static_cast<size_t>(text.data() + text.size() - end));
  constexpr std::string_view kIn = " in ";
  if (error == std::errc() && limit.changes >= 2 && limit.changes <= kFlapChangesMax && rest.starts_with(kIn)) {
    rest.remove_prefix(kIn.size());
    if (const auto ms = text::ParseDurationMs(rest); ms && *ms > 0) {
      limit.within_ms = *ms;
      return limit;
    }
  }
  return InvalidArgument(fmt::format(
      "flapping is a number of changes (2 to {}) and the time in which they are too many, as 4 in 10m, not \"{}\"",
      kFlapChangesMax, text));
}

std::string PrintFlapLimit(const FlapLimit& limit) {
  return fmt::format("{} in {}", limit.changes, text::PrintDuration(limit.within_ms, text::DurationStyle::kPrometheus));
}

FlapTurn FlapLog::At(const FlapLimit& limit, int64_t now_ms) {
  while (!changes_ms_.empty() &&
         (changes_ms_.front() <= now_ms - limit.within_ms || changes_ms_.size() > limit.changes)) {
    changes_ms_.pop_front();
  }
  // The clock has been set back: these would stay for as long as it was ahead.
  while (!changes_ms_.empty() && changes_ms_.back() > now_ms) changes_ms_.pop_back();
  const bool flaps = flapping_ ? changes_ms_.size() > limit.changes / 2 : changes_ms_.size() >= limit.changes;
  if (flaps == flapping_) return FlapTurn::kNone;
  flapping_ = flaps;
  return flaps ? FlapTurn::kBegins : FlapTurn::kEnds;
}

}  // namespace tidemark::query::rules
