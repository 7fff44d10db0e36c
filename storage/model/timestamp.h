// Timestamp: a point in time as int64 nanoseconds since 1970-01-01T00:00:00Z, a type of its own so that it cannot be
// mixed up with milliseconds, counts or ids.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace tidemark::model {

struct Timestamp {
  int64_t ns = 0;

  static constexpr Timestamp FromMs(int64_t ms) { return {ms * 1'000'000}; }
  // The millisecond that holds this time: floor, also before 1970.
  [[nodiscard]] constexpr int64_t FloorMs() const {
    const int64_t quotient = ns / 1'000'000;
    return quotient - (ns % 1'000'000 < 0 ? 1 : 0);
  }
  static constexpr Timestamp Min() { return {std::numeric_limits<int64_t>::min()}; }
  static constexpr Timestamp Max() { return {std::numeric_limits<int64_t>::max()}; }

  friend constexpr auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

// The times that a point may carry, both ends included: int64 nanoseconds less the sentinels that InfluxDB 1.x keeps
// for itself (models/time.go): 1677-09-21T00:12:43.145224194Z to 2262-04-11T23:47:16.854775806Z.
inline constexpr Timestamp kMinTime{std::numeric_limits<int64_t>::min() + 2};
inline constexpr Timestamp kMaxTime{std::numeric_limits<int64_t>::max() - 1};

// A range of time, both ends included. Empty when first > last.
struct TimeRange {
  Timestamp first = Timestamp::Min();
  Timestamp last = Timestamp::Max();

  [[nodiscard]] constexpr bool empty() const { return first > last; }
  [[nodiscard]] constexpr bool Contains(Timestamp t) const { return first <= t && t <= last; }
  [[nodiscard]] constexpr bool Overlaps(const TimeRange& other) const {
    return first <= other.last && other.first <= last && !empty() && !other.empty();
  }
  friend constexpr bool operator==(const TimeRange&, const TimeRange&) = default;
};

}  // namespace tidemark::model
