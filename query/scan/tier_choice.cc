#include "query/scan/tier_choice.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "query/frame/time_math.h"
#include "query/promql/numbers.h"

namespace tidemark::query::scan {
namespace {

using frame::FloorMs;
using frame::kNsPerMs;
using frame::MsToNs;
using frame::MsToSeconds;
using plan::Interval;
using promql::Rollup;
using run::QueryState;
using run::Resolution;

Interval IntervalOf(const storage::RawGone& gone) {
  const int64_t first_ns = gone.range.first.ns;
  return {gone.range.first == model::Timestamp::Min() ? first_ns : first_ns - 1, gone.range.last.ns};
}

void WarnOfGone(const Interval& gone, std::string_view what, QueryState& state) {
  state.WarnPlain(fmt::format("raw rows up to Unix time {} are gone, and {}", MsToSeconds(FloorMs(gone.last_ns) + 1),
                              what));
}

// Of `widths` (ascending, not empty) the widest whose buckets the windows do not cut much, or else the narrowest.
int64_t WidthWhereGone(std::span<const Interval> windows, std::span<const int64_t> widths, const Interval& gone) {
  for (size_t i = widths.size(); i-- > 1;) {
    if (plan::ChooseTier(windows, widths.subspan(i, 1)) && !plan::CutsMuch(windows, widths[i], gone)) return widths[i];
  }
  return widths.front();
}

}  // namespace

TierNeeds NeedsOf(Rollup rollup) {
  return {.sums = rollup == Rollup::kAvg || rollup == Rollup::kSum,
          .changes = rollup == Rollup::kIncrease || rollup == Rollup::kRate};
}

CutAs CutAsOf(Rollup rollup) {
  switch (rollup) {
    case Rollup::kFirst:
    case Rollup::kLast: return CutAs::kEnds;
    case Rollup::kPresent: return CutAs::kPresence;
    default: return CutAs::kEvenRows;
  }
}

int64_t TierFor(Rollup rollup, const WindowSpec& windows, QueryState& state) {
  if (windows.grid.count == 0) return 0;
  const Resolution& resolution = state.context().resolution;
  const auto raw_gone = state.view().RawGoneIn(windows.Range());
  const Interval gone = raw_gone ? IntervalOf(*raw_gone) : Interval{};
  // Windows that reach beyond their ends look at single rows.
  const bool plain = windows.before_ms == 0 && windows.after_ms == 0;
  const bool rolls_up = rollup == Rollup::kQuantile ? raw_gone.has_value()
                                                    : rollup != Rollup::kNone && (plain || !NeedsOf(rollup).changes);
  const auto left_out = [&](std::string_view why) {
    if (raw_gone) WarnOfGone(gone, fmt::format("{}: the answer leaves them out", why), state);
    return int64_t{0};
  };
  if (resolution.kind == Resolution::Kind::kRaw) return left_out("resolution=raw was asked for");
  if (!rolls_up) return left_out("this function cannot be answered from the rollup tiers that are left");
  std::vector<int64_t> widths = raw_gone ? raw_gone->widths_ns : state.view().Tiers();
  if (resolution.kind == Resolution::Kind::kTier) {
    std::erase_if(widths, [&](int64_t width) { return width != resolution.tier_ns; });
  }
  if (widths.empty()) return left_out("no rollup tier that was asked for is left of all of them");
  std::vector<Interval> intervals;
  for (size_t step = 0; step < windows.grid.count; ++step) intervals.push_back(windows.Window(step));
  if (!raw_gone) {
    // A window as long as a bucket is one, where steps are aligned, as those of dashboards often are.
    std::erase_if(widths, [&](int64_t width) { return MsToNs(windows.length_ms) < width; });
    return widths.empty() ? 0 : plan::ChooseTier(intervals, widths).value_or(0);
  }
  const int64_t width_ns = WidthWhereGone(intervals, widths, gone);
  if (CutAsOf(rollup) == CutAs::kEvenRows && plan::CutsMuch(intervals, width_ns, gone)) {
    WarnOfGone(gone,
               fmt::format("windows of this query cut the buckets of {} that are left: what one of them holds is taken "
                           "to be spread evenly over it",
                           promql::DurationToString(width_ns / kNsPerMs)),
               state);
  }
  return width_ns;
}

int64_t TierForLatest(const WindowSpec& windows, QueryState& state) {
  if (!state.view().RawGoneIn(windows.Range())) return 0;
  return TierFor(Rollup::kLast, windows, state);
}

std::optional<Interval> GoneIn(const WindowSpec& windows, const QueryState& state) {
  const auto gone = state.view().RawGoneIn(windows.Range());
  if (!gone) return std::nullopt;
  return IntervalOf(*gone);
}

}  // namespace tidemark::query::scan
