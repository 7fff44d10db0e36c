#include "query/plan/rollup_choice.h"

#include <algorithm>
#include <limits>

namespace tidemark::query::plan {
namespace {

double Length(const std::vector<Interval>& intervals) {
  double total = 0;
  for (const Interval& interval : intervals) total += static_cast<double>(interval.length_ns());
  return total;
}

}  // namespace

SplitWindow Split(const Interval& window, int64_t width_ns) {
  const SplitWindow raw{.gone = {}, .head = window, .buckets = {}, .tail = {}};
  // Near the ends of time the arithmetic on buckets would overflow.
  constexpr int64_t kFar = std::numeric_limits<int64_t>::max() / 4;
  if (window.after_ns < -kFar || window.last_ns > kFar || width_ns <= 0) return raw;
  const int64_t first = -FloorTo(-window.after_ns, width_ns);
  const int64_t last = FloorTo(window.last_ns, width_ns);
  if (first >= last) return raw;
  return {.gone = {}, .head = {window.after_ns, first}, .buckets = {first, last}, .tail = {last, window.last_ns}};
}

Interval Meet(const Interval& a, const Interval& b) {
  const Interval both{std::max(a.after_ns, b.after_ns), std::min(a.last_ns, b.last_ns)};
  return both.after_ns < both.last_ns ? both : Interval{};
}

SplitWindow SplitGone(const Interval& window, int64_t width_ns, const Interval& gone) {
  if (window.length_ns() <= 0 || window.after_ns >= gone.last_ns) return Split(window, width_ns);
  SplitWindow split;
  if (window.last_ns > gone.last_ns) split = Split({gone.last_ns, window.last_ns}, width_ns);
  split.gone = Meet(window, gone);
  return split;
}

int64_t CutNs(const Interval& window, int64_t width_ns, const Interval& gone) {
  const auto cuts = [&](int64_t time_ns) {
    return time_ns > gone.after_ns && time_ns < gone.last_ns && time_ns % width_ns != 0;
  };
  if (window.length_ns() <= 0) return 0;
  const bool start = cuts(window.after_ns);
  const bool end = cuts(window.last_ns);
  const bool one = FloorTo(window.after_ns, width_ns) == FloorTo(window.last_ns, width_ns);
  return start && end && !one ? 2 * width_ns : start || end ? width_ns : 0;
}

bool CutsMuch(std::span<const Interval> windows, int64_t width_ns, const Interval& gone) {
  constexpr double kMuch = 0.1;
  return std::ranges::any_of(windows, [&](const Interval& window) {
    return static_cast<double>(CutNs(window, width_ns, gone)) > kMuch * static_cast<double>(window.length_ns());
  });
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
