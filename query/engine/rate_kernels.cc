// rate() and its family. Source of the arithmetic, step by step: Prometheus, promql/functions.go, extrapolatedRate and
// instantValue; documented at https://prometheus.io/docs/prometheus/latest/querying/functions/#rate
#include <algorithm>

#include "query/engine/fold.h"
#include "query/engine/time_math.h"

namespace tidemark::query::engine {
namespace {

enum class RateKind { kRate, kIncrease, kDelta };

// One window's change, extended to the window's ends as far as the samples' spacing allows. `change` is corrected for
// resets.
double Extrapolate(RateKind kind, const FoldCall& call, size_t step, uint32_t begin, uint32_t end, double first,
                   double change) {
  const WindowSpec& spec = call.windows.spec();
  const model::Times& times = call.samples.times();
  const int64_t first_ns = times[begin];
  const int64_t last_ns = times[end - 1];
  const int64_t end_ms = spec.EndMs(step);
  double to_start = SecondsBetween(MsToNs(end_ms - spec.length_ms), first_ns);
  double to_end = SecondsBetween(last_ns, MsToNs(end_ms));
  const double sampled = SecondsBetween(first_ns, last_ns);
  const double average = sampled / static_cast<double>(end - begin - 1);
  const double threshold = average * 1.1;
  if (to_start >= threshold) to_start = average / 2;
  if (kind != RateKind::kDelta) {
    // A counter is never below zero, so it cannot have started before it would have been zero.
    double to_zero = to_start;
    if (change > 0 && first >= 0) to_zero = sampled * (first / change);
    to_start = std::min(to_start, to_zero);
  }
  if (to_end >= threshold) to_end = average / 2;
  double factor = (sampled + to_start + to_end) / sampled;
  if (kind == RateKind::kRate) factor /= MsToSeconds(spec.length_ms);
  return change * factor;
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

}  // namespace tidemark::query::engine
