// Which rollup tier may answer a range function in place of raw rows. A window is then made of its raw head, whole
// buckets and its raw tail, and the answer is the same as from raw rows alone. Where raw rows are gone buckets answer
// alone, also those that the window's ends cut.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "query/plan/plan.h"

namespace tidemark::query::plan {

// Times (after_ns, last_ns].
struct Interval {
  int64_t after_ns = 0;
  int64_t last_ns = 0;
  // At most INT64_MAX.
  [[nodiscard]] int64_t length_ns() const {
    int64_t length = 0;
    return __builtin_sub_overflow(last_ns, after_ns, &length) ? INT64_MAX : length;
  }
  friend bool operator==(const Interval&, const Interval&) = default;
};

// The bucket [start, start + width) of a time as its number times the width; rounded down, also below zero.
inline int64_t FloorTo(int64_t time_ns, int64_t width_ns) {
  return (time_ns / width_ns - (time_ns % width_ns < 0 ? 1 : 0)) * width_ns;
}

// From the start of the first to the end of the last bucket that has times of `interval`, which is not empty.
inline Interval WholeBuckets(const Interval& interval, int64_t width_ns) {
  return {FloorTo(interval.after_ns, width_ns), FloorTo(interval.last_ns - 1, width_ns) + width_ns};
}

// What both have; empty where that is nothing.
Interval Meet(const Interval& a, const Interval& b);

// A window as whole buckets and what is left at its ends; empty intervals where there is nothing.
struct SplitWindow {
  Interval gone;  // answered by buckets alone, the first and the last of which it may cut
  Interval head;
  Interval buckets;  // from the start of the first to the end of the last whole bucket
  Interval tail;
};
SplitWindow Split(const Interval& window, int64_t width_ns);

// The same where the raw rows of `gone` have been dropped. There are none before: retention takes the oldest first. The
// border behind it is a time: what comes after it is split as any other window, from there on.
SplitWindow SplitGone(const Interval& window, int64_t width_ns, const Interval& gone);

// How wide the buckets are together that the window's ends cut inside of `gone`: at most two.
int64_t CutNs(const Interval& window, int64_t width_ns, const Interval& gone);

// Whether these hold so much of some window that an answer may be far off: more than a tenth of its length.
bool CutsMuch(std::span<const Interval> windows, int64_t width_ns, const Interval& gone);

// Sorts `intervals` and joins those that touch or overlap; empty ones go.
std::vector<Interval> Join(std::vector<Interval> intervals);

// At most this many stretches of raw rows are read beside a tier: each costs a pass over the index of pages.
inline constexpr size_t kRawStretchesMax = 64;

// Whether reading `raw` stretches beside buckets is worth it, where `all` is what raw rows alone would read.
bool WorthTier(const std::vector<Interval>& raw, const std::vector<Interval>& all);

// The widest of `widths_ns` (ascending) that saves at least half of the raw rows of these windows, if any does.
std::optional<int64_t> ChooseTier(std::span<const Interval> windows, std::span<const int64_t> widths_ns);

}  // namespace tidemark::query::plan
