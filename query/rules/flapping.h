// Flapping: an alert that begins and ends to fire again and again, and that people are told of once instead.
//
// A rule that has the key `flapping: 4 in 10m` counts how often each of its alerts begins or ends to fire. With the
// fourth time in ten minutes the alert flaps, until there are at most half as many in ten minutes: a lower bound than
// the upper one, so that an alert near it is not told of at each change after all. What it is at goes on to be written
// and shown as ever.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "storage/base/result.h"

namespace tidemark::query::rules {

struct FlapLimit {
  uint32_t changes = 0;  // 0: none. Range [2, kFlapChangesMax]
  int64_t within_ms = 0;
};

inline constexpr uint32_t kFlapChangesMax = 1'000;

// "4 in 10m". kInvalidArgument.
Result<FlapLimit> ParseFlapLimit(std::string_view text);
std::string PrintFlapLimit(const FlapLimit& limit);

enum class FlapTurn : uint8_t { kNone, kBegins, kEnds };

// Of one alert. Not thread-safe.
class FlapLog {
 public:
  FlapLog() = default;
  // As it was before a restart; `changes_ms` ascending.
  FlapLog(std::deque<int64_t> changes_ms, bool flapping) : changes_ms_(std::move(changes_ms)), flapping_(flapping) {}
  // It has begun or ended to fire.
  void Note(int64_t now_ms) { changes_ms_.push_back(now_ms); }
  // What has become of it by now; changes that are long over are forgotten.
  FlapTurn At(const FlapLimit& limit, int64_t now_ms);
  [[nodiscard]] bool flapping() const { return flapping_; }
  // There is nothing to remember.
  [[nodiscard]] bool idle() const { return !flapping_ && changes_ms_.empty(); }

 private:
  std::deque<int64_t> changes_ms_;  // ascending; at most as many as make it flap
  bool flapping_ = false;
};

}  // namespace tidemark::query::rules
