// The *_over_time() functions that are one pass over the window: sums, extremes, counts, ends, variance.
#include <algorithm>
#include <cmath>

#include "query/frame/exact_sum.h"
#include "query/frame/kahan.h"
#include "query/frame/time_math.h"
#include "query/functions/fold_kernels.h"
#include "storage/model/stale_marker.h"

namespace tidemark::query::functions {
namespace {

using frame::FloorMs;
using frame::KahanMean;
using frame::KahanSum;
using frame::MsToSeconds;
using frame::Samples;
using scan::FoldCall;
using scan::ForEachWindow;
using scan::WorthSliding;

// Of each window with rows `exact(sum, count)`, where its ints() add up exactly, of others `rows(begin, end)`. A window
// decides by its own rows, so that its value does not depend on what else the query asks for.
template <typename Exact, typename Rows>
void ForEachSum(FoldCall& call, Exact exact, Rows rows) {
  const int64_t* const ints = call.samples.ints();
  if (ints == nullptr) {
    ForEachWindow<1>(call, [&](size_t, uint32_t begin, uint32_t end) { return rows(begin, end); });
    return;
  }
  if (WorthSliding(call) && call.samples.SumsExactly(call.samples.size())) {
    const int64_t* const prefix = call.samples.PrefixSums();
    ForEachWindow<1>(call, [&](size_t, uint32_t begin, uint32_t end) {
      return exact(static_cast<double>(prefix[end] - prefix[begin]), end - begin);
    });
    return;
  }
  ForEachWindow<1>(call, [&](size_t, uint32_t begin, uint32_t end) {
    const size_t count = end - begin;
    const frame::IntegerSum sum = frame::SumOf({ints + begin, count});
    return frame::AddUpExactly(sum.bits, count) ? exact(static_cast<double>(sum.sum), end - begin) : rows(begin, end);
  });
}

struct Less {
  template <typename T>
  bool operator()(T a, T b) const {
    return a < b;
  }
};
struct Greater {
  template <typename T>
  bool operator()(T a, T b) const {
    return a > b;
  }
};

// The best of `count` >= 1 values, none of them NaN. Four runs side by side, so that no comparison waits for another.
template <typename Better, typename T>
T BestOf(const T* values, size_t count) {
  constexpr Better better;
  T best[4] = {values[0], values[0], values[0], values[0]};
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (size_t lane = 0; lane < 4; ++lane) {
      best[lane] = better(values[i + lane], best[lane]) ? values[i + lane] : best[lane];
    }
  }
  for (; i < count; ++i) best[0] = better(values[i], best[0]) ? values[i] : best[0];
  for (size_t lane = 1; lane < 4; ++lane) best[0] = better(best[lane], best[0]) ? best[lane] : best[0];
  return best[0];
}

// The best value of each window, none of them NaN. `convert` makes the result from the winner.
template <typename Better, typename T, typename Convert>
void FoldExtreme(FoldCall& call, const T* values, Convert convert) {
  constexpr Better better;
  if (!WorthSliding(call)) {
    ForEachWindow<1>(call, [&](size_t, uint32_t begin, uint32_t end) {
      return convert(BestOf<Better>(values + begin, end - begin));
    });
    return;
  }
  // A queue of rows whose values get worse: its head is the best of the window. Each row enters and leaves once.
  std::vector<uint32_t>& queue = call.scratch.rows;
  queue.resize(call.samples.size());
  size_t head = 0;
  size_t tail = 0;
  uint32_t next = 0;
  ForEachWindow<1>(call, [&](size_t, uint32_t begin, uint32_t end) {
    next = std::max(next, begin);
    for (; next < end; ++next) {
      while (tail > head && !better(values[queue[tail - 1]], values[next])) --tail;
      queue[tail++] = next;
    }
    while (queue[head] < begin) ++head;
    return convert(values[queue[head]]);
  });
}

// With NaN among the values: it counts only where there is nothing else.
template <typename Better>
void FoldExtremeWithNan(FoldCall& call) {
  constexpr Better better;
  const double* const values = call.samples.doubles();
  ForEachWindow<1>(call, [&](size_t, uint32_t begin, uint32_t end) {
    double best = values[begin];
    for (uint32_t row = begin + 1; row < end; ++row) {
      if (better(values[row], best) || std::isnan(best)) best = values[row];
    }
    return best;
  });
}

template <typename Better>
void FoldExtremeOf(FoldCall& call) {
  Samples& samples = call.samples;
  if (const int64_t* const ints = samples.ints()) {
    const double divisor = samples.divisor();
    FoldExtreme<Better>(call, ints, [divisor](int64_t v) { return static_cast<double>(v) / divisor; });
  } else if (samples.HasNan()) {
    FoldExtremeWithNan<Better>(call);
  } else {
    FoldExtreme<Better>(call, samples.doubles(), [](double v) { return v; });
  }
}

// The time of the best value, the last one of equals.
template <typename Better>
void FoldTimeOfExtreme(FoldCall& call) {
  constexpr Better better;
  const double* const values = call.samples.doubles();
  ForEachWindow<1>(call, [&](size_t, uint32_t begin, uint32_t end) {
    uint32_t best = begin;
    for (uint32_t row = begin; row < end; ++row) {
      if (better(values[row], values[best]) || values[row] == values[best] || std::isnan(values[best])) best = row;
    }
    return MsToSeconds(FloorMs(call.samples.times()[best]));
  });
}

template <typename Finish>
void FoldVariance(FoldCall& call, Finish finish) {
  const double* const values = call.samples.doubles();
  ForEachWindow<1>(call, [&](size_t, uint32_t begin, uint32_t end) {
    KahanSum mean;
    KahanSum squares;
    double count = 0;
    for (uint32_t row = begin; row < end; ++row) {
      count += 1;
      const double delta = values[row] - (mean.sum + mean.compensation);
      mean.Add(delta / count);
      squares.Add(delta * (values[row] - (mean.sum + mean.compensation)));
    }
    return finish((squares.sum + squares.compensation) / count);
  });
}

}  // namespace

