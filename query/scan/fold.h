// FoldCall: what a kernel of a range function gets: one series, its windows, the scalar arguments; and where it puts
// one value for each step. One indirect call for a whole series; inside, plain loops over arrays.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "query/frame/interrupt.h"
#include "query/frame/samples.h"
#include "query/scan/windows.h"

namespace tidemark::query::scan {

// Memory that kernels may use as they like, kept from series to series.
struct FoldScratch {
  std::vector<double> doubles;
  std::vector<uint32_t> rows;
};

struct FoldCall {
  const Windows& windows;
  frame::Samples& samples;  // without stale markers, except for the look-back kernel
  // The scalar arguments in order, each with a value for every step.
  std::span<const double* const> arguments;
  double* out;       // windows.steps() values
  uint8_t* present;  // set to 0 before
  FoldScratch& scratch;
  const frame::Interrupt* interrupt = nullptr;  // null: never stopped
  bool stopped = false;                         // set by a kernel that gave up because the query should end
};

// Whether the query should end: cancelled, or past its deadline.
inline bool ShouldStop(const FoldCall& call) {
  return call.interrupt != nullptr && !call.interrupt->CheckInterrupt().ok();
}

// Rows folded between two looks at the clock, some milliseconds of the slowest kernels.
inline constexpr uint64_t kRowsPerLook = 1 << 17;

using FoldKernel = void (*)(FoldCall& call);

// Calls value(step, begin, end) for each step whose window holds at least `rows_min` rows, and stores what it returns.
template <uint32_t rows_min, typename Function>
void ForEachWindow(FoldCall& call, Function value) {
  const size_t steps = call.windows.steps();
  uint64_t rows = 0;
  for (size_t step = 0; step < steps; ++step) {
    const uint32_t begin = call.windows.begin(step);
    const uint32_t end = call.windows.end(step);
    if (end - begin < rows_min) continue;
    rows += end - begin;
    if (rows >= kRowsPerLook) [[unlikely]] {
      rows = 0;
      if (ShouldStop(call)) {
        call.stopped = true;
        return;
      }
    }
    call.out[step] = value(step, begin, end);
    call.present[step] = 1;
  }
}

// Whether windows overlap so much that sliding beats folding each from its start.
inline bool WorthSliding(const FoldCall& call) { return call.windows.total_rows() > 3 * call.samples.size() + 16; }

}  // namespace tidemark::query::scan
