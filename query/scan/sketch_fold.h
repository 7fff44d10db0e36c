// SketchFold: quantile_over_time where raw rows are gone, out of the sketches of rollup buckets.
#pragma once

#include <cstdint>
#include <span>

#include "query/frame/frame.h"
#include "query/plan/rollup_choice.h"
#include "query/run/query_state.h"
#include "query/scan/scan.h"
#include "storage/base/result.h"
#include "storage/model/ids.h"
#include "storage/model/quantile_sketch.h"

namespace tidemark::query::scan {

// What answers a window where the raw rows of some time are gone: buckets, then the rows behind that time.
struct SketchSplit {
  plan::Interval buckets;  // its ends may cut some
  plan::Interval rows;
};
SketchSplit SplitAtGone(const plan::Interval& window, const plan::Interval& gone);

// Which part of the bucket that begins at `start_ns` lies in `buckets`, from 0 to 1. What is not in `gone` is none of
// it.
double ShareOfBucket(int64_t start_ns, int64_t width_ns, const plan::Interval& buckets, const plan::Interval& gone);

// Adds that part of a bucket's values: all of them, or some at evenly spaced ranks, at least one.
void AddShare(std::span<const model::SketchBin> bins, double share, model::QuantileSketch* out);

// One block of series. Windows behind the time that is gone are answered exactly, by their rows, others by buckets of
// `width_ns`, within 1 % (storage/model/quantile_sketch.h) of what lies in them.
Result<frame::Frame> FoldSketches(std::span<const model::SeriesRef> refs, const ScanSpec& spec, int64_t width_ns,
                                  run::QueryState* state);

}  // namespace tidemark::query::scan
