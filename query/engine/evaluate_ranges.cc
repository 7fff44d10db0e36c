// How an evaluator answers selectors and functions of ranges: from storage, from tiers, from a subquery.
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "query/engine/evaluator.h"
#include "query/frame/time_math.h"
#include "query/plan/planner.h"
#include "query/promql/quote.h"
#include "query/scan/pooled_quantile.h"
#include "query/scan/tier_choice.h"
#include "query/scan/tier_windows.h"
#include "storage/base/mutex.h"

namespace tidemark::query::engine {

using frame::Frame;
using frame::LabelArena;
using frame::NameFate;
using frame::RowHead;
using functions::FoldLookback;
using functions::FoldLookbackTime;
using functions::FoldSmoothed;
using functions::Kernel;
using functions::KernelFor;
using functions::LabelsOfAbsence;
using functions::RollupSetup;
using functions::WarnOfQuantiles;
using plan::As;
using plan::NodeKind;
using plan::StepGrid;
using run::Reservation;
using scan::BlockSink;
using scan::FoldFrame;
using scan::NoteUnknown;
using scan::PooledQuantile;
using scan::ScanLatest;
using scan::ScanSeries;
using scan::ScanSpec;
using scan::ScanTiers;
using scan::SeriesSource;
using scan::TierFor;
using scan::TierForRows;
using scan::WindowSpec;

namespace {

// Windows of `range_ms` that reach `before_ms` and `after_ms` beyond their ends.
WindowSpec Extended(const StepGrid& grid, plan::Reference reference, int64_t range_ms, int64_t before_ms,
                    int64_t after_ms, bool closed) {
  reference.offset_ms -= after_ms;
  return {.grid = grid,
          .reference = reference,
          .length_ms = range_ms + before_ms + after_ms,
          .before_ms = before_ms,
          .after_ms = after_ms,
          .closed = closed};
}

// Of `x smoothed`: where rows are gone the neighbours of a time may be as far away as a bucket is wide.
WindowSpec SmoothedWhereGone(const WindowSpec& windows, int64_t width_ns, const run::QueryState& state) {
  const auto gone = scan::GoneIn(windows.Range(), width_ns, state);
  const int64_t width_ms = (width_ns + frame::kNsPerMs - 1) / frame::kNsPerMs;
  plan::Reference reference = windows.reference;
  reference.offset_ms += windows.after_ms;
  WindowSpec out = Extended(windows.grid, reference, 0, std::max(windows.before_ms, width_ms),
                            std::max(windows.after_ms, width_ms), windows.closed);
  auto own = std::make_shared<std::vector<plan::Interval>>();
  for (size_t step = 0; step < windows.grid.count; ++step) {
    const bool wide = gone && windows.EndMs(step) - windows.after_ms <= frame::FloorMs(gone->last_ns);
    own->push_back(wide ? out.Window(step) : windows.Window(step));
  }
  out.own = std::move(own);
  return out;
}

}  // namespace

Status Evaluator::StreamSelect(const plan::SelectNode& node, const StepGrid& grid, bool labels, const BlockSink& sink) {
  TM_TRY_ASSIGN(const SeriesSource* source, Source(node.slot));
  const int64_t lookback_ms = state_->context().lookback_ms;
  const int64_t ahead_ms = node.smoothed ? lookback_ms : 0;
  ScanSpec spec{.windows = Extended(grid, node.reference, 0, lookback_ms, ahead_ms, state_->context().closed_windows),
                .kernel = node.smoothed     ? FoldSmoothed
                          : node.timestamps ? FoldLookbackTime
                                            : FoldLookback,
                .gone_rows = scan::GoneRows::kEnds,
                .gives_times = node.timestamps,
                .drop_stale = node.smoothed,
                .arguments = {},
                .name = node.timestamps ? NameFate::kDrop : NameFate::kKeep,
                .labels = labels};
  if (!node.smoothed) return ScanLatest(*source, spec, state_, sink);
  if (const int64_t width_ns = TierForRows(spec.windows.Range(), spec.gone_rows, *state_); width_ns != 0) {
    spec.windows = SmoothedWhereGone(spec.windows, width_ns, *state_);
  }
  return ScanSeries(*source, spec, state_, sink);
}

Status Evaluator::StreamRollup(const plan::RollupNode& node, const StepGrid& grid, bool labels, const BlockSink& sink) {
  const Kernel& kernel = KernelFor(node.function);
  TM_TRY_ASSIGN(const Scalars scalars, EvaluateScalars(node.scalars, grid));
  const bool extended = node.range->before_ms > 0 || node.range->after_ms > 0;
  ScanSpec spec{.windows = Extended(grid, node.range->reference, node.range->window_ms, node.range->before_ms,
                                    node.range->after_ms, node.range->closed),
                .kernel = extended ? kernel.extended_fold : kernel.fold,
                .gone_rows = kernel.gone_rows != scan::GoneRows::kNone
                                 ? kernel.gone_rows
                                 : scan::GoneRowsOf(promql::Signature(node.function).facts.rollup),
                .gives_times = kernel.gives_times,
                .drop_stale = !kernel.sees_stale,
                .arguments = scalars.pointers,
                .name = kernel.name,
                .labels = labels};
  RollupSetup setup{.node = node, .state = state_, .spec = &spec, .columns = {}};
  if (kernel.set_up != nullptr) TM_RETURN_IF_ERROR(kernel.set_up(&setup));
  if (spec.windows.own && spec.windows.Range().empty()) return {};
  const bool check_names = kernel.counter;
  std::atomic<bool> any{false};
  Mutex mutex;
  std::vector<std::string> counter_names;
  const BlockSink noting = [&](size_t block, Frame&& frame) -> Status {
    if (frame.size() > 0) any.store(true, std::memory_order_relaxed);
    if (check_names) {
      MutexLock lock(mutex);
      for (const RowHead& row : frame.rows) {
        const std::string_view name = row.labels.metric_name();
        if (!name.empty() && (counter_names.empty() || counter_names.back() != name)) counter_names.emplace_back(name);
      }
    }
    return sink(block, std::move(frame));
  };
  if (node.range->subquery) {
    spec.labels = true;
    TM_RETURN_IF_ERROR(StreamSubquery(node, grid, spec, noting));
  } else {
    TM_TRY_ASSIGN(const SeriesSource* source, Source(node.range->slot));
    // One name needs no look at labels: it is that of whatever series has a value.
    spec.labels = labels || (check_names && source->names.size() > 1);
    const promql::Rollup rollup = promql::Signature(node.function).facts.rollup;
    if (const int64_t tier_ns = TierFor(rollup, spec.windows, *state_); tier_ns != 0) {
      TM_RETURN_IF_ERROR(ScanTiers(*source, spec, rollup, tier_ns, state_, noting));
    } else {
      TM_RETURN_IF_ERROR(ScanSeries(*source, spec, state_, noting));
    }
    if (check_names && !spec.labels && any && !source->names.empty()) {
      counter_names.push_back(source->names.begin()->second);
    }
  }
  if (check_names) NoteCounterNames(node, counter_names);
  if (kernel.check != nullptr && any) {
    TM_RETURN_IF_ERROR(kernel.check({.node = node, .scalars = scalars.pointers, .steps = grid.count, .state = state_}));
  }
  return {};
}

void Evaluator::NoteCounterNames(const plan::RollupNode& node, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const bool counter =
        name.ends_with("_total") || name.ends_with("_sum") || name.ends_with("_count") || name.ends_with("_bucket");
    if (counter) continue;
    state_->Info(fmt::format("metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {}",
                             promql::Quote(name)),
                 node.range->source->range);
  }
}

