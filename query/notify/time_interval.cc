#include "query/notify/time_interval.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <span>

namespace tidemark::query::notify {
namespace {

constexpr std::array<std::string_view, 7> kWeekdays{"sunday",   "monday", "tuesday", "wednesday",
                                                    "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> kMonths{"january",   "february", "march",    "april",
                                                   "may",       "june",     "july",     "august",
                                                   "september", "october",  "november", "december"};

std::optional<int> Number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int> Named(std::string_view text, std::span<const std::string_view> names, int first) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto at = std::find(names.begin(), names.end(), lower);
  if (at == names.end()) return std::nullopt;
  return static_cast<int>(at - names.begin()) + first;
}

// "a:b" or "a", each read by `read`.
template <typename Read>
Result<IntRange> ParseRange(std::string_view text, std::string_view what, const Read& read) {
  const size_t colon = text.find(':');
  const std::optional<int> begin = read(text.substr(0, colon));
  const std::optional<int> end = colon == std::string_view::npos ? begin : read(text.substr(colon + 1));
  if (!begin || !end) return InvalidArgument(fmt::format("\"{}\" is not {}", text, what));
  return IntRange{*begin, *end};
}

bool Within(const std::vector<IntRange>& ranges, int value) {
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(),
                                       [&](const IntRange& r) { return value >= r.begin && value <= r.end; });
}

bool DayWithin(const std::vector<IntRange>& ranges, int day, int days_in_month) {
  if (ranges.empty()) return true;
  const auto from_start = [&](int at) { return at < 0 ? days_in_month + at + 1 : at; };
  return std::any_of(ranges.begin(), ranges.end(), [&](const IntRange& range) {
    const int begin = from_start(range.begin);
    return begin <= days_in_month && day >= begin && day <= from_start(range.end);
  });
}

}  // namespace

bool TimeInterval::Contains(int64_t now_ns) const {
  int64_t seconds = now_ns / 1'000'000'000 - (now_ns % 1'000'000'000 < 0 ? 1 : 0);
  if (zone) seconds += zone->OffsetSeconds(seconds);
  const std::chrono::sys_seconds at{std::chrono::seconds(seconds)};
  const auto midnight = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(midnight);
  const int minute = static_cast<int>((at - midnight).count() / 60);
  const auto last = std::chrono::year_month_day(date.year() / date.month() / std::chrono::last).day();
  const bool time_in = minutes.empty() || std::any_of(minutes.begin(), minutes.end(), [&](const IntRange& range) {
                         return minute >= range.begin && minute < range.end;
                       });
  return time_in && Within(weekdays, static_cast<int>(std::chrono::weekday(midnight).c_encoding())) &&
         DayWithin(days, static_cast<int>(static_cast<unsigned>(date.day())),
                   static_cast<int>(static_cast<unsigned>(last))) &&
         Within(months, static_cast<int>(static_cast<unsigned>(date.month()))) &&
         Within(years, static_cast<int>(date.year()));
}

Result<int> ParseTimeOfDay(std::string_view text) {
  if (text.size() == 5 && text[2] == ':') {
    const std::optional<int> hour = Number(text.substr(0, 2));
    const std::optional<int> minute = Number(text.substr(3));
    if (hour && minute && *hour >= 0 && *minute >= 0 && *minute < 60 && (*hour < 24 || (*hour == 24 && *minute == 0))) {
      return *hour * 60 + *minute;
    }
  }
  return InvalidArgument(fmt::format("\"{}\" is not a time of day such as '08:30', up to '24:00'", text));
}

Result<IntRange> ParseWeekdays(std::string_view text) {
  TM_TRY_ASSIGN(const IntRange range, ParseRange(text, "a weekday or two with a colon between, such as 'monday:friday'",
                                                 [](std::string_view part) { return Named(part, kWeekdays, 0); }));
  if (range.begin > range.end) {
    return InvalidArgument(fmt::format("\"{}\": a week begins on Sunday and ends on Saturday: write two ranges", text));
  }
  return range;
}

Result<IntRange> ParseDaysOfMonth(std::string_view text) {
  TM_TRY_ASSIGN(const IntRange range,
                ParseRange(text, "a day of the month or two with a colon between, such as '1:5' or '-3:-1'", Number));
  const auto is_day = [](int day) { return day != 0 && std::abs(day) <= 31; };
  if (!is_day(range.begin) || !is_day(range.end)) {
    return InvalidArgument(fmt::format("\"{}\": days are 1 to 31, or -31 to -1 from the end of the month", text));
  }
  if (range.begin < 0 && range.end > 0) {
    return InvalidArgument(fmt::format("\"{}\": a range that begins at the end of the month ends there too", text));
  }
  // As Alertmanager has it: of a month of 28 days, in which a day counted from the end is one earlier still.
  const int last = range.begin > 0 && range.end < 0 ? 28 + range.end : range.end;
  if (range.begin > last) {
    return InvalidArgument(fmt::format("\"{}\": it ends before it begins, or may in a month of 28 days", text));
  }
  return range;
}

Result<IntRange> ParseMonths(std::string_view text) {
  TM_TRY_ASSIGN(
      const IntRange range,
      ParseRange(text, "a month or two with a colon between, such as 'march:may' or '3:5'", [](std::string_view part) {
        const std::optional<int> named = Named(part, kMonths, 1);
        return named ? named : Number(part);
      }));
  if (range.begin < 1 || range.end > 12 || range.begin > range.end) {
    return InvalidArgument(fmt::format("\"{}\": months are 1 to 12, and a range does not cross the new year", text));
  }
  return range;
}

Result<IntRange> ParseYears(std::string_view text) {
  TM_TRY_ASSIGN(const IntRange range,
                ParseRange(text, "a year or two with a colon between, such as '2025:2027'", Number));
  if (range.begin > range.end) return InvalidArgument(fmt::format("\"{}\": it ends before it begins", text));
  return range;
}

}  // namespace tidemark::query::notify
