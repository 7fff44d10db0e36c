#include "query/engine/pooled_quantile.h"

#include <algorithm>
#include <memory>

#include <fmt/core.h>

#include "query/engine/column_merge.h"
#include "query/engine/quantile.h"
#include "query/engine/scan.h"
#include "query/engine/time_math.h"

namespace tidemark::query::engine {
namespace {

constexpr size_t kSampleBytes = sizeof(uint32_t) + sizeof(double);
constexpr size_t kSeriesPerBlock = 64;

}  // namespace

PooledQuantile::PooledQuantile(const WindowSpec& windows, std::vector<std::string> grouping, QueryState* state)
    : windows_(windows), grouping_(std::move(grouping)), state_(state), all_(state) {
  for (size_t step = 0; step < windows.grid.count; ++step) {
    const plan::Interval window = windows.Window(step);
    edges_.push_back(window.after_ns);
    edges_.push_back(window.last_ns);
  }
  std::ranges::sort(edges_);
  edges_.erase(std::ranges::unique(edges_).begin(), edges_.end());
  in_some_window_.resize(edges_.size());
  size_t done = 0;
  for (size_t step = 0; step < windows.grid.count; ++step) {
    const plan::Interval window = windows.Window(step);
    const size_t end = EdgeAt(window.last_ns);
    for (size_t segment = std::max(done, EdgeAt(window.after_ns)); segment < end; ++segment) {
      in_some_window_[segment] = 1;
    }
    done = std::max(done, end);
  }
}

size_t PooledQuantile::EdgeAt(int64_t time_ns) const {
  return static_cast<size_t>(std::ranges::lower_bound(edges_, time_ns) - edges_.begin());
}

Status PooledQuantile::Add(const model::Column& column, const LabelSet& labels, Block* block) const {
  block->rows.Reset(column, true);
  const model::Times& times = block->rows.times();
  if (times.size == 0) return {};
  KeyOfOnly(labels, grouping_, &block->key);
  Group& group = block->groups[block->key];
  if (group.labels.empty()) group.labels = Keep(labels, grouping_, block->arena.get());
  const double* const values = block->rows.doubles();
  size_t row = times.UpperBound(edges_.front());
  for (size_t segment = 0; segment + 1 < edges_.size() && row < times.size; ++segment) {
    const size_t end = times.UpperBound(edges_[segment + 1]);
    if (in_some_window_[segment] != 0) {
      group.segments.insert(group.segments.end(), end - row, static_cast<uint32_t>(segment));
      group.values.insert(group.values.end(), values + row, values + end);
      block->samples += end - row;
    }
    row = end;
  }
  return block->memory.Set(block->samples * kSampleBytes);
}

Status PooledQuantile::ReadOne(const SeriesSource& source, size_t index, Block* block) const {
  const std::vector<model::SeriesRef> refs =
      index < source.refs.size() ? std::vector{source.refs[index]} : source.merged[index - source.refs.size()];
  const auto cursor = state_->view().Scan(refs, windows_.Range());
  std::vector<model::ColumnBuffer> columns;
  model::Column column;
  for (size_t i = 0; i < refs.size(); ++i) {
    TM_TRY_ASSIGN(const bool more, cursor->Next(&column));
    if (!more) return MakeError(ErrorCode::kInternal, "a scan ended before its last series");
    if (refs.size() > 1) columns.push_back(CopyAsDoubles(column));
  }
  for (const std::string& warning : cursor->warnings()) state_->WarnPlain(warning);
  model::ColumnBuffer buffer;
  if (refs.size() > 1) column = MergeColumns(columns, &buffer);
  TM_RETURN_IF_ERROR(state_->CountSamples(column.size(), 1));
  model::LabelViews labels;
  state_->view().LabelsOf(refs.front(), &labels);
  return Add(column, LabelSet(labels.data(), labels.size()), block);
}

Status PooledQuantile::AddSeries(const SeriesSource& source) {
  if (const auto gone = state_->view().RawGoneIn(windows_.Range())) {
    state_->WarnPlain(fmt::format(
        "raw rows up to Unix time {} are gone, and tm_pooled_quantile pools raw rows: the answer leaves them out",
        MsToSeconds(FloorMs(gone->range.last.ns) + 1)));
  }
  return ForEachBlock(source.size(), kSeriesPerBlock, state_, [&](size_t, size_t first, size_t last) -> Status {
    Block block(state_);
    for (size_t i = first; i < last; ++i) {
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
  TM_RETURN_IF_ERROR(all_.memory.Set((all_.samples + block.samples) * kSampleBytes));
  all_.samples += block.samples;
  for (auto& [key, from] : block.groups) {
    const auto [at, added] = all_.groups.try_emplace(key, std::move(from));
    if (added) continue;
    Group& to = at->second;
    to.segments.insert(to.segments.end(), from.segments.begin(), from.segments.end());
    to.values.insert(to.values.end(), from.values.begin(), from.values.end());
  }
  state_->Keep(std::move(block.arena));
  return {};
}

Status PooledQuantile::Select(const Group& group, const double* q, std::span<double> values,
                              std::span<uint8_t> present) const {
  // By segment: a window is then one run of values.
  Reservation memory(state_);
  TM_RETURN_IF_ERROR(memory.Set(2 * group.values.size() * sizeof(double) + edges_.size() * sizeof(size_t)));
  std::vector<size_t> ends(edges_.size() + 1);
  for (const uint32_t segment : group.segments) ++ends[segment + 1];
  for (size_t i = 1; i < ends.size(); ++i) ends[i] += ends[i - 1];
  std::vector<size_t> next = ends;
  std::vector<double> sorted(group.values.size());
  for (size_t i = 0; i < group.values.size(); ++i) sorted[next[group.segments[i]]++] = group.values[i];
  std::vector<double> window;
  uint64_t selected = 0;
  for (size_t step = 0; step < values.size(); ++step) {
    const plan::Interval times = windows_.Window(step);
    const size_t begin = ends[EdgeAt(times.after_ns)];
    const size_t end = ends[EdgeAt(times.last_ns)];
    if (begin == end) continue;
    window.assign(sorted.begin() + static_cast<std::ptrdiff_t>(begin),
                  sorted.begin() + static_cast<std::ptrdiff_t>(end));
    values[step] = Quantile(q[step], window);
    present[step] = 1;
    selected += end - begin;
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
    if (group.values.empty()) continue;
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

}  // namespace tidemark::query::engine
