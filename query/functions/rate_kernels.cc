// rate() and its family. Source of the arithmetic, step by step: Prometheus, promql/functions.go, extrapolatedRate and
// instantValue; documented at https://prometheus.io/docs/prometheus/latest/querying/functions/#rate
#include <algorithm>

#include "query/frame/time_math.h"
#include "query/functions/fold_kernels.h"
#include "query/scan/extrapolation.h"

namespace tidemark::query::functions {
namespace {

using frame::Samples;
using frame::SecondsBetween;
using scan::Extrapolated;
using scan::FoldCall;
using scan::ForEachWindow;
using scan::RateKind;
using scan::WindowSpec;

double Extrapolate(RateKind kind, const FoldCall& call, size_t step, uint32_t begin, uint32_t end, double first,
                   double change) {
  const WindowSpec& spec = call.windows.spec();
  const model::Times& times = call.samples.times();
  return Extrapolated(kind,
                      {.end_ms = spec.EndMs(step),
                       .length_ms = spec.length_ms,
                       .first_ns = times[begin],
                       .last_ns = times[end - 1],
                       .count = static_cast<double>(end - begin)},
                      first, change);
}

template <RateKind kind>
void FoldExtrapolated(FoldCall& call) {
  Samples& samples = call.samples;
  if constexpr (kind == RateKind::kDelta) {
    ForEachWindow<2>(call, [&](size_t step, uint32_t begin, uint32_t end) {
      const double first = samples.At(begin);
      return Extrapolate(kind, call, step, begin, end, first, samples.At(end - 1) - first);
    });
    return;
  }
  const std::vector<uint32_t>& drops = samples.Drops();
  size_t drop = 0;
  ForEachWindow<2>(call, [&](size_t step, uint32_t begin, uint32_t end) {
    const double first = samples.At(begin);
    double change = samples.At(end - 1) - first;
    while (drop < drops.size() && drops[drop] <= begin) ++drop;
    // What the counter had before each reset, one after the other, as the last bit depends on the order.
    for (size_t i = drop; i < drops.size() && drops[i] < end; ++i) change += samples.At(drops[i] - 1);
    return Extrapolate(kind, call, step, begin, end, first, change);
  });
}

}  // namespace

void FoldRate(FoldCall& call) { FoldExtrapolated<RateKind::kRate>(call); }
void FoldIncrease(FoldCall& call) { FoldExtrapolated<RateKind::kIncrease>(call); }
void FoldDelta(FoldCall& call) { FoldExtrapolated<RateKind::kDelta>(call); }

void FoldIrate(FoldCall& call) {
  const Samples& samples = call.samples;
  ForEachWindow<2>(call, [&](size_t, uint32_t, uint32_t end) {
    const double before = samples.At(end - 2);
    const double last = samples.At(end - 1);
    const double change = last < before ? last : last - before;
    return change / SecondsBetween(samples.times()[end - 2], samples.times()[end - 1]);
  });
}

void FoldIdelta(FoldCall& call) {
  const Samples& samples = call.samples;
  ForEachWindow<2>(call, [&](size_t, uint32_t, uint32_t end) { return samples.At(end - 1) - samples.At(end - 2); });
}

void FoldResets(FoldCall& call) {
  const std::vector<uint32_t>& drops = call.samples.Drops();
  ForEachWindow<1>(call, [&](size_t, uint32_t begin, uint32_t end) {
    const auto first = std::ranges::upper_bound(drops, begin);
    const auto last = std::ranges::lower_bound(drops, end);
    return static_cast<double>(std::max<std::ptrdiff_t>(last - first, 0));
  });
}

void FoldChanges(FoldCall& call) {
  const uint32_t* const changes = call.samples.PrefixChanges();
  // Row `begin` differs from one that is outside of the window, so it does not count.
  ForEachWindow<1>(call, [&](size_t, uint32_t begin, uint32_t end) {
    return static_cast<double>(changes[end] - changes[begin + 1]);
  });
}

}  // namespace tidemark::query::functions