void FoldSum(FoldCall& call) {
  const double divisor = call.samples.divisor();
  ForEachSum(
      call, [divisor](double sum, uint32_t) { return sum / divisor; },
      [&](uint32_t begin, uint32_t end) {
        const double* const values = call.samples.doubles();
        KahanSum sum;
        for (uint32_t row = begin; row < end; ++row) sum.Add(values[row]);
        return sum.Total();
      });
}

void FoldAvg(FoldCall& call) {
  const double divisor = call.samples.divisor();
  ForEachSum(
      call, [divisor](double sum, uint32_t count) { return sum / divisor / count; },
      [&](uint32_t begin, uint32_t end) {
        const double* const values = call.samples.doubles();
        KahanMean mean;
        for (uint32_t row = begin; row < end; ++row) mean.Add(values[row]);
        return mean.Value();
      });
}

void FoldCount(FoldCall& call) {
  ForEachWindow<1>(call, [](size_t, uint32_t begin, uint32_t end) { return static_cast<double>(end - begin); });
}

void FoldMin(FoldCall& call) { FoldExtremeOf<Less>(call); }
void FoldMax(FoldCall& call) { FoldExtremeOf<Greater>(call); }

void FoldFirst(FoldCall& call) {
  ForEachWindow<1>(call, [&](size_t, uint32_t begin, uint32_t) { return call.samples.At(begin); });
}

void FoldLast(FoldCall& call) {
  ForEachWindow<1>(call, [&](size_t, uint32_t, uint32_t end) { return call.samples.At(end - 1); });
}

void FoldPresent(FoldCall& call) {
  ForEachWindow<1>(call, [](size_t, uint32_t, uint32_t) { return 1.0; });
}

void FoldStddev(FoldCall& call) {
  FoldVariance(call, [](double variance) { return std::sqrt(variance); });
}

void FoldStdvar(FoldCall& call) {
  FoldVariance(call, [](double variance) { return variance; });
}

void FoldTimeOfFirst(FoldCall& call) {
  ForEachWindow<1>(call,
                   [&](size_t, uint32_t begin, uint32_t) { return MsToSeconds(FloorMs(call.samples.times()[begin])); });
}

void FoldTimeOfLast(FoldCall& call) {
  ForEachWindow<1>(call,
                   [&](size_t, uint32_t, uint32_t end) { return MsToSeconds(FloorMs(call.samples.times()[end - 1])); });
}

void FoldTimeOfMin(FoldCall& call) { FoldTimeOfExtreme<Less>(call); }
void FoldTimeOfMax(FoldCall& call) { FoldTimeOfExtreme<Greater>(call); }

void FoldLookback(FoldCall& call) {
  const Samples& samples = call.samples;
  const size_t steps = call.windows.steps();
  for (size_t step = 0; step < steps; ++step) {
    const uint32_t end = call.windows.end(step);
    if (end == call.windows.begin(step)) continue;
    const double value = samples.At(end - 1);
    call.out[step] = value;
    call.present[step] = model::IsStaleMarker(value) ? 0 : 1;
  }
}

void FoldLookbackTime(FoldCall& call) {
  const Samples& samples = call.samples;
  ForEachWindow<1>(call, [&](size_t step, uint32_t, uint32_t end) {
    static_cast<void>(step);
    return MsToSeconds(FloorMs(samples.times()[end - 1]));
  });
  for (size_t step = 0; step < call.windows.steps(); ++step) {
    if (call.present[step] != 0 && model::IsStaleMarker(samples.At(call.windows.end(step) - 1))) call.present[step] = 0;
  }
}

}  // namespace tidemark::query::functions
