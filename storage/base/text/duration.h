// Durations as text: "1h30m", "1.5h", "90".
//
//   const auto ns = ParseDuration("1h30m", kPrometheusDuration);   // 5'400'000'000'000
//   PrintDuration(5'400'000, DurationStyle::kPrometheus);          // "1h30m"
//
// There is one table of units and one reader; a dialect says what of it a place accepts. The README lists them.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace tidemark::text {

struct DurationUnit {
  std::string_view name;
  int64_t ns;
};

// From long to short. A year has 365 days; "u" and "µ" are one unit.
inline constexpr std::array<DurationUnit, 10> kDurationUnits{{
    {"y", 31'536'000'000'000'000},
    {"w", 604'800'000'000'000},
    {"d", 86'400'000'000'000},
    {"h", 3'600'000'000'000},
    {"m", 60'000'000'000},
    {"s", 1'000'000'000},
    {"ms", 1'000'000},
    {"µ", 1'000},
    {"u", 1'000},
    {"ns", 1},
}};

// What a place accepts. Every dialect reads numbers with a unit behind each: 1h30m.
struct DurationDialect {
  std::string_view longest;  // the first and the last unit of the table that it has
  std::string_view shortest;
  bool ordered = false;       // each unit at most once, and from long to short
  bool zero = false;          // "0" alone needs no unit
  bool bare_seconds = false;  // a number alone is seconds; only of fractional dialects
  bool single = false;        // one number only; only of fractional dialects
  bool exponents = false;     // "1e3s"; only of fractional dialects
};

// PromQL, rule files, request parameters and the server's settings: whole numbers, 1y2w3d4h5m6s7ms.
// Source: https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations
inline constexpr DurationDialect kPrometheusDuration{.longest = "y", .shortest = "ms", .ordered = true, .zero = true};
// InfluxQL: whole numbers in any order, each unit as often as one likes.
// Source: https://docs.influxdata.com/influxdb/v1/query_language/spec/#durations
inline constexpr DurationDialect kInfluxDuration{.longest = "w", .shortest = "ns"};
// Pipeline files of the executor: one number, also with a fraction.
inline constexpr DurationDialect kPipelineDuration{
    .longest = "h", .shortest = "ms", .bare_seconds = true, .single = true};
// The command line: numbers with fractions and exponents in any order.
inline constexpr DurationDialect kTypedDuration{
    .longest = "y", .shortest = "ms", .bare_seconds = true, .exponents = true};

enum class DurationFault {
  kEmpty,
  kSyntax,       // no number where one must be, one above 2^64 - 1, or a unit out of order
  kNoUnit,       // a number without a unit
  kUnknownUnit,  // `unit` is not of the dialect
  kRange,        // above 2^63 - 1 ns
};
struct DurationError {
  DurationFault fault;
  std::string_view unit;  // a part of the text that was read
};

// The nanoseconds, at least 0, of a duration in whole numbers.
std::expected<int64_t, DurationError> ParseDuration(std::string_view text, const DurationDialect& dialect);

// The milliseconds of a duration of kPrometheusDuration; what is left over of one is cut off.
std::expected<int64_t, DurationError> ParseDurationMs(std::string_view text);

// A duration with fractions, in units of `unit_ns` (1 or more, a divisor of the dialect's shortest unit), not rounded.
// At least 0, perhaps infinite; nothing when the text is none.
std::optional<double> ParseFractionalDuration(std::string_view text, const DurationDialect& dialect, int64_t unit_ns);

enum class DurationStyle {
  kPrometheus,  // "1h30m", "90d" rather than "12w6d", "0s", "-5m", to the millisecond
  kOneUnit,     // the longest of d, h, m, s and ms that divides it: "90m", "0"
  kGo,          // "1h30m0s", "0s": whole seconds, cut
};

// `ms` is any value; below 0 kGo prints seconds alone.
std::string PrintDuration(int64_t ms, DurationStyle style);

}  // namespace tidemark::text
