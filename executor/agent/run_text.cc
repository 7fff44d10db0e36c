// The texts of a run: its id, and durations for people.
#include <fmt/core.h>

#include <random>

#include "executor/agent/run.h"

namespace tidemark::executor {

std::string NewRunId(int64_t now_ns) {
  std::random_device random;
  return fmt::format("{:x}-{:08x}", now_ns, random());
}

std::string ToText(int64_t duration_ns) {
  const double seconds = static_cast<double>(duration_ns) / 1e9;
  if (seconds < 0.001) return fmt::format("{:.0f} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 120) return fmt::format("{:.2f} s", seconds);
  const auto whole = static_cast<int64_t>(seconds);
  return fmt::format("{} min {} s", whole / 60, whole % 60);
}

}  // namespace tidemark::executor
