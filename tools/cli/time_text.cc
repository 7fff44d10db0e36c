#include "tools/cli/time_text.h"

#include <fmt/core.h>

#include <charconv>
#include <chrono>
#include <cmath>

namespace tidemark::cli {
namespace {

struct Unit {
  std::string_view name;
  int64_t ms;
};
constexpr Unit kUnits[] = {{"ms", 1},         {"s", 1000},        {"m", 60'000},        {"h", 3'600'000},
                           {"d", 86'400'000}, {"w", 604'800'000}, {"y", 31'536'000'000}};

// Reads a number of exactly `digits` digits off the front of `text`.
bool Digits(std::string_view* text, size_t digits, int* value) {
  if (text->size() < digits) return false;
  const char* const end = text->data() + digits;
  const auto [at, error] = std::from_chars(text->data(), end, *value);
  if (error != std::errc() || at != end) return false;
  text->remove_prefix(digits);
  return true;
}

bool Skip(std::string_view* text, char c) {
  if (!text->starts_with(c)) return false;
  text->remove_prefix(1);
  return true;
}

bool ParseRfc3339(std::string_view text, int64_t* ms) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!Digits(&text, 4, &year) || !Skip(&text, '-') || !Digits(&text, 2, &month) || !Skip(&text, '-') ||
      !Digits(&text, 2, &day)) {
    return false;
  }
  double fraction = 0;
  int64_t offset_minutes = 0;
  if (!text.empty()) {
    if (!(Skip(&text, 'T') || Skip(&text, ' ')) || !Digits(&text, 2, &hour) || !Skip(&text, ':') ||
        !Digits(&text, 2, &minute)) {
      return false;
    }
    if (Skip(&text, ':') && !Digits(&text, 2, &second)) return false;
    if (text.starts_with('.')) {
      const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), fraction);
      if (error != std::errc()) return false;
      text.remove_prefix(static_cast<size_t>(at - text.data()));
    }
    if (text.starts_with('+') || text.starts_with('-')) {
      const int64_t sign = text.front() == '-' ? -1 : 1;
      text.remove_prefix(1);
      int hours = 0;
      int minutes = 0;
      if (!Digits(&text, 2, &hours) || !Skip(&text, ':') || !Digits(&text, 2, &minutes)) return false;
      offset_minutes = sign * (hours * 60 + minutes);
    } else {
      Skip(&text, 'Z');
    }
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!text.empty() || !date.ok() || hour > 23 || minute > 59 || second > 60) return false;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  *ms =
      (days * 86'400 + hour * 3600 + minute * 60 + second - offset_minutes * 60) * 1000 + std::llround(fraction * 1000);
  return true;
}

}  // namespace

Result<int64_t> ParseDurationText(std::string_view text) {
  const Error bad = InvalidArgument(fmt::format("\"{}\" is no duration: write 15s, 1h30m or seconds", text));
  double total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    double number = 0;
    const auto [at, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc() || !(number >= 0)) return bad;
    rest.remove_prefix(static_cast<size_t>(at - rest.data()));
    const Unit* unit = nullptr;
    for (const Unit& candidate : kUnits) {
      const bool fits = rest.starts_with(candidate.name);
      if (fits && (unit == nullptr || candidate.name.size() > unit->name.size())) unit = &candidate;
    }
    if (unit == nullptr && !(rest.empty() && total == 0)) return bad;
    total += number * static_cast<double>(unit == nullptr ? 1000 : unit->ms);
    if (unit != nullptr) rest.remove_prefix(unit->name.size());
  }
  if (!(total >= 1) || total > 9e15) return bad;
  return std::llround(total);
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
  int64_t ms = 0;
  if (ParseRfc3339(rest, &ms)) return ms;
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
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(ms)};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss<milliseconds> clock{time - day};
  std::string out = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (clock.subseconds().count() != 0) out += fmt::format(".{:03}", clock.subseconds().count());
  return out;
}

}  // namespace tidemark::cli
