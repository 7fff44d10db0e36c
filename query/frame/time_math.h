// Times of queries are milliseconds, times of rows nanoseconds: conversions between them.
#pragma once

#include <cstdint>
#include <limits>

namespace tidemark::query::frame {

inline constexpr int64_t kNsPerMs = 1'000'000;

// Saturates at the ends of int64.
inline int64_t MsToNs(int64_t ms) {
  int64_t ns = 0;
  if (__builtin_mul_overflow(ms, kNsPerMs, &ns)) {
    return ms < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  }
  return ns;
}

// The millisecond that holds `ns`.
inline int64_t FloorMs(int64_t ns) { return ns / kNsPerMs - (ns % kNsPerMs < 0 ? 1 : 0); }

// A distance in seconds. Whole milliseconds are divided as Prometheus divides them, so that the last bit agrees.
inline double NsToSeconds(int64_t ns) {
  return ns % kNsPerMs == 0 ? static_cast<double>(ns / kNsPerMs) / 1000.0 : static_cast<double>(ns) / 1e9;
}

// later_ns - earlier_ns in seconds, for any two times.
inline double SecondsBetween(int64_t earlier_ns, int64_t later_ns) {
  int64_t distance = 0;
  if (__builtin_sub_overflow(later_ns, earlier_ns, &distance)) [[unlikely]] {
    return (static_cast<double>(later_ns) - static_cast<double>(earlier_ns)) / 1e9;
  }
  return NsToSeconds(distance);
}

inline double MsToSeconds(int64_t ms) { return static_cast<double>(ms) / 1000.0; }

}  // namespace tidemark::query::frame
