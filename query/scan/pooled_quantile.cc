#include "query/scan/pooled_quantile.h"

#include <algorithm>
#include <memory>

#include "query/frame/column_union.h"
#include "query/frame/quantile.h"
#include "query/scan/row_reader.h"
#include "query/scan/scan.h"
#include "query/scan/tier_choice.h"

namespace tidemark::query::scan {
namespace {

using frame::CopyAsDoubles;
using frame::Frame;
using frame::KeyOfOnly;
using frame::LabelSet;
using frame::NameFate;
using frame::Quantile;
using frame::UniteColumns;
using run::QueryState;
using run::Reservation;

constexpr size_t kSampleBytes = sizeof(uint32_t) + sizeof(double);
constexpr size_t kSeriesPerBlock = 64;

}  // namespace

PooledQuantile::PooledQuantile(const WindowSpec& windows, std::vector<std::string> grouping, int64_t tier_ns,
                               QueryState* state)
    : windows_(windows), grouping_(std::move(grouping)), tier_ns_(tier_ns), state_(state), all_(state) {
  const size_t steps = windows.grid.count;
  if (tier_ns_ != 0) gone_ = GoneIn(windows.Range(), tier_ns_, *state).value_or(plan::Interval{});
  for (size_t step = 0; step < steps && tier_ns_ != 0; ++step) {
    splits_.push_back(SplitAtGone(windows.Window(step), gone_));
    if (splits_.back().buckets.length_ns() <= 0) continue;
    const plan::Interval buckets = plan::WholeBuckets(splits_.back().buckets, tier_ns_);
    if (covered_.length_ns() == 0) covered_ = buckets;
    covered_ = {std::min(covered_.after_ns, buckets.after_ns), std::max(covered_.last_ns, buckets.last_ns)};
  }
  for (size_t step = 0; step < steps; ++step) {
    const plan::Interval rows = RowsOf(step);
    if (rows.length_ns() <= 0) continue;
    edges_.push_back(rows.after_ns);
    edges_.push_back(rows.last_ns);
  }
  std::ranges::sort(edges_);
  edges_.erase(std::ranges::unique(edges_).begin(), edges_.end());
  in_some_window_.resize(edges_.size());
  size_t done = 0;
  for (size_t step = 0; step < steps; ++step) {
    const plan::Interval rows = RowsOf(step);
    if (rows.length_ns() <= 0) continue;
    const size_t end = EdgeAt(rows.last_ns);
    for (size_t stretch = std::max(done, EdgeAt(rows.after_ns)); stretch < end; ++stretch) {
      in_some_window_[stretch] = 1;
    }
    done = std::max(done, end);
  }
}

size_t PooledQuantile::EdgeAt(int64_t time_ns) const {
  return static_cast<size_t>(std::ranges::lower_bound(edges_, time_ns) - edges_.begin());
}

PooledQuantile::Group& PooledQuantile::GroupOf(const LabelSet& labels, Block* block) const {
  KeyOfOnly(labels, grouping_, &block->key);
  Group& group = block->groups[block->key];
  if (group.labels.empty()) group.labels = Keep(labels, grouping_, block->arena.get());
  return group;
}

Status PooledQuantile::Add(const model::Column& column, const LabelSet& labels, Block* block) const {
  block->rows.Reset(column, true);
  const model::Times& times = block->rows.times();
  if (times.size == 0 || edges_.empty()) return {};
  Group& group = GroupOf(labels, block);
  const double* const values = block->rows.doubles();
  size_t row = times.UpperBound(edges_.front());
  for (size_t stretch = 0; stretch + 1 < edges_.size() && row < times.size; ++stretch) {
    const size_t end = times.UpperBound(edges_[stretch + 1]);
    if (in_some_window_[stretch] != 0) {
      group.stretches.insert(group.stretches.end(), end - row, static_cast<uint32_t>(stretch));
      group.values.insert(group.values.end(), values + row, values + end);
      block->samples += end - row;
    }
    row = end;
  }
  return block->memory.Set(block->samples * kSampleBytes + block->bins * sizeof(model::SketchBin));
}

uint64_t PooledQuantile::AddBins(std::span<const model::SketchBin> bins, size_t bucket, Group* group) {
  if (bins.empty()) return 0;
  model::QuantileSketch& sketch = group->sketches[bucket];
  const size_t before = sketch.bins().size();
  sketch.Merge(bins);
  return sketch.bins().size() - before;
}

Status PooledQuantile::ReadSketches(std::span<const model::SeriesRef> refs, Block* block) const {
  const auto cursor = state_->view().ScanSketches(refs, {{covered_.after_ns + 1}, {covered_.last_ns}}, tier_ns_);
  if (cursor == nullptr) return {};
  storage::SketchColumn column;
  model::LabelViews labels;
  uint64_t used = 0;
  for (const model::SeriesRef ref : refs) {
    column = {};
    TM_RETURN_IF_ERROR(cursor->Next(&column));
    if (column.buckets == 0) continue;
    state_->view().LabelsOf(ref, &labels);
    Group& group = GroupOf(LabelSet(labels.data(), labels.size()), block);
    for (size_t i = 0; i < column.buckets; ++i) {
      const int64_t start_ns = column.first_start_ns + static_cast<int64_t>(i) * tier_ns_;
      const uint32_t begin = i == 0 ? 0 : column.ends[i - 1];
      const std::span<const model::SketchBin> bins{column.bins + begin, column.ends[i] - begin};
      if (start_ns < covered_.after_ns || start_ns >= covered_.last_ns || bins.empty()) continue;
      block->bins += AddBins(bins, static_cast<size_t>((start_ns - covered_.after_ns) / tier_ns_), &group);
      ++used;
    }
  }
  for (std::string& warning : cursor->Warnings()) state_->WarnMissing(std::move(warning));
  if (used > 0) state_->CountTierBuckets(used, tier_ns_);
  return block->memory.Set(block->samples * kSampleBytes + block->bins * sizeof(model::SketchBin));
}

Status PooledQuantile::ReadOne(const SeriesSource& source, size_t index, Block* block) const {
  const std::vector<model::SeriesRef> refs =
      index < source.refs.size() ? std::vector{source.refs[index]} : source.merged[index - source.refs.size()];
  // Sketches have told what they know; without a tier nobody has.
  const auto gone = tier_ns_ != 0 ? GoneRows::kAnswered : GoneRows::kNone;
  RowReader reader(refs, windows_.Range(), gone, state_);
  std::vector<model::ColumnBuffer> columns;
  model::Column column;
  for (size_t i = 0; i < refs.size(); ++i) {
    TM_RETURN_IF_ERROR(reader.Next(&column));
    if (refs.size() > 1) columns.push_back(CopyAsDoubles(column));
  }
  reader.Finish();
  model::ColumnBuffer buffer;
  if (refs.size() > 1) column = UniteColumns(columns, &buffer);
  TM_RETURN_IF_ERROR(state_->CountSamples(column.size(), 1));
  model::LabelViews labels;
  state_->view().LabelsOf(refs.front(), &labels);
  return Add(column, LabelSet(labels.data(), labels.size()), block);
}

Status PooledQuantile::AddSeries(const SeriesSource& source) {
  return ForEachBlock(source.size(), kSeriesPerBlock, state_, [&](size_t, size_t first, size_t last) -> Status {
    Block block(state_);
    if (covered_.length_ns() > 0) {
      const std::span<const model::SeriesRef> refs(source.refs);
      const size_t end = std::min(last, refs.size());
      if (first < end) TM_RETURN_IF_ERROR(ReadSketches(refs.subspan(first, end - first), &block));
      for (size_t i = std::max(first, refs.size()); i < last; ++i) {
        TM_RETURN_IF_ERROR(ReadSketches(source.merged[i - refs.size()], &block));
      }
    }
    for (size_t i = first; i < last && !edges_.empty(); ++i) {
      TM_RETURN_IF_ERROR(state_->CheckInterrupt());
      TM_RETURN_IF_ERROR(ReadOne(source, i, &block));
    }
    return Merge(std::move(block));
  });
}

Status PooledQuantile::AddFrame(const Frame& frame, const plan::StepGrid& grid) {
  return ForEachBlock(frame.size(), kSeriesPerBlock, state_, [&](size_t, size_t first, size_t last) -> Status {
    Block block(state_);
    model::ColumnBuffer buffer;
    for (size_t row = first; row < last; ++row) {
      TM_RETURN_IF_ERROR(Add(ColumnOfRow(frame, row, grid, &buffer), frame.rows[row].labels, &block));
    }
    return Merge(std::move(block));
  });
}

Status PooledQuantile::Merge(Block&& block) {
  MutexLock lock(mutex_);
  all_.samples += block.samples;
  for (auto& [key, from] : block.groups) {
    const auto [at, added] = all_.groups.try_emplace(key);
    Group& to = at->second;
    if (added) to.labels = from.labels;
    for (auto& [bucket, sketch] : from.sketches) all_.bins += AddBins(sketch.bins(), bucket, &to);
    to.stretches.insert(to.stretches.end(), from.stretches.begin(), from.stretches.end());
    to.values.insert(to.values.end(), from.values.begin(), from.values.end());
  }
  state_->Keep(std::move(block.arena));
  return all_.memory.Set(all_.samples * kSampleBytes + all_.bins * sizeof(model::SketchBin));
}

Status PooledQuantile::Select(const Group& group, const double* q, std::span<double> values,
                              std::span<uint8_t> present) const {
  // By stretch: a window is then one run of values.
  Reservation memory(state_);
  TM_RETURN_IF_ERROR(memory.Set(2 * group.values.size() * sizeof(double) + edges_.size() * sizeof(size_t)));
  std::vector<size_t> ends(edges_.size() + 1);
  for (const uint32_t stretch : group.stretches) ++ends[stretch + 1];
  for (size_t i = 1; i < ends.size(); ++i) ends[i] += ends[i - 1];
  std::vector<size_t> next = ends;
  std::vector<double> sorted(group.values.size());
  for (size_t i = 0; i < group.values.size(); ++i) sorted[next[group.stretches[i]]++] = group.values[i];
  std::vector<double> window;
  model::QuantileSketch sketch;
  uint64_t selected = 0;
  for (size_t step = 0; step < values.size(); ++step) {
    window.clear();
    sketch.Clear();
    if (const plan::Interval times = RowsOf(step); times.length_ns() > 0) {
      window.assign(sorted.begin() + static_cast<std::ptrdiff_t>(ends[EdgeAt(times.after_ns)]),
                    sorted.begin() + static_cast<std::ptrdiff_t>(ends[EdgeAt(times.last_ns)]));
    }
    if (tier_ns_ != 0 && splits_[step].buckets.length_ns() > 0) {
      const auto index = [&](int64_t time_ns) { return static_cast<size_t>((time_ns - covered_.after_ns) / tier_ns_); };
      const plan::Interval whole = plan::WholeBuckets(splits_[step].buckets, tier_ns_);
      auto bucket = group.sketches.lower_bound(index(whole.after_ns));
      const auto past = group.sketches.lower_bound(index(whole.last_ns));
      for (; bucket != past; ++bucket) {
        const int64_t start_ns = covered_.after_ns + static_cast<int64_t>(bucket->first) * tier_ns_;
        AddShare(bucket->second.bins(), ShareOfBucket(start_ns, tier_ns_, splits_[step].buckets, gone_), &sketch);
      }
    }
    if (window.empty() && sketch.count() == 0) continue;
    selected += window.size() + sketch.bins().size();
    if (sketch.count() > 0) {
      for (const double value : window) sketch.Add(value);
      values[step] = sketch.Quantile(q[step]);
    } else {
      values[step] = Quantile(q[step], window);
    }
    present[step] = 1;
    if (selected >= kRowsPerLook) {
      selected = 0;
      TM_RETURN_IF_ERROR(state_->CheckInterrupt());
    }
  }
  return {};
}

Result<Frame> PooledQuantile::Finish(const double* q) {
  MutexLock lock(mutex_);
  Frame out(windows_.grid.count);
  std::vector<const Group*> groups;
  for (const auto& [_, group] : all_.groups) {
    if (group.values.empty() && group.sketches.empty()) continue;
    groups.push_back(&group);
    out.rows.push_back({.labels = group.labels, .name = NameFate::kKeep});
  }
  out.Resize(groups.size());
  TM_RETURN_IF_ERROR(ForEachBlock(groups.size(), 1, state_, [&](size_t, size_t first, size_t) {
    return Select(*groups[first], q, out.RowValues(first), out.RowPresent(first));
  }));
  out.DropEmptyRows();
  return out;
}

}  // namespace tidemark::query::scan
