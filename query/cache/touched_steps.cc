#include "query/cache/touched_steps.h"

#include <algorithm>

namespace tidemark::query::cache {
namespace {

// Marks the steps of `grid` whose data lies in `range`.
void MarkTouched(const plan::StepGrid& grid, const ReuseRule& rule, const model::TimeRange& range,
                 std::vector<uint8_t>* touched) {
  // Steps t with t - before < last and t + after >= first, on whole milliseconds around the range.
  const int64_t first_ms = range.first.FloorMs() - rule.after_ms;
  const int64_t last_ms = range.last.FloorMs() + 1 + rule.before_ms;
  if (last_ms < grid.start_ms || first_ms > grid.end_ms()) return;
  const auto step_at = [&](int64_t ms) { return static_cast<size_t>((ms - grid.start_ms) / grid.step_ms); };
  const size_t first = first_ms <= grid.start_ms ? 0 : step_at(first_ms + grid.step_ms - 1);
  const size_t last = last_ms >= grid.end_ms() ? grid.count : step_at(last_ms) + 1;
  for (size_t step = first; step < last; ++step) (*touched)[step] = 1;
}

}  // namespace

std::vector<uint8_t> TouchedSteps(const plan::StepGrid& grid, const ReuseRule& rule,
                                  const std::vector<model::TimeRange>& changed) {
  std::vector<uint8_t> touched(grid.count);
  for (const model::TimeRange& range : changed) {
    const bool all = std::ranges::any_of(rule.fixed, [&](const ReuseRule::Span& span) {
      return range.last.FloorMs() + 1 > span.after_ms && range.first.FloorMs() <= span.last_ms;
    });
    if (all) {
      std::ranges::fill(touched, uint8_t{1});
      return touched;
    }
    // Without a selector that moves with the steps nothing else matters.
    MarkTouched(grid, rule, range, &touched);
  }
  return touched;
}

}  // namespace tidemark::query::cache