Status Evaluator::StreamSubquery(const plan::RollupNode& node, const StepGrid& grid, ScanSpec spec,
                                 const BlockSink& sink) {
  const StepGrid inner_grid = plan::SubqueryGrid(*node.range, grid);
  TM_TRY_ASSIGN(const Reservation steps, state_->TakeSteps(inner_grid.count, "subquery"));
  TM_TRY_ASSIGN(const HeldFrame inner, Vector(*node.range->subquery, inner_grid));
  return FoldFrame(inner.frame, inner_grid, spec, state_, sink);
}

Result<HeldFrame> Evaluator::Pooled(const plan::RollupNode& node, const StepGrid& grid) {
  if (grid.count == 0) return Held(Frame(0));
  TM_TRY_ASSIGN(const Scalars scalars, EvaluateScalars(node.scalars, grid));
  std::vector<std::string> grouping;
  for (const plan::NodePtr& scalar : node.scalars) {
    if (scalar->kind == NodeKind::kText) grouping.push_back(*As<plan::TextNode>(*scalar).value);
  }
  std::ranges::sort(grouping);
  grouping.erase(std::ranges::unique(grouping).begin(), grouping.end());
  const WindowSpec windows = Extended(grid, node.range->reference, node.range->window_ms, 0, 0, node.range->closed);
  const int64_t tier_ns = node.range->subquery ? 0 : TierFor(promql::Rollup::kQuantile, windows, *state_);
  PooledQuantile pooled(windows, std::move(grouping), tier_ns, state_);
  if (node.range->subquery) {
    const StepGrid inner_grid = plan::SubqueryGrid(*node.range, grid);
    TM_TRY_ASSIGN(const Reservation steps, state_->TakeSteps(inner_grid.count, "subquery"));
    TM_TRY_ASSIGN(const HeldFrame inner, Vector(*node.range->subquery, inner_grid));
    TM_RETURN_IF_ERROR(pooled.AddFrame(inner.frame, inner_grid));
  } else {
    TM_TRY_ASSIGN(const SeriesSource* source, Source(node.range->slot));
    TM_RETURN_IF_ERROR(pooled.AddSeries(*source));
  }
  TM_TRY_ASSIGN(Frame out, pooled.Finish(scalars.pointers[0]));
  if (out.size() > 0) {
    TM_RETURN_IF_ERROR(
        WarnOfQuantiles({.node = node, .scalars = scalars.pointers, .steps = grid.count, .state = state_}));
  }
  return Held(std::move(out));
}

Result<HeldFrame> Evaluator::AbsentOverTime(const plan::RollupNode& node, const StepGrid& grid) {
  Mutex mutex;
  std::vector<uint8_t> found(grid.count);
  TM_RETURN_IF_ERROR(StreamRollup(node, grid, false, [&](size_t, Frame&& frame) -> Status {
    MutexLock lock(mutex);
    for (size_t row = 0; row < frame.size(); ++row) {
      const auto present = frame.RowPresent(row);
      for (size_t step = 0; step < frame.steps; ++step) found[step] |= present[step];
    }
    return {};
  }));
  if (!node.range->subquery) {
    NoteUnknown(Extended(grid, node.range->reference, node.range->window_ms, 0, 0, node.range->closed), *state_,
                &found);
  }
  auto arena = std::make_unique<LabelArena>();
  RowHead head;
  if (node.range->selector != nullptr) head.labels = LabelsOfAbsence(*node.range->selector, arena.get());
  state_->Keep(std::move(arena));
  Frame out(grid.count);
  const size_t row = out.AddRow(head);
  for (size_t step = 0; step < grid.count; ++step) {
    out.RowValues(row)[step] = 1;
    out.RowPresent(row)[step] = found[step] ^ 1;
  }
  out.DropEmptyRows();
  return Held(std::move(out));
}

}  // namespace tidemark::query::engine
