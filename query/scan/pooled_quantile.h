// PooledQuantile: the quantile of all samples that the series of a group have in a window: as if they were one series.
// Exactly, by selection; where raw rows are gone within 1 %, out of the sketches of rollup buckets put together.
// Quantiles of quantiles, which `quantile(0.99, quantile_over_time(0.99, x[5m]))` would be, say nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "query/frame/frame.h"
#include "query/frame/samples.h"
#include "query/run/query_state.h"
#include "query/scan/series_source.h"
#include "query/scan/sketch_fold.h"
#include "query/scan/windows.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/model/quantile_sketch.h"

namespace tidemark::query::scan {

// Collects the samples of series, block by block, then selects. A sample is kept once, however much windows overlap.
class PooledQuantile {
 public:
  // Groups have equal values of the labels `grouping` (sorted). `tier_ns`: the rollup tier that answers where raw rows
  // are gone (TierFor), 0 without. `windows` and `state` outlive this.
  PooledQuantile(const WindowSpec& windows, std::vector<std::string> grouping, int64_t tier_ns, run::QueryState* state);

  // Reads the series of a selector, in parallel.
  Status AddSeries(const SeriesSource& source);
  // The rows of a frame that was evaluated on `grid`: a subquery.
  Status AddFrame(const frame::Frame& frame, const plan::StepGrid& grid);

  // One row for each group that has samples; `q` has a value for each step.
  Result<frame::Frame> Finish(const double* q);

 private:
  // Samples in no order. The stretch of a sample is what lies between two neighbours of edges_.
  struct Group {
    frame::LabelSet labels;
    std::vector<uint32_t> stretches;
    std::vector<double> values;
    // Of the bucket that begins at covered_.after_ns + index * tier_ns_.
    std::map<size_t, model::QuantileSketch> sketches;
  };
  // What one worker has collected.
  struct Block {
    explicit Block(run::QueryState* state) : memory(state) {}
    std::map<std::string, Group> groups;  // by KeyOfOnly
    std::unique_ptr<frame::LabelArena> arena = std::make_unique<frame::LabelArena>();
    run::Reservation memory;
    uint64_t samples = 0;
    uint64_t bins = 0;  // of all sketches
    frame::Samples rows;
    std::string key;
  };

  Status Add(const model::Column& column, const frame::LabelSet& labels, Block* block) const;
  Status ReadOne(const SeriesSource& source, size_t index, Block* block) const;
  Status ReadSketches(std::span<const model::SeriesRef> refs, Block* block) const;
  Status Merge(Block&& block);
  // Adds the bins to a sketch of the group; how many bins it has more then.
  static uint64_t AddBins(std::span<const model::SketchBin> bins, size_t bucket, Group* group);
  Group& GroupOf(const frame::LabelSet& labels, Block* block) const;
  [[nodiscard]] plan::Interval RowsOf(size_t step) const {
    return tier_ns_ == 0 ? windows_.Window(step) : splits_[step].rows;
  }
  [[nodiscard]] size_t EdgeAt(int64_t time_ns) const;
  Status Select(const Group& group, const double* q, std::span<double> values, std::span<uint8_t> present) const;

  const WindowSpec& windows_;
  std::vector<std::string> grouping_;
  int64_t tier_ns_;
  run::QueryState* state_;
  std::vector<SketchSplit> splits_;  // by step, with a tier
  plan::Interval gone_;              // what only buckets can tell, with a tier
  plan::Interval covered_;           // by the buckets of all steps
  // Times at which the rows of some window begin or end, ascending. Samples between two neighbours are in the same
  // windows.
  std::vector<int64_t> edges_;
  std::vector<uint8_t> in_some_window_;  // by stretch

  Mutex mutex_;
  Block all_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::query::scan
