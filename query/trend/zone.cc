#include "query/trend/zone.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <absl/time/civil_time.h>
#include <fmt/core.h>

namespace tidemark::query::trend {
namespace {

struct UnitName {
  std::string_view name;
  CalendarUnit unit;
};

constexpr UnitName kUnits[] = {{"day", CalendarUnit::kDay},
                               {"week", CalendarUnit::kWeek},
                               {"month", CalendarUnit::kMonth},
                               {"quarter", CalendarUnit::kQuarter},
                               {"year", CalendarUnit::kYear}};

// Where CCTZ looks.
std::filesystem::path DatabaseDirectory() {
  const char* const directory = std::getenv("TZDIR");
  return directory != nullptr ? directory : "/usr/share/zoneinfo";
}

// Names are file names to CCTZ: only those that stay inside of the database's directory.
bool LooksLikeName(std::string_view name) {
  constexpr size_t kNameMax = 64;
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
           c == '-' || c == '+';
  };
  return !name.empty() && name.size() <= kNameMax && name.front() != '/' && std::ranges::all_of(name, fits);
}

int64_t Milliseconds(absl::Time time) { return absl::ToUnixMillis(time); }

// The first day of the unit that holds `day`, `back` units earlier.
absl::CivilDay FirstDay(CalendarUnit unit, absl::CivilDay day, int64_t back) {
  switch (unit) {
    case CalendarUnit::kDay: return day - back;
    case CalendarUnit::kWeek: return absl::PrevWeekday(day + 1, absl::Weekday::monday) - 7 * back;
    case CalendarUnit::kMonth: return absl::CivilDay(absl::CivilMonth(day) - back);
    case CalendarUnit::kQuarter: {
      const absl::CivilMonth month(day);
      return absl::CivilDay(month - (month.month() - 1) % 3 - 3 * back);
    }
    case CalendarUnit::kYear: return absl::CivilDay(absl::CivilYear(day) - back);
  }
  return day;
}

// The same day of the month, `months` earlier, or the last that the month has.
absl::CivilDay MonthsEarlier(absl::CivilDay day, int64_t months) {
  const absl::CivilMonth month = absl::CivilMonth(day) - months;
  const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  return std::min(absl::CivilDay(month) + (day.day() - 1), last);
}

absl::CivilDay UnitsEarlier(CalendarUnit unit, absl::CivilDay day, int64_t count) {
  switch (unit) {
    case CalendarUnit::kDay: return day - count;
    case CalendarUnit::kWeek: return day - 7 * count;
    case CalendarUnit::kMonth: return MonthsEarlier(day, count);
    case CalendarUnit::kQuarter: return MonthsEarlier(day, 3 * count);
    case CalendarUnit::kYear: return MonthsEarlier(day, 12 * count);
  }
  return day;
}

}  // namespace

Result<CalendarUnit> ParseCalendarUnit(std::string_view name) {
  const auto* row = std::ranges::find(kUnits, name, &UnitName::name);
  if (row != std::end(kUnits)) return row->unit;
  return InvalidArgument(
      fmt::format("unknown calendar unit \"{}\"; one of day, week, month, quarter, year is wanted", name));
}

Result<Zone> Zone::Find(std::string_view name) {
  // The machine's own zone would make the answer depend on where it is computed.
  const bool usable = LooksLikeName(name) && name != "localtime";
  // CCTZ remembers every name that it was ever asked for; queries must not make it grow.
  std::error_code error;
  if (usable && std::filesystem::is_regular_file(DatabaseDirectory() / name, error)) {
    absl::TimeZone zone;
    if (absl::LoadTimeZone(std::string(name), &zone)) return Zone(zone);
  }
  if (name == "UTC") return Zone(absl::UTCTimeZone());
  if (!std::filesystem::is_directory(DatabaseDirectory(), error)) {
    return InvalidArgument(
        fmt::format("the time zone \"{}\" is not known because there is no time zone database in {}; install the "
                    "package tzdata, or ask for \"UTC\"",
                    name, DatabaseDirectory().string()));
  }
  return InvalidArgument(fmt::format(
      "unknown time zone \"{}\"; a name of the IANA database such as \"Europe/Berlin\" or \"UTC\" is wanted", name));
}

CalendarBucket Zone::Bucket(CalendarUnit unit, int64_t ms, int64_t back) const {
  // A time that ends a bucket belongs to it.
  const absl::CivilDay day(zone_.At(absl::FromUnixMillis(ms - 1)).cs);
  return {.after_ms = Milliseconds(absl::FromCivil(FirstDay(unit, day, back), zone_)),
          .last_ms = Milliseconds(absl::FromCivil(FirstDay(unit, day, back - 1), zone_))};
}

int64_t Zone::Earlier(CalendarUnit unit, int64_t ms, int64_t count) const {
  const absl::TimeZone::CivilInfo now = zone_.At(absl::FromUnixMillis(ms));
  const absl::CivilDay today(now.cs);
  const absl::CivilDay day = UnitsEarlier(unit, today, count);
  const absl::CivilSecond then = absl::CivilSecond(day) + (now.cs - absl::CivilSecond(today));
  const absl::TimeZone::TimeInfo found = zone_.At(then);
  if (found.kind == absl::TimeZone::TimeInfo::SKIPPED) return Milliseconds(found.trans);
  return Milliseconds(found.pre) + absl::ToInt64Milliseconds(now.subsecond);
}

int64_t Zone::OffsetSeconds(int64_t seconds) const { return zone_.At(absl::FromUnixSeconds(seconds)).offset; }

}  // namespace tidemark::query::trend
