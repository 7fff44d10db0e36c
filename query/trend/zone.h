// Zone: a time zone of the IANA database, by its name. What civil days, weeks and months are there, with its
// daylight-saving changes.
//
// Sources: https://www.iana.org/time-zones, RFC 8536 (the files); read with Abseil's CCTZ, which also follows the rule
// at the end of a file beyond its last listed change.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <absl/time/time.h>

#include "storage/base/result.h"

namespace tidemark::query::trend {

// Weeks begin on Monday, as in ISO 8601.
enum class CalendarUnit : uint8_t { kDay, kWeek, kMonth, kQuarter, kYear };

// "day", "week", "month", "quarter", "year"; else kInvalidArgument.
Result<CalendarUnit> ParseCalendarUnit(std::string_view name);

// A span of time in milliseconds since 1970: (after_ms, last_ms], as windows of range selectors are.
struct CalendarBucket {
  int64_t after_ms = 0;
  int64_t last_ms = 0;
  friend bool operator==(const CalendarBucket&, const CalendarBucket&) = default;
};

// Cheap to copy; thread-safe. Times are within three million years of 1970.
class Zone {
 public:
  // The zone called `name`, such as "Europe/Berlin" or "UTC". kInvalidArgument when the database has none of that name,
  // or is not installed. Case matters.
  static Result<Zone> Find(std::string_view name);

  // That of the machine, as TZ or /etc/localtime says. For settings; queries would depend on where they are computed.
  static Zone OfMachine() { return Zone(absl::LocalTimeZone()); }

  // The bucket that holds `ms`, `back` buckets earlier (later where negative). A day without midnight begins when the
  // clocks jump; one with two begins at the first.
  [[nodiscard]] CalendarBucket Bucket(CalendarUnit unit, int64_t ms, int64_t back) const;

  // The time that clocks showed alike `count` units before `ms`: 09:30 is 09:30 across a change of the clocks. On days
  // that a shorter month does not have, its last. A time that clocks jumped over is that of the jump; of one that came
  // twice, the first.
  [[nodiscard]] int64_t Earlier(CalendarUnit unit, int64_t ms, int64_t count) const;

  // As it was found.
  [[nodiscard]] std::string name() const { return zone_.name(); }

  // What clocks there show less what UTC shows, in seconds.
  [[nodiscard]] int64_t OffsetSeconds(int64_t seconds) const;

 private:
  explicit Zone(absl::TimeZone zone) : zone_(zone) {}

  absl::TimeZone zone_;
};

}  // namespace tidemark::query::trend
