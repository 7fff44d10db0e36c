#include "query/scan/sketch_fold.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include "query/frame/quantile.h"
#include "query/frame/samples.h"
#include "query/scan/row_reader.h"
#include "query/scan/tier_choice.h"

namespace tidemark::query::scan {
namespace {

using frame::Frame;
using frame::LabelArena;
using frame::Quantile;
using frame::Samples;
using plan::Interval;
using run::QueryState;

Interval Cover(const std::vector<SketchSplit>& splits, Interval SketchSplit::* part) {
  Interval all;
  for (const SketchSplit& split : splits) {
    const Interval& one = split.*part;
    if (one.length_ns() <= 0) continue;
    if (all.length_ns() == 0) all = one;
    all = {std::min(all.after_ns, one.after_ns), std::max(all.last_ns, one.last_ns)};
  }
  return all;
}

// The quantile of one window after the other, of the sketches of its buckets and of its rows together.
class WindowQuantile {
 public:
  WindowQuantile(int64_t width_ns, const Interval& gone) : width_ns_(width_ns), gone_(gone) {}

  void Clear() {
    sketch_.Clear();
    values_.clear();
  }

  void AddBuckets(const storage::SketchColumn& column, const Interval& buckets) {
    if (buckets.length_ns() <= 0) return;
    for (int64_t start = plan::FloorTo(buckets.after_ns, width_ns_); start < buckets.last_ns; start += width_ns_) {
      const int64_t index = (start - column.first_start_ns) / width_ns_;
      if (start < column.first_start_ns || index >= static_cast<int64_t>(column.buckets)) continue;
      const auto i = static_cast<size_t>(index);
      const uint32_t begin = i == 0 ? 0 : column.ends[i - 1];
      AddShare({column.bins + begin, column.ends[i] - begin}, ShareOfBucket(start, width_ns_, buckets, gone_),
               &sketch_);
      ++used_;
    }
  }

  void AddRows(const Samples& samples, const Interval& rows) {
    if (rows.length_ns() <= 0 || samples.size() == 0) return;
    const size_t begin = samples.times().UpperBound(rows.after_ns);
    const size_t end = samples.times().UpperBound(rows.last_ns);
    for (size_t i = begin; i < end; ++i) values_.push_back(samples.At(i));
  }

  // Exact where there are rows alone; nullopt of an empty window.
  std::optional<double> Of(double q) {
    if (sketch_.count() == 0 && values_.empty()) return std::nullopt;
    if (sketch_.count() == 0) return Quantile(q, values_);
    for (const double value : values_) sketch_.Add(value);
    return sketch_.Quantile(q);
  }

  // Buckets in all windows so far.
  [[nodiscard]] uint64_t used() const { return used_; }

 private:
  const int64_t width_ns_;
  const Interval gone_;
  model::QuantileSketch sketch_;
  std::vector<double> values_;
  uint64_t used_ = 0;
};

}  // namespace

SketchSplit SplitAtGone(const Interval& window, const Interval& gone) {
  if (window.after_ns >= gone.last_ns) return {.buckets = {}, .rows = window};
  SketchSplit split{.buckets = plan::Meet(window, gone), .rows = {}};
  if (window.last_ns > gone.last_ns) split.rows = {gone.last_ns, window.last_ns};
  return split;
}

double ShareOfBucket(int64_t start_ns, int64_t width_ns, const Interval& buckets, const Interval& gone) {
  const Interval bucket = plan::Meet({start_ns, start_ns + width_ns}, gone);
  const int64_t length_ns = bucket.length_ns();
  if (length_ns <= 0) return 0;
  return static_cast<double>(plan::Meet(bucket, buckets).length_ns()) / static_cast<double>(length_ns);
}

void AddShare(std::span<const model::SketchBin> bins, double share, model::QuantileSketch* out) {
  if (share >= 1) {
    out->Merge(bins);
    return;
  }
  uint64_t all = 0;
  for (const model::SketchBin& bin : bins) all += bin.count;
  if (all == 0 || share <= 0) return;
  const double ranks = std::max(1.0, std::round(share * static_cast<double>(all)));
  std::vector<model::SketchBin> some;
  uint64_t before = 0;
  double taken = 0;
  for (const model::SketchBin& bin : bins) {
    before += bin.count;
    const double until = std::floor(static_cast<double>(before) * ranks / static_cast<double>(all) + 0.5);
    if (until > taken) some.push_back({bin.key, static_cast<uint64_t>(until - taken)});
    taken = until;
  }
  out->Merge(some);
}

Result<Frame> FoldSketches(std::span<const model::SeriesRef> refs, const ScanSpec& spec, int64_t width_ns,
                           QueryState* state) {
  const size_t steps = spec.windows.grid.count;
  const Interval gone = GoneIn(spec.windows.Range(), width_ns, *state).value_or(Interval{});
  std::vector<SketchSplit> splits;
  for (size_t step = 0; step < steps; ++step) splits.push_back(SplitAtGone(spec.windows.Window(step), gone));
  const Interval buckets = Cover(splits, &SketchSplit::buckets);
  const Interval rows = Cover(splits, &SketchSplit::rows);
  const storage::View& view = state->view();
  std::unique_ptr<storage::SketchCursor> sketches;
  if (buckets.length_ns() > 0) {
    const Interval whole = plan::WholeBuckets(buckets, width_ns);
    sketches = view.ScanSketches(refs, {{whole.after_ns + 1}, {whole.last_ns}}, width_ns);
  }
  std::optional<RowReader> reader;
  if (rows.length_ns() > 0) {
    reader.emplace(refs, model::TimeRange{{rows.after_ns + 1}, {rows.last_ns}}, GoneRows::kAnswered, state);
  }

  Frame out(steps);
  auto arena = std::make_unique<LabelArena>();
  model::LabelViews labels;
  storage::SketchColumn sketch_column;
  model::Column column;
  Samples samples;
  WindowQuantile window(width_ns, gone);
  uint64_t read = 0;
  for (const model::SeriesRef ref : refs) {
    TM_RETURN_IF_ERROR(state->CheckInterrupt());
    sketch_column = {};
    column = {};
    if (sketches != nullptr) TM_RETURN_IF_ERROR(sketches->Next(&sketch_column));
    if (reader) TM_RETURN_IF_ERROR(reader->Next(&column));
    read += column.size();
    samples.Reset(column, true);
    const size_t row = out.AddRow({.labels = {}, .name = spec.name});
    bool any = false;
    for (size_t step = 0; step < steps; ++step) {
      window.Clear();
      window.AddBuckets(sketch_column, splits[step].buckets);
      window.AddRows(samples, splits[step].rows);
      const std::optional<double> value = window.Of(spec.arguments[0][step]);
      if (!value) continue;
      out.RowValues(row)[step] = *value;
      out.RowPresent(row)[step] = 1;
      any = true;
    }
    if (!any) {
      out.Resize(row);
      continue;
    }
    if (!spec.labels) continue;
    view.LabelsOf(ref, &labels);
    out.rows[row].labels = arena->Store(labels);
  }
  state->Keep(std::move(arena));
  if (sketches != nullptr) {
    for (std::string& warning : sketches->Warnings()) state->WarnMissing(std::move(warning));
  }
  if (reader) reader->Finish();
  TM_RETURN_IF_ERROR(state->CountSamples(read, refs.size()));
  if (window.used() > 0) state->CountTierBuckets(window.used(), width_ns);
  return out;
}

}  // namespace tidemark::query::scan
