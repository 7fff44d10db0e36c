// The time that --from and --to name.
#pragma once

#include <cstdint>
#include <string>

#include "storage/base/clock.h"
#include "storage/base/result.h"
#include "tools/cli/command.h"
#include "tools/cli/time_text.h"

namespace tidemark::cli {

struct TimeSpan {
  int64_t from_ms = 0;
  int64_t to_ms = 0;
};

// An empty `to` is now. kInvalidArgument: one is no time, or they are in the wrong order.
inline Result<TimeSpan> ParseTimeSpan(const std::string& from, const std::string& to) {
  const int64_t now_ms = SystemClock::Get().NowNs() / 1'000'000;
  const Result<int64_t> from_ms = ParseTimeText(from, now_ms);
  if (!from_ms.ok()) return from_ms.error().Within("--from");
  const Result<int64_t> to_ms = to.empty() ? Result<int64_t>(now_ms) : ParseTimeText(to, now_ms);
  if (!to_ms.ok()) return to_ms.error().Within("--to");
  if (*from_ms >= *to_ms) return InvalidArgument("--from must be before --to");
  return TimeSpan{.from_ms = *from_ms, .to_ms = *to_ms};
}

// Tells of wrong usage, and returns its exit code.
inline int FailUsage(const std::string& message) {
  static_cast<void>(Fail(message));
  return 2;
}

}  // namespace tidemark::cli
