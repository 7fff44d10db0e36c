// Story: how a team's system got better over six weeks, in the figures of the dashboard card, and chance that repeats.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tidemark::demo {

inline constexpr int64_t kSecond = 1'000'000'000;
inline constexpr int64_t kWeek = int64_t{7} * 86'400 * kSecond;
inline constexpr size_t kWeeks = 6;

// One week of the past. The last is how things are today.
struct Week {
  std::string_view era;  // label of runs
  double run_seconds;    // a run of the pipeline, on average
  double run_seconds_p95;
  double failure_share;        // of runs and of requests
  double commands_per_second;  // tasks of a run over its duration
  double efficiency;
  double cpu_share;        // of the executor's cores
  double memory_mb;        // of all agents
  double lock_contention;  // share of the agents' time
  double serial_share;     // of a run's work
  double coverage_percent;
  int agents;
  double backend_latency;     // factor on today's
  double backend_throughput;  // factor on today's
};

inline constexpr std::array<Week, kWeeks> kStory{{
    {"sequential", 12.4, 14.2, 0.032, 340, 0.25, 0.25, 180, 0.00, 1.00, 71.0, 1, 2.4, 0.45},
    {"v1", 4.4, 5.1, 0.018, 954, 0.68, 0.52, 340, 0.09, 0.19, 75.5, 5, 1.9, 0.62},
    {"v2", 2.4, 2.8, 0.009, 1750, 0.82, 0.66, 452, 0.06, 0.12, 79.0, 5, 1.5, 0.76},
    {"v3", 1.7, 1.9, 0.004, 2100, 0.88, 0.73, 520, 0.04, 0.10, 82.1, 5, 1.2, 0.88},
    {"v4", 1.4, 1.6, 0.002, 2450, 0.912, 0.78, 561, 0.03, 0.08, 83.6, 5, 1.05, 0.97},
    {"v4", 1.4, 1.6, 0.002, 2450, 0.912, 0.78, 561, 0.03, 0.08, 84.2, 5, 1.0, 1.0},
}};

// The week that `time_ns` lies in when the last one ends at `today_ns`; before the first it is the first, after the
// last the last.
constexpr size_t WeekAt(int64_t time_ns, int64_t today_ns) {
  if (time_ns >= today_ns) return kWeeks - 1;
  const int64_t ago = (today_ns - 1 - time_ns) / kWeek;
  return ago >= static_cast<int64_t>(kWeeks) ? 0 : kWeeks - 1 - static_cast<size_t>(ago);
}

// Chance: the same numbers for the same seed, stream and index, in any order. Streams keep uses apart.
class Chance {
 public:
  explicit constexpr Chance(uint64_t seed) : seed_(seed) {}

  // Even in [0, 1).
  [[nodiscard]] constexpr double Uniform(uint64_t stream, int64_t index) const {
    const uint64_t mixed = Mix(Mix(seed_ ^ Mix(stream)) ^ static_cast<uint64_t>(index));
    return static_cast<double>(mixed >> 11) * 0x1p-53;
  }
  // Around 0 with deviation 1, in (-3.5, 3.5): the sum of four even numbers is near enough to the bell curve.
  [[nodiscard]] constexpr double Bell(uint64_t stream, int64_t index) const {
    double sum = 0;
    for (uint64_t i = 0; i < 4; ++i) sum += Uniform(stream * 4 + i + 0x9E37, index);
    return (sum - 2) * 1.7320508075688772;
  }

 private:
  // The finaliser of splitmix64 (Steele, Lea, Flood, 2014).
  static constexpr uint64_t Mix(uint64_t x) {
    x += 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
  }
  uint64_t seed_;
};

}  // namespace tidemark::demo
