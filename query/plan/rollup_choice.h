// Which rollup tier may answer a range function in place of raw rows. A window is then made of its raw head, whole
// buckets and its raw tail, and the answer is the same as from raw rows alone.
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

// A window as whole buckets and what is left at its ends; empty intervals where there is nothing.
struct SplitWindow {
  Interval head;
  Interval buckets;  // from the start of the first to the end of the last whole bucket
  Interval tail;
};
SplitWindow Split(const Interval& window, int64_t width_ns);

// The same where raw rows up to `gone_until_ns` (the end of a bucket) have been dropped. When something happened is
// known to the width of the tier there: a bucket counts to the window that its end lies in. Nothing raw is left over
// there.
SplitWindow SplitGone(const Interval& window, int64_t width_ns, int64_t gone_until_ns);

// Sorts `intervals` and joins those that touch or overlap; empty ones go.
std::vector<Interval> Join(std::vector<Interval> intervals);

// At most this many stretches of raw rows are read beside a tier: each costs a pass over the index of pages.
inline constexpr size_t kRawStretchesMax = 64;

// Whether reading `raw` stretches beside buckets is worth it, where `all` is what raw rows alone would read.
bool WorthTier(const std::vector<Interval>& raw, const std::vector<Interval>& all);

// The widest of `widths_ns` (ascending) that saves at least half of the raw rows of these windows, if any does.
std::optional<int64_t> ChooseTier(std::span<const Interval> windows, std::span<const int64_t> widths_ns);

}  // namespace tidemark::query::plan
