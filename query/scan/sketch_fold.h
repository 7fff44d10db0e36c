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

namespace tidemark::query::scan {

// What answers a window where raw rows up to a time are gone: buckets, then the rows behind that time.
struct SketchSplit {
  plan::Interval buckets;
  plan::Interval rows;
};

// `gone_until_ns`: the end of a bucket of `width_ns`.
SketchSplit SplitAtGone(const plan::Interval& window, int64_t width_ns, int64_t gone_until_ns);

// One block of series. Raw rows up to `gone_until_ns`, the end of a bucket of `width_ns`, are gone; windows behind it
// are answered exactly, by their rows, others within 1 % (storage/model/quantile_sketch.h).
Result<frame::Frame> FoldSketches(std::span<const model::SeriesRef> refs, const ScanSpec& spec, int64_t width_ns,
                                  int64_t gone_until_ns, run::QueryState* state);

}  // namespace tidemark::query::scan
