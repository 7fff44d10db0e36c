// Evaluator::Raw: a range selector or subquery that is the whole of an instant query.
#include <algorithm>
#include <map>
#include <utility>

#include "query/engine/evaluator.h"
#include "query/frame/column_union.h"
#include "query/frame/samples.h"
#include "query/frame/time_math.h"
#include "query/plan/planner.h"
#include "query/scan/row_reader.h"
#include "query/scan/tier_choice.h"
#include "storage/base/mutex.h"
#include "storage/model/stale_marker.h"

namespace tidemark::query::engine {
namespace {

using frame::CopyAsDoubles;
using frame::DropNames;
using frame::FloorMs;
using frame::LabelArena;
using frame::UniteColumns;
using run::QueryState;
using run::RawSeries;
using run::Reservation;
using scan::BlockSize;
using scan::ForEachBlock;
using scan::RowReader;
using scan::SeriesSource;
using scan::WindowSpec;

void AppendRows(const model::Column& column, RawSeries* out) {
  for (size_t row = 0; row < column.size(); ++row) {
    const double value = model::DoubleAt(column, row);
    if (model::IsStaleMarker(value)) continue;
    const int64_t time_ms = FloorMs(column.times[row]);
    // A reply knows milliseconds: of several rows within one the last is shown. Functions see each.
    if (!out->times_ms.empty() && out->times_ms.back() == time_ms) {
      out->values.back() = value;
      continue;
    }
    out->times_ms.push_back(time_ms);
    out->values.push_back(value);
  }
}

// Of a range narrower than a bucket whose rows are gone, which was read from further back: the samples behind
// `after_ms`, or else the newest, as a plain selector shows it.
void KeepNarrow(int64_t after_ms, RawSeries* series) {
  const auto inside = std::ranges::upper_bound(series->times_ms, after_ms) - series->times_ms.begin();
  const auto keep = std::min(inside, std::ssize(series->times_ms) - 1);
  series->times_ms.erase(series->times_ms.begin(), series->times_ms.begin() + keep);
  series->values.erase(series->values.begin(), series->values.begin() + keep);
}

// The ends of an anchored or smoothed range, within the rows that were read around it.
struct ExtendedRange {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  bool smoothed = false;
};

// The value at `at_ms` on the line between samples `i` and `i` + 1.
double Between(const RawSeries& series, size_t i, int64_t at_ms) {
  const double rise = series.values[i + 1] - series.values[i];
  return series.values[i] + rise * static_cast<double>(at_ms - series.times_ms[i]) /
                                static_cast<double>(series.times_ms[i + 1] - series.times_ms[i]);
}

// What functions would see of the range: a sample at its start, those inside of it, and a sample at its end. Nothing
// when all samples are before it. Source: Prometheus, promql/engine.go, extendFloats.
RawSeries Extend(const RawSeries& series, const ExtendedRange& range) {
  RawSeries out{.labels = series.labels, .times_ms = {}, .values = {}};
  const std::vector<int64_t>& times = series.times_ms;
  if (times.empty()) return out;
  const auto index = [&](auto at) { return static_cast<size_t>(at - times.begin()); };
  size_t last = times.size() - 1;
  size_t first = std::min(index(std::ranges::upper_bound(times, range.start_ms)), last);
  if (first > 0) --first;
  if (range.smoothed) last = std::min(index(std::ranges::lower_bound(times, range.end_ms)), last);
  if (times[last] <= range.start_ms) return out;
  const auto add = [&out](int64_t time_ms, double value) {
    out.times_ms.push_back(time_ms);
    out.values.push_back(value);
  };
  const bool before = range.smoothed && times[first] < range.start_ms;
  const bool after = range.smoothed && last > 0 && times[last] > range.end_ms;
  add(range.start_ms, before ? Between(series, first, range.start_ms) : series.values[first]);
  for (size_t i = first; i <= last; ++i) {
    if (times[i] > range.start_ms && times[i] < range.end_ms) add(times[i], series.values[i]);
  }
  add(range.end_ms, after ? Between(series, last - 1, range.end_ms) : series.values[last]);
  return out;
}

Result<std::vector<RawSeries>> ReadBlock(const SeriesSource& source, size_t first, size_t last,
                                         const model::TimeRange& range, QueryState* state) {
  std::vector<RawSeries> out;
  auto arena = std::make_unique<LabelArena>();
  model::LabelViews labels;
  uint64_t samples = 0;
  for (size_t i = first; i < last; ++i) {
    const std::vector<model::SeriesRef> refs =
        i < source.refs.size() ? std::vector{source.refs[i]} : source.merged[i - source.refs.size()];
    RowReader reader(refs, range, scan::GoneRows::kEnds, state);
    std::vector<model::ColumnBuffer> columns;
    model::Column column;
    for (size_t r = 0; r < refs.size(); ++r) {
      TM_RETURN_IF_ERROR(reader.Next(&column));
      if (refs.size() > 1) columns.push_back(CopyAsDoubles(column));
    }
    reader.Finish();
    model::ColumnBuffer buffer;
    if (refs.size() > 1) column = UniteColumns(columns, &buffer);
    samples += column.size();
    RawSeries series;
    AppendRows(column, &series);
    if (series.values.empty()) continue;
    state->view().LabelsOf(refs.front(), &labels);
    series.labels = arena->Store(labels);
    out.push_back(std::move(series));
  }
  state->Keep(std::move(arena));
  TM_RETURN_IF_ERROR(state->CountSamples(samples, last - first));
  // Raw series stay until the result goes, so their memory is never given back to the budget.
  TM_RETURN_IF_ERROR(state->Charge(samples * (sizeof(int64_t) + sizeof(double))));
  return out;
}

}  // namespace

Result<std::vector<RawSeries>> Evaluator::Raw(const plan::RangeNode& node, const plan::StepGrid& grid) {
  std::vector<RawSeries> out;
  if (node.subquery) {
    const plan::StepGrid inner_grid = plan::SubqueryGrid(node, grid);
    TM_TRY_ASSIGN(const Reservation steps, state_->TakeSteps(inner_grid.count, "subquery"));
    TM_TRY_ASSIGN(HeldFrame inner, Vector(*node.subquery, inner_grid));
    auto arena = std::make_unique<LabelArena>();
    TM_RETURN_IF_ERROR(DropNames(&inner.frame, arena.get(), state_));
    state_->Keep(std::move(arena));
    for (size_t row = 0; row < inner.frame.size(); ++row) {
      RawSeries series{.labels = inner.frame.rows[row].labels, .times_ms = {}, .values = {}};
      for (size_t step = 0; step < inner_grid.count; ++step) {
        if (inner.frame.RowPresent(row)[step] == 0) continue;
        series.times_ms.push_back(inner_grid.TimeMs(step));
        series.values.push_back(inner.frame.RowValues(row)[step]);
      }
      out.push_back(std::move(series));
    }
    return out;
  }
  TM_TRY_ASSIGN(const SeriesSource* source, Source(node.slot));
  plan::Reference reference = node.reference;
  reference.offset_ms -= node.after_ms;
  WindowSpec windows{.grid = grid,
                     .reference = reference,
                     .length_ms = node.window_ms + node.before_ms + node.after_ms,
                     .closed = node.closed};
  const int64_t after_ns = windows.Window(0).after_ns;
  const int64_t width_ns = scan::TierForRows(windows.Range(), scan::GoneRows::kEnds, *state_);
  if (width_ns != 0) scan::WidenToBuckets(width_ns, *state_, &windows);
  Mutex mutex;
  std::map<size_t, std::vector<RawSeries>> blocks;
  TM_RETURN_IF_ERROR(
      ForEachBlock(source->size(), BlockSize(1), state_, [&](size_t block, size_t first, size_t last) -> Status {
        TM_TRY_ASSIGN(std::vector<RawSeries> read, ReadBlock(*source, first, last, windows.Range(), state_));
        MutexLock lock(mutex);
        blocks.emplace(block, std::move(read));
        return {};
      }));
  for (auto& [_, block] : blocks) std::ranges::move(block, std::back_inserter(out));
  if (windows.Window(0).after_ns < after_ns) {
    for (RawSeries& series : out) KeepNarrow(FloorMs(after_ns), &series);
  }
  if (node.before_ms == 0) return out;
  const int64_t end_ms = node.reference.TimeMs(grid.TimeMs(0));
  const ExtendedRange range{.start_ms = end_ms - node.window_ms, .end_ms = end_ms, .smoothed = node.selector->smoothed};
  for (RawSeries& series : out) series = Extend(series, range);
  std::erase_if(out, [](const RawSeries& series) { return series.values.empty(); });
  return out;
}

}  // namespace tidemark::query::engine
