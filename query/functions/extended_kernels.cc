// rate() and its family over `anchored` and `smoothed` ranges: exact at the window's ends instead of extrapolated.
// `anchored` takes the newest sample at or before the start as the value there; `smoothed` interpolates at both ends.
// Source: Prometheus, promql/functions.go, extendedRate, and
// https://prometheus.io/docs/prometheus/latest/feature_flags/#extended-range-selectors
#include <algorithm>

#include "query/frame/time_math.h"
#include "query/functions/fold_kernels.h"

namespace tidemark::query::functions {
namespace {

using frame::kNsPerMs;
using frame::MsToNs;
using frame::Samples;
using frame::SecondsBetween;
using scan::FoldCall;
using scan::ShouldStop;
using scan::WindowSpec;

enum class Kind { kRate, kIncrease, kDelta };

// The value at `at_ns` on the line between rows `row` and `row` + 1. A counter that is reset between them was reset at
// once, so it starts at zero.
double Interpolate(const Samples& samples, uint32_t row, int64_t at_ns, bool counter) {
  const double after = samples.At(row + 1);
  const double first = samples.At(row);
  const double before = counter && after < first ? 0 : first;
  const int64_t from_ns = samples.times()[row];
  const int64_t to_ns = samples.times()[row + 1];
  // In milliseconds, so that the result is Prometheus' to the last bit.
  constexpr double kPerMs = kNsPerMs;
  return before + (after - before) * (static_cast<double>(at_ns - from_ns) / kPerMs) /
                      (static_cast<double>(to_ns - from_ns) / kPerMs);
}

// The window proper, and the rows that stand for it: from the newest at or before its start (or the first after) to
// the newest in it, with `smoothed` to the oldest at or after its end. Nothing when all rows are before it, or with
// `smoothed` after it: what lies beyond one end only says nothing of the window.
struct Extent {
  int64_t start_ns;
  int64_t end_ns;
  uint32_t begin;  // of all rows that were read for the step
  uint32_t first;
  uint32_t last;
  bool empty;
};

Extent ExtentOf(const FoldCall& call, size_t step, uint32_t begin, uint32_t end) {
  const WindowSpec& spec = call.windows.spec();
  const model::Times& times = call.samples.times();
  const int64_t end_ms = spec.EndMs(step) - spec.after_ms;
  Extent out{.start_ns = MsToNs(end_ms - (spec.length_ms - spec.before_ms - spec.after_ms)),
             .end_ns = MsToNs(end_ms),
             .begin = begin,
             .first = begin,
             .last = end - 1,
             .empty = false};
  const auto after = static_cast<uint32_t>(times.UpperBound(out.start_ns));
  out.first = std::clamp(after, begin, end - 1);
  if (out.first > begin) --out.first;
  if (spec.after_ms > 0) out.last = std::clamp(static_cast<uint32_t>(times.LowerBound(out.end_ns)), begin, end - 1);
  out.empty = times[out.last] <= out.start_ns || (spec.after_ms > 0 && times[out.first] > out.end_ns);
  return out;
}

// Stores value(extent) for each window that has one.
template <typename Value>
void ForEachExtent(FoldCall& call, Value value) {
  for (size_t step = 0; step < call.windows.steps(); ++step) {
    const uint32_t begin = call.windows.begin(step);
    const uint32_t end = call.windows.end(step);
    if (begin == end) continue;
    if (step % 256 == 0 && ShouldStop(call)) {
      call.stopped = true;
      return;
    }
    const Extent extent = ExtentOf(call, step, begin, end);
    if (extent.empty) continue;
    call.out[step] = value(extent);
    call.present[step] = 1;
  }
}

// What a counter lost by its resets: from `left` at the start of the window over its rows to `right` at its end.
double LostByResets(const Samples& samples, const Extent& extent, double left, double right) {
  const model::Times& times = samples.times();
  // The ends stand for rows on or beyond them.
  const uint32_t first = extent.first + (times[extent.first] <= extent.start_ns ? 1 : 0);
  const uint32_t past = extent.last + (times[extent.last] >= extent.end_ns ? 0 : 1);
  double before = left;
  double lost = 0;
  for (uint32_t row = first; row < past; ++row) {
    const double value = samples.At(row);
    if (value < before) lost += before;
    before = value;
  }
  return right < before ? lost + before : lost;
}

template <Kind kind>
void FoldExtended(FoldCall& call) {
  constexpr bool kCounter = kind != Kind::kDelta;
  const bool smoothed = call.windows.spec().after_ms > 0;
  const Samples& samples = call.samples;
  const model::Times& times = samples.times();
  ForEachExtent(call, [&](const Extent& extent) {
    const double left = smoothed && times[extent.first] < extent.start_ns
                            ? Interpolate(samples, extent.first, extent.start_ns, kCounter)
                            : samples.At(extent.first);
    const double right = smoothed && extent.last > extent.begin && times[extent.last] > extent.end_ns
                             ? Interpolate(samples, extent.last - 1, extent.end_ns, kCounter)
                             : samples.At(extent.last);
    double change = right - left;
    if (kCounter) change += LostByResets(samples, extent, left, right);
    return kind == Kind::kRate ? change / SecondsBetween(extent.start_ns, extent.end_ns) : change;
  });
}

}  // namespace

void FoldExtendedRate(FoldCall& call) { FoldExtended<Kind::kRate>(call); }
void FoldExtendedIncrease(FoldCall& call) { FoldExtended<Kind::kIncrease>(call); }
void FoldExtendedDelta(FoldCall& call) { FoldExtended<Kind::kDelta>(call); }

void FoldAnchoredChanges(FoldCall& call) {
  const uint32_t* const changes = call.samples.PrefixChanges();
  ForEachExtent(call, [&](const Extent& extent) {
    return static_cast<double>(changes[extent.last + 1] - changes[extent.first + 1]);
  });
}

void FoldAnchoredResets(FoldCall& call) {
  const std::vector<uint32_t>& drops = call.samples.Drops();
  ForEachExtent(call, [&](const Extent& extent) {
    return static_cast<double>(std::ranges::upper_bound(drops, extent.last) -
                               std::ranges::upper_bound(drops, extent.first));
  });
}

void FoldSmoothed(FoldCall& call) {
  const WindowSpec& spec = call.windows.spec();
  const Samples& samples = call.samples;
  for (size_t step = 0; step < call.windows.steps(); ++step) {
    const uint32_t begin = call.windows.begin(step);
    const uint32_t end = call.windows.end(step);
    const int64_t at_ns = MsToNs(spec.EndMs(step) - spec.after_ms);
    const auto past = static_cast<uint32_t>(samples.times().UpperBound(at_ns));
    if (begin == end || past <= begin) continue;
    const uint32_t before = past - 1;
    const bool between = samples.times()[before] < at_ns && past < end;
    call.out[step] = between ? Interpolate(samples, before, at_ns, false) : samples.At(before);
    call.present[step] = 1;
  }
}

}  // namespace tidemark::query::functions
