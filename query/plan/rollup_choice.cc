#include "query/plan/rollup_choice.h"

#include <algorithm>
#include <limits>

namespace tidemark::query::plan {
namespace {

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

double Length(const std::vector<Interval>& intervals) {
  double total = 0;
  for (const Interval& interval : intervals) total += static_cast<double>(interval.length_ns());
  return total;
}

}  // namespace

SplitWindow Split(const Interval& window, int64_t width_ns) {
  const SplitWindow raw{.head = window, .buckets = {}, .tail = {}};
  // Near the ends of time the arithmetic on buckets would overflow.
  constexpr int64_t kFar = std::numeric_limits<int64_t>::max() / 4;
  if (window.after_ns < -kFar || window.last_ns > kFar || width_ns <= 0) return raw;
  const int64_t first = -FloorDiv(-window.after_ns, width_ns) * width_ns;
  const int64_t last = FloorDiv(window.last_ns, width_ns) * width_ns;
  if (first >= last) return raw;
  return {.head = {window.after_ns, first}, .buckets = {first, last}, .tail = {last, window.last_ns}};
}

SplitWindow SplitGone(const Interval& window, int64_t width_ns, int64_t gone_until_ns) {
  SplitWindow split = Split(window, width_ns);
  constexpr int64_t kFar = std::numeric_limits<int64_t>::max() / 4;
  if (window.after_ns < -kFar || window.last_ns > kFar || width_ns <= 0) return split;
  if (window.after_ns >= gone_until_ns || window.length_ns() <= 0) return split;
  const int64_t first = FloorDiv(window.after_ns, width_ns) * width_ns;
  const int64_t last = FloorDiv(window.last_ns, width_ns) * width_ns;
  split = {};
  if (first < last) split.buckets = {first, last};
  if (window.last_ns > gone_until_ns) split.tail = {std::max(last, gone_until_ns), window.last_ns};
  return split;
}

std::vector<Interval> Join(std::vector<Interval> intervals) {
  std::erase_if(intervals, [](const Interval& interval) { return interval.last_ns <= interval.after_ns; });
  std::ranges::sort(intervals, {}, &Interval::after_ns);
  std::vector<Interval> out;
  for (const Interval& interval : intervals) {
    if (!out.empty() && interval.after_ns <= out.back().last_ns) {
      out.back().last_ns = std::max(out.back().last_ns, interval.last_ns);
    } else {
      out.push_back(interval);
    }
  }
  return out;
}

bool WorthTier(const std::vector<Interval>& raw, const std::vector<Interval>& all) {
  return raw.size() <= kRawStretchesMax && 2 * Length(raw) <= Length(all);
}

std::optional<int64_t> ChooseTier(std::span<const Interval> windows, std::span<const int64_t> widths_ns) {
  const std::vector<Interval> all = Join({windows.begin(), windows.end()});
  for (size_t i = widths_ns.size(); i-- > 0;) {
    std::vector<Interval> raw;
    for (const Interval& window : windows) {
      const SplitWindow split = Split(window, widths_ns[i]);
      raw.push_back(split.head);
      raw.push_back(split.tail);
    }
    if (WorthTier(Join(std::move(raw)), all)) return widths_ns[i];
  }
  return std::nullopt;
}

}  // namespace tidemark::query::plan
