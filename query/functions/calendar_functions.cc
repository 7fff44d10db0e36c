// The functions of days, weeks and months in a named zone (query/trend/README.md): the range functions over calendar
// buckets fold windows of their own with the kernels of their plain kin.
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include <fmt/core.h>

#include "query/frame/time_math.h"
#include "query/functions/kernels.h"
#include "query/promql/numbers.h"
#include "query/scan/tier_choice.h"
#include "query/trend/zone.h"
#include "storage/model/stale_marker.h"

namespace tidemark::query::functions {
namespace {

using frame::Frame;
using frame::MsToNs;
using frame::MsToSeconds;
using frame::NameFate;
using frame::RowHead;
using frame::Samples;
using run::QueryState;
using scan::FoldCall;
using scan::ForEachWindow;
using scan::ScanSpec;
using scan::WindowSpec;
using trend::CalendarUnit;
using trend::Zone;

// Beyond this, in ms, lies no data; the calendar's arithmetic holds well past it.
constexpr int64_t kFarMs = 100'000'000'000'000'000;
constexpr double kBackMax = 1e6;

struct Calendar {
  CalendarUnit unit;
  Zone zone;
};

const std::string& TextOf(const plan::Node& node) { return *plan::As<plan::TextNode>(node).value; }

Result<Calendar> CalendarOf(const plan::Node& unit_node, const plan::Node& zone_node) {
  TM_TRY_ASSIGN(const CalendarUnit unit, trend::ParseCalendarUnit(TextOf(unit_node)));
  TM_TRY_ASSIGN(const Zone zone, Zone::Find(TextOf(zone_node)));
  return Calendar{.unit = unit, .zone = zone};
}

// A count of units that is the same at every step: windows must ascend.
Result<int64_t> CountOf(const plan::Node& node, std::string_view function, double least) {
  const bool constant = node.kind == plan::NodeKind::kConstant;
  const double count = constant ? plan::As<plan::ConstantNode>(node).value : 0;
  if (constant && count == std::trunc(count) && count >= least && count <= kBackMax) return static_cast<int64_t>(count);
  return InvalidArgument(fmt::format(
      "the number of units in a call to {} must be a constant whole number from {} to {}", function, least, kBackMax));
}

std::string_view NameOf(const plan::RollupNode& node) { return promql::Signature(node.function).name; }

// Tells which range would have been long enough.
void WarnOfShortRange(const plan::RollupNode& node, int64_t needed_ms, std::string_view what, QueryState* state) {
  constexpr int64_t kHourMs = 3'600'000;
  const int64_t hours = (needed_ms + kHourMs - 1) / kHourMs;
  state->Warn(fmt::format("the range of {} does not reach back to {} at every step, and steps where it does not have "
                          "no value; a range of {} does",
                          NameOf(node), what, promql::DurationToString(hours * kHourMs)),
              node.range->source->range);
}

// The scalars that are texts or counts of units have no columns; `numbers` first arguments do.
void KeepArguments(size_t numbers, ScanSpec* spec) { spec->arguments.resize(numbers); }

}  // namespace

Status SetUpCalendar(RollupSetup* setup) {
  const plan::RollupNode& node = setup->node;
  WindowSpec& windows = setup->spec->windows;
  // tm_calendar_quantile has a number before the unit.
  const size_t unit_at = node.scalars[0]->kind == plan::NodeKind::kText ? 0 : 1;
  TM_TRY_ASSIGN(const Calendar calendar, CalendarOf(*node.scalars[unit_at], *node.scalars[unit_at + 1]));
  int64_t back = 0;
  if (node.scalars.size() > unit_at + 2) {
    TM_TRY_ASSIGN(back, CountOf(*node.scalars[unit_at + 2], NameOf(node), 0));
  }
  KeepArguments(unit_at, setup->spec);
  auto own = std::make_shared<std::vector<plan::Interval>>();
  int64_t needed_ms = 0;
  for (size_t step = 0; step < windows.grid.count; ++step) {
    const int64_t end_ms = windows.EndMs(step);
    if (end_ms < -kFarMs || end_ms > kFarMs) {
      own->push_back({MsToNs(end_ms), MsToNs(end_ms)});
      continue;
    }
    const trend::CalendarBucket bucket = calendar.zone.Bucket(calendar.unit, end_ms, back);
    needed_ms = std::max(needed_ms, end_ms - bucket.after_ms);
    const bool reached = bucket.after_ms >= end_ms - windows.length_ms;
    const int64_t last_ms = reached ? std::min(bucket.last_ms, end_ms) : bucket.after_ms;
    own->push_back({MsToNs(bucket.after_ms), MsToNs(last_ms)});
  }
  if (needed_ms > windows.length_ms) {
    WarnOfShortRange(node, needed_ms, fmt::format("the start of the {}", TextOf(*node.scalars[unit_at])), setup->state);
  }
  windows.own = std::move(own);
  return {};
}

Status SetUpCalendarIncrease(RollupSetup* setup) {
  TM_RETURN_IF_ERROR(SetUpCalendar(setup));
  setup->spec->windows.before_ms = setup->state->context().lookback_ms;
  return {};
}

// From the last sample at or before the start of the bucket, if it is within the look-back, else from the first in it:
// the increases of neighbouring buckets add up to that of both.
void FoldIncreaseInBucket(FoldCall& call) {
  const Samples& samples = call.samples;
  const int64_t lookback_ns = MsToNs(call.windows.spec().before_ms);
  ForEachWindow<1>(call, [&](size_t step, uint32_t begin, uint32_t end) {
    uint32_t from = begin;
    if (begin > 0 && call.windows.spec().Window(step).after_ns - samples.times()[begin - 1] < lookback_ns) --from;
    double increase = 0;
    for (uint32_t row = from + 1; row < end; ++row) {
      const double before = samples.At(row - 1);
      const double now = samples.At(row);
      increase += now < before ? now : now - before;
    }
    return increase;
  });
}

Status SetUpChange(RollupSetup* setup) {
  const plan::RollupNode& node = setup->node;
  const WindowSpec& windows = setup->spec->windows;
  TM_TRY_ASSIGN(const Calendar calendar, CalendarOf(*node.scalars[0], *node.scalars[1]));
  int64_t count = 1;
  if (node.scalars.size() > 2) {
    TM_TRY_ASSIGN(count, CountOf(*node.scalars[2], NameOf(node), 1));
  }
  std::vector<double> earlier_ms;
  int64_t needed_ms = 0;
  for (size_t step = 0; step < windows.grid.count; ++step) {
    const int64_t end_ms = windows.EndMs(step);
    const bool far = end_ms < -kFarMs || end_ms > kFarMs;
    const int64_t then_ms = far ? end_ms : calendar.zone.Earlier(calendar.unit, end_ms, count);
    earlier_ms.push_back(static_cast<double>(then_ms));
    needed_ms = std::max(needed_ms, end_ms - then_ms);
  }
  // The values of a subquery are as far apart as its step.
  const int64_t lookback_ms = node.range->subquery
                                  ? std::max(setup->state->context().lookback_ms, node.range->subquery_step_ms)
                                  : setup->state->context().lookback_ms;
  if (needed_ms >= windows.length_ms) {
    WarnOfShortRange(node, needed_ms + lookback_ms, "the earlier time", setup->state);
  }
  // Where rows are gone the last one known counts for as long as a bucket is wide.
  const int64_t width_ns =
      node.range->subquery ? 0 : scan::TierForRows(windows.Range(), setup->spec->gone_rows, *setup->state);
  const plan::Interval gone = width_ns == 0
                                  ? plan::Interval{}
                                  : scan::GoneIn(windows.Range(), width_ns, *setup->state).value_or(plan::Interval{});
  const auto seen_back = [&](double at_ms) {
    const bool in_buckets = width_ns != 0 && at_ms <= static_cast<double>(frame::FloorMs(gone.last_ns));
    return static_cast<double>(in_buckets ? std::max(lookback_ms, width_ns / frame::kNsPerMs) : lookback_ms);
  };
  std::vector<double> back_from_end;
  std::vector<double> back_from_earlier;
  for (size_t step = 0; step < windows.grid.count; ++step) {
    back_from_end.push_back(seen_back(static_cast<double>(windows.EndMs(step))));
    back_from_earlier.push_back(seen_back(earlier_ms[step]));
  }
  setup->columns = {std::move(earlier_ms), std::move(back_from_end), std::move(back_from_earlier)};
  setup->spec->arguments.clear();
  for (const std::vector<double>& column : setup->columns) setup->spec->arguments.push_back(column.data());
  return {};
}

namespace {

// What instant selectors would have given at the end of the window and at the earlier time, where both give something.
template <typename Function>
void FoldChangeWith(FoldCall& call, Function change) {
  const Samples& samples = call.samples;
  const WindowSpec& spec = call.windows.spec();
  for (size_t step = 0; step < call.windows.steps(); ++step) {
    const uint32_t begin = call.windows.begin(step);
    // The newest of rows [begin, end) as seen from `at_ns`.
    const auto seen_from = [&](int64_t at_ns, size_t lookback, uint32_t end, double* value) {
      const int64_t lookback_ns = MsToNs(static_cast<int64_t>(call.arguments[lookback][step]));
      if (end <= begin || at_ns - samples.times()[end - 1] >= lookback_ns) return false;
      *value = samples.At(end - 1);
      return !model::IsStaleMarker(*value);
    };
    const int64_t then_ns = MsToNs(static_cast<int64_t>(call.arguments[0][step]));
    double now = 0;
    double then = 0;
    if (!seen_from(MsToNs(spec.EndMs(step)), 1, call.windows.end(step), &now)) continue;
    if (!seen_from(then_ns, 2, static_cast<uint32_t>(samples.times().UpperBound(then_ns)), &then)) continue;
    call.out[step] = change(now, then);
    call.present[step] = 1;
  }
}

}  // namespace

void FoldChange(FoldCall& call) {
  FoldChangeWith(call, [](double now, double then) { return now - then; });
}

void FoldChangeRatio(FoldCall& call) {
  FoldChangeWith(call, [](double now, double then) { return (now - then) / std::fabs(then); });
}

Status FrameCalendarStart(const CallArguments& call, Frame* frame) {
  TM_TRY_ASSIGN(const Calendar calendar, CalendarOf(*call.node.args[0], *call.node.args[1]));
  int64_t back = 0;
  if (call.node.args.size() > 2) {
    TM_TRY_ASSIGN(back, CountOf(*call.node.args[2], promql::Signature(call.node.function).name, -kBackMax));
  }
  const size_t row = frame->AddRow({});
  for (size_t step = 0; step < frame->steps; ++step) {
    const int64_t at_ms = call.grid.TimeMs(step);
    if (at_ms < -kFarMs || at_ms > kFarMs) continue;
    frame->RowValues(row)[step] = MsToSeconds(calendar.zone.Bucket(calendar.unit, at_ms, back).after_ms);
    frame->RowPresent(row)[step] = 1;
  }
  frame->DropEmptyRows();
  return {};
}

Status FrameLocalTime(const CallArguments& call, Frame* frame) {
  TM_TRY_ASSIGN(const Zone zone, Zone::Find(call.Text(1)));
  for (double& value : frame->values) {
    // Dates this far away are nobody's, and NaN has none.
    constexpr double kFarSeconds = static_cast<double>(kFarMs) / 1000;
    if (!(std::fabs(value) <= kFarSeconds)) continue;
    value += static_cast<double>(zone.OffsetSeconds(static_cast<int64_t>(std::floor(value))));
  }
  for (RowHead& head : frame->rows) head.name = NameFate::kDrop;
  return {};
}

}  // namespace tidemark::query::functions
