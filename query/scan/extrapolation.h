// Extrapolation: what rate(), increase() and delta() make of the change between the first and the last sample of a
// window. Source of the arithmetic, step by step: Prometheus, promql/functions.go, extrapolatedRate.
#pragma once

#include <algorithm>
#include <cstdint>

#include "query/frame/time_math.h"

namespace tidemark::query::scan {

enum class RateKind { kRate, kIncrease, kDelta };

// A window of `length_ms` that ends at `end_ms`, with at least two samples.
struct SampledWindow {
  int64_t end_ms = 0;
  int64_t length_ms = 0;
  int64_t first_ns = 0;
  int64_t last_ns = 0;
  double count = 0;
};

// The change, extended to the window's ends as far as the samples' spacing allows. `change` is corrected for resets.
inline double Extrapolated(RateKind kind, const SampledWindow& window, double first, double change) {
  double to_start = frame::SecondsBetween(frame::MsToNs(window.end_ms - window.length_ms), window.first_ns);
  double to_end = frame::SecondsBetween(window.last_ns, frame::MsToNs(window.end_ms));
  const double sampled = frame::SecondsBetween(window.first_ns, window.last_ns);
  const double average = sampled / (window.count - 1);
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
  if (kind == RateKind::kRate) factor /= frame::MsToSeconds(window.length_ms);
  return change * factor;
}

}  // namespace tidemark::query::scan
