#include "storage/base/text/instant.h"

#include <fmt/format.h>

#include <chrono>
#include <iterator>

#include "storage/base/text/ascii.h"

namespace tidemark::text {
namespace {

namespace chrono = std::chrono;

// Takes parts off the front of a text.
class Parts {
 public:
  explicit Parts(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] char front() const { return rest_.empty() ? '\0' : rest_.front(); }

  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // A number of exactly `count` digits, at most `max`.
  bool Number(size_t count, int max, int* value) {
    if (rest_.size() < count) return false;
    *value = 0;
    for (size_t i = 0; i < count; ++i) {
      if (!IsDigit(rest_[i])) return false;
      *value = *value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return *value <= max;
  }

  // One digit or more, as a fraction of a second in nanoseconds.
  bool Fraction(int32_t* nanos) {
    if (!IsDigit(front())) return false;
    for (int32_t weight = 100'000'000; IsDigit(front()); weight /= 10, rest_.remove_prefix(1)) {
      *nanos += weight * (front() - '0');
    }
    return true;
  }

 private:
  std::string_view rest_;
};

// What follows a date, in seconds and nanoseconds from its midnight in UTC.
bool ReadTime(Parts* parts, bool typed, Instant* time) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  const bool parted = parts->Take('T') || parts->Take(typed ? ' ' : 't');
  if (!parted || !parts->Number(2, 23, &hour) || !parts->Take(':') || !parts->Number(2, 59, &minute)) return false;
  if (parts->Take(':')) {
    if (!parts->Number(2, typed ? 60 : 59, &second)) return false;
  } else if (!typed) {
    return false;
  }
  const bool fraction = parts->Take('.') || (!typed && parts->Take(','));
  if (fraction && !parts->Fraction(&time->nanos)) return false;
  int64_t offset_minutes = 0;
  if (parts->front() == '+' || parts->front() == '-') {
    const int64_t sign = parts->Take('-') ? -1 : 1;
    if (sign > 0) parts->Take('+');
    int hours = 0;
    int minutes = 0;
    if (!parts->Number(2, typed ? 99 : 23, &hours) || !parts->Take(':') ||
        !parts->Number(2, typed ? 99 : 59, &minutes)) {
      return false;
    }
    offset_minutes = sign * (hours * 60 + minutes);
  } else if (!parts->Take('Z') && !typed && !parts->Take('z')) {
    return false;
  }
  time->seconds = ((hour * 60 + minute - offset_minutes) * 60) + second;
  return true;
}

}  // namespace

Instant Instant::FromNs(int64_t ns) {
  const auto second = chrono::floor<chrono::seconds>(chrono::nanoseconds(ns));
  // The remainder is taken before 1970 too, where the floor in nanoseconds may not fit.
  return {second.count(), static_cast<int32_t>((ns % 1'000'000'000 + 1'000'000'000) % 1'000'000'000)};
}

Instant Instant::FromMs(int64_t ms) {
  const auto second = chrono::floor<chrono::seconds>(chrono::milliseconds(ms));
  return {second.count(), static_cast<int32_t>((ms % 1000 + 1000) % 1000) * 1'000'000};
}

std::optional<Instant> ParseRfc3339(std::string_view text, Rfc3339Form form) {
  Parts parts(text);
  const bool typed = form == Rfc3339Form::kTyped;
  int year = 0;
  int month = 0;
  int day = 0;
  if (!parts.Number(4, 9999, &year) || !parts.Take('-') || !parts.Number(2, 12, &month) || !parts.Take('-') ||
      !parts.Number(2, 31, &day)) {
    return std::nullopt;
  }
  Instant at;
  if (!(typed && parts.empty()) && !ReadTime(&parts, typed, &at)) return std::nullopt;
  const chrono::year_month_day date{chrono::year(year), chrono::month(static_cast<unsigned>(month)),
                                    chrono::day(static_cast<unsigned>(day))};
  if (!parts.empty() || !date.ok()) return std::nullopt;
  at.seconds += int64_t{chrono::sys_days(date).time_since_epoch().count()} * 86'400;
  return at;
}

std::string PrintInstant(Instant at, const InstantStyle& style) {
  const chrono::sys_seconds time{chrono::seconds(at.seconds)};
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss clock{time - day};
  std::string out =
      fmt::format("{:04}-{:02}-{:02}{}{:02}{}{:02}{}{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), style.between,
                  clock.hours().count(), style.colon, clock.minutes().count(), style.colon, clock.seconds().count());
  const int32_t ms = at.nanos / 1'000'000;
  switch (style.fraction) {
    case InstantStyle::Fraction::kNone: break;
    case InstantStyle::Fraction::kMs: fmt::format_to(std::back_inserter(out), ".{:03}", ms); break;
    case InstantStyle::Fraction::kMsOrNone:
      if (ms != 0) fmt::format_to(std::back_inserter(out), ".{:03}", ms);
      break;
    case InstantStyle::Fraction::kNeeded:
      if (at.nanos != 0) {
        fmt::format_to(std::back_inserter(out), ".{:09}", at.nanos);
        out.erase(out.find_last_not_of('0') + 1);
      }
      break;
  }
  out += style.zone;
  return out;
}

std::string PrintSecond(int64_t ns) {
  return PrintInstant(Instant::FromNs(ns), {.fraction = InstantStyle::Fraction::kNone});
}

void AppendRfc3339(std::string* out, int64_t ns) { *out += PrintInstant(Instant::FromNs(ns)); }

}  // namespace tidemark::text
