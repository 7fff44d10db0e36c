#include "query/scan/tier_choice.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
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
  state.WarnMissing(
      fmt::format("raw rows up to Unix time {} are gone, and {}", MsToSeconds(FloorMs(gone.last_ns) + 1), what));
}

// Of `widths` (ascending, not empty) the widest whose buckets the windows do not cut much, or else the narrowest.
int64_t WidthWhereGone(std::span<const Interval> windows, std::span<const int64_t> widths, const Interval& gone) {
  for (size_t i = widths.size(); i-- > 1;) {
    if (plan::ChooseTier(windows, widths.subspan(i, 1)) && !plan::CutsMuch(windows, widths[i], gone)) return widths[i];
  }
  return widths.front();
}

// Those that the query's resolution allows.
std::vector<int64_t> WidthsAllowed(std::vector<int64_t> widths, const QueryState& state) {
  const Resolution& resolution = state.context().resolution;
  if (resolution.kind == Resolution::Kind::kRaw) return {};
  if (resolution.kind == Resolution::Kind::kTier) {
    std::erase_if(widths, [&](int64_t width) { return width != resolution.tier_ns; });
  }
  return widths;
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
  const auto raw_gone = state.view().RawGoneIn(windows.Range());
  // Windows that reach beyond their ends look at single rows.
  const bool plain = windows.before_ms == 0 && windows.after_ms == 0;
  const bool rolls_up = rollup == Rollup::kQuantile ? raw_gone.has_value()
                                                    : rollup != Rollup::kNone && (plain || !NeedsOf(rollup).changes);
  if (!rolls_up) return 0;
  std::vector<int64_t> widths = WidthsAllowed(raw_gone ? raw_gone->widths_ns : state.view().Tiers(), state);
  std::vector<Interval> intervals;
  for (size_t step = 0; step < windows.grid.count; ++step) intervals.push_back(windows.Window(step));
  if (!raw_gone) {
    // A window as long as a bucket is one, where steps are aligned, as those of dashboards often are.
    std::erase_if(widths, [&](int64_t width) { return MsToNs(windows.length_ms) < width; });
    return widths.empty() ? 0 : plan::ChooseTier(intervals, widths).value_or(0);
  }
  if (widths.empty()) return 0;
  const Interval gone = GoneIn(windows.Range(), widths.back(), state).value_or(Interval{});
  const int64_t width_ns = WidthWhereGone(intervals, widths, gone);
  if (CutAsOf(rollup) == CutAs::kEvenRows && plan::CutsMuch(intervals, width_ns, gone)) {
    WarnOfCut(*GoneIn(windows.Range(), width_ns, state), width_ns, state);
  }
  return width_ns;
}

void WarnOfCut(const Interval& gone, int64_t width_ns, QueryState& state) {
  WarnOfGone(
      gone,
      fmt::format("windows of this query cut the buckets of {} that are left: what one of them holds is taken to "
                  "be spread evenly over it",
                  promql::DurationToString(width_ns / kNsPerMs)),
      state);
}

void WarnOfLeftOut(const Interval& gone, int64_t width_ns, QueryState& state) {
  WarnOfGone(
      gone,
      fmt::format("this function is answered only from those buckets of {} whose values were all alike or two at "
                  "most: the answer leaves the others out",
                  promql::DurationToString(width_ns / kNsPerMs)),
      state);
}

void WarnOfMixed(const Interval& gone, int64_t width_ns, QueryState& state) {
  WarnOfGone(
      gone,
      fmt::format("buckets of {} hold integers and floats of one series in turn: whether a counter was reset from "
                  "one to another of them is not known, and each reset is taken to be one of both",
                  promql::DurationToString(width_ns / kNsPerMs)),
      state);
}

int64_t TierForLatest(const WindowSpec& windows, QueryState& state) {
  if (!state.view().RawGoneIn(windows.Range())) return 0;
  return TierFor(Rollup::kLast, windows, state);
}

int64_t TierForRows(model::TimeRange range, GoneRows rows, QueryState& state) {
  const auto raw_gone = state.view().RawGoneIn(range);
  if (!raw_gone) return 0;
  const Interval gone = IntervalOf(*raw_gone);
  const auto left_out = [&](std::string_view why) {
    WarnOfGone(gone, fmt::format("{}: the answer leaves them out", why), state);
    return int64_t{0};
  };
  if (state.context().resolution.kind == Resolution::Kind::kRaw) return left_out("resolution=raw was asked for");
  const std::vector<int64_t> widths = WidthsAllowed(raw_gone->widths_ns, state);
  if (widths.empty()) return left_out("no rollup tier that was asked for is left of all of them");
  if (rows == GoneRows::kNone) return left_out("this function cannot be answered from the rollup tiers that are left");
  const std::string width = promql::DurationToString(widths.front() / kNsPerMs);
  switch (rows) {
    case GoneRows::kEnds:
      WarnOfGone(gone,
                 fmt::format("of each bucket of {} that is left only the first and the last row are known", width),
                 state);
      break;
    case GoneRows::kReset:
      WarnOfGone(
          gone,
          fmt::format("of each bucket of {} that is left it is only known whether a counter was reset within it, "
                      "not how often",
                      width),
          state);
      break;
    case GoneRows::kChord:
    case GoneRows::kCounter:
    case GoneRows::kLine:
      WarnOfGone(gone, fmt::format("the rows of each bucket of {} that is left are taken to lie on a line", width),
                 state);
      break;
    default: break;
  }
  return widths.front();
}

std::optional<Interval> GoneIn(model::TimeRange range, int64_t width_ns, const QueryState& state) {
  if (!state.view().RawGoneIn(range)) return std::nullopt;
  model::TimeRange wider;
  if (__builtin_sub_overflow(range.first.ns, width_ns, &wider.first.ns)) wider.first = model::Timestamp::Min();
  if (__builtin_add_overflow(range.last.ns, width_ns, &wider.last.ns)) wider.last = model::Timestamp::Max();
  return IntervalOf(*state.view().RawGoneIn(wider));
}

void NoteUnknown(const WindowSpec& windows, QueryState& state, std::vector<uint8_t>* steps) {
  if (windows.grid.count == 0) return;
  const auto gone = GoneIn(windows.Range(), 0, state);
  if (!gone || TierFor(Rollup::kPresent, windows, state) != 0) return;
  for (size_t step = 0; step < windows.grid.count; ++step) {
    if (plan::Meet(windows.Window(step), *gone).length_ns() > 0) (*steps)[step] = 1;
  }
}

void WidenToBuckets(int64_t width_ns, const QueryState& state, WindowSpec* windows) {
  const auto gone = GoneIn(windows->Range(), width_ns, state);
  if (!gone) return;
  auto own = std::make_shared<std::vector<Interval>>();
  for (size_t step = 0; step < windows->grid.count; ++step) {
    Interval window = windows->Window(step);
    if (window.length_ns() > 0 && window.last_ns <= gone->last_ns) {
      window.after_ns = std::min(window.after_ns, window.last_ns - width_ns);
    }
    own->push_back(window);
  }
  windows->length_ms = std::max(windows->length_ms, (width_ns + kNsPerMs - 1) / kNsPerMs);
  windows->own = std::move(own);
}

}  // namespace tidemark::query::scan
