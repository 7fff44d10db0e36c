// TimeInterval: when a route is mute or active: times of day, weekdays, days of the month, months and years, in a zone.
//
//   time_intervals:
//     - name: nights
//       time_intervals:
//         - times: [{start_time: '22:00', end_time: '24:00'}]
//           weekdays: ['monday:friday']
//           location: Europe/Berlin
//
// Source: prometheus/alertmanager 0.25, timeinterval/timeinterval.go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/trend/zone.h"
#include "storage/base/result.h"

namespace tidemark::query::notify {

// Both ends belong to it; of times of day the end does not.
struct IntRange {
  int begin = 0;
  int end = 0;
  friend bool operator==(const IntRange&, const IntRange&) = default;
};

// A time is in it when each list that is not empty has a range with it.
struct TimeInterval {
  std::vector<IntRange> minutes;   // of the day: 0 to 1440
  std::vector<IntRange> weekdays;  // 0 is Sunday
  std::vector<IntRange> days;      // of the month: 1 to 31, or -31 to -1 from its end
  std::vector<IntRange> months;    // 1 to 12
  std::vector<IntRange> years;
  std::optional<trend::Zone> zone;  // UTC where there is none

  [[nodiscard]] bool Contains(int64_t now_ns) const;
};

// Minutes of "08:30", to "24:00".
Result<int> ParseTimeOfDay(std::string_view text);
// "monday:friday" or "saturday"; "1:5", "-3:-1" or "7"; "march:may", "3:5"; "2023:2025".
Result<IntRange> ParseWeekdays(std::string_view text);
Result<IntRange> ParseDaysOfMonth(std::string_view text);
Result<IntRange> ParseMonths(std::string_view text);
Result<IntRange> ParseYears(std::string_view text);

}  // namespace tidemark::query::notify
