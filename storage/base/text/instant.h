// Times as text, after RFC 3339: "2023-11-14T22:13:20.5Z".
//
//   AppendRfc3339(&out, 1'700'000'000'500'000'000);
//   const auto at = ParseRfc3339("2023-11-14T22:13:20.5Z", Rfc3339Form::kGo);   // at->Ms() is 1'700'000'000'500
//
// Source: https://www.rfc-editor.org/rfc/rfc3339#section-5.6
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidemark::text {

// A time since 1970 in UTC, without leap seconds. Years 0 to 9999 fit, which nanoseconds in 64 bits do not hold.
struct Instant {
  int64_t seconds = 0;
  int32_t nanos = 0;  // 0 to 999'999'999, also before 1970

  static Instant FromNs(int64_t ns);
  static Instant FromMs(int64_t ms);
  // Milliseconds, the rest cut towards the past; of what ParseRfc3339 gives.
  [[nodiscard]] int64_t Ms() const { return seconds * 1000 + nanos / 1'000'000; }
};

enum class Rfc3339Form {
  // As Go reads it for Prometheus: 't' and 'z' may be small, the fraction may follow a comma, all parts must be there.
  kGo,
  // As people type it: a date alone is its midnight, seconds may be missing, a time without zone is in UTC, ' ' may
  // stand for
  // 'T', a leap second is the next one's first, offsets go to 99:99.
  kTyped,
};

// What goes beyond nanoseconds is cut off. Nothing when the text is no time, names no day of the calendar, or has
// anything behind it.
std::optional<Instant> ParseRfc3339(std::string_view text, Rfc3339Form form);

// How a time is written; as it stands, RFC 3339 with as many digits as needed.
struct InstantStyle {
  enum class Fraction {
    kNone,      // cut off
    kMs,        // three digits
    kMsOrNone,  // three digits, nothing when they are zeros
    kNeeded,    // up to nine digits, without zeros at the end
  };
  char between = 'T';
  std::string_view colon = ":";
  Fraction fraction = Fraction::kNeeded;
  std::string_view zone = "Z";
};

// `at` is of the years 0 to 9999 for what is RFC 3339.
std::string PrintInstant(Instant at, const InstantStyle& style = {});

// To the second, which is cut: "2016-01-01T00:00:00Z". Nanoseconds since 1970, any, as below.
std::string PrintSecond(int64_t ns);
void AppendRfc3339(std::string* out, int64_t ns);

}  // namespace tidemark::text
