#include "query/scan/scan.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include "query/frame/time_math.h"
#include "query/scan/row_reader.h"
#include "storage/base/lent_thread.h"
#include "storage/base/mutex.h"
#include "storage/model/batch.h"

namespace tidemark::query::scan {
namespace {

using frame::Frame;
using frame::LabelArena;
using frame::MsToNs;
using frame::RowHead;
using frame::Samples;
using run::QueryState;
using run::Reservation;
using run::Turn;

// Values decoded between two looks at the clock: under a millisecond of work.
constexpr size_t kRowsPerCheck = 1 << 18;
constexpr size_t kSeriesPerCheck = 256;

// Folds the series of one block, one after the other, into a frame.
class BlockFolder {
 public:
  BlockFolder(const ScanSpec& spec, size_t series, QueryState* state)
      : spec_(spec), state_(state), memory_(state), windows_(spec.windows), frame_(spec.windows.grid.count) {
    series_max_ = series;
  }

  // Takes the memory for the block. Must be called first.
  Status Prepare() {
    constexpr size_t kCell = sizeof(double) + sizeof(uint8_t);
    constexpr size_t kWindow = 2 * sizeof(uint32_t);
    TM_RETURN_IF_ERROR(memory_.Set(frame_.steps * (series_max_ * kCell + kWindow)));
    frame_.rows.reserve(series_max_);
    frame_.values.resize(series_max_ * frame_.steps);
    frame_.present.resize(series_max_ * frame_.steps);
    return {};
  }

  // Labels of the row: those of `ref`, or of `head`.
  Status Add(const model::Column& column, model::SeriesRef ref) {
    TM_TRY_ASSIGN(const bool any, Fold(column));
    if (!any) return {};
    RowHead head{.labels = {}, .name = spec_.name};
    if (spec_.labels) {
      if (!arena_) arena_ = std::make_unique<LabelArena>();
      state_->view().LabelsOf(ref, &labels_);
      head.labels = arena_->Store(labels_);
    }
    frame_.rows.push_back(head);
    return {};
  }
  // A name that was to go inside a subquery goes, whatever the function outside does to names.
  Status Add(const model::Column& column, const RowHead& inner) {
    TM_TRY_ASSIGN(const bool any, Fold(column));
    if (any) frame_.rows.push_back({.labels = inner.labels, .name = std::max(inner.name, spec_.name)});
    return {};
  }

  // `counted`: the columns came from the store.
  Result<Frame> Finish(bool counted) {
    frame_.Resize(frame_.rows.size());
    if (arena_) state_->Keep(std::move(arena_));
    if (counted) TM_RETURN_IF_ERROR(state_->CountSamples(rows_, series_));
    return std::move(frame_);
  }

 private:
  // Folds into the next free row; whether there is any value.
  Result<bool> Fold(const model::Column& column) {
    rows_ += column.size();
    ++series_;
    if (rows_ - rows_checked_ >= kRowsPerCheck || series_ % kSeriesPerCheck == 0) {
      rows_checked_ = rows_;
      TM_RETURN_IF_ERROR(state_->CheckInterrupt());
    }
    if (column.empty()) return false;
    samples_.Reset(column, spec_.drop_stale);
    windows_.Fill(samples_.times());
    const size_t row = frame_.rows.size();
    double* const values = frame_.values.data() + row * frame_.steps;
    uint8_t* const present = frame_.present.data() + row * frame_.steps;
    FoldCall call{.windows = windows_,
                  .samples = samples_,
                  .arguments = spec_.arguments,
                  .out = values,
                  .present = present,
                  .scratch = scratch_,
                  .interrupt = state_};
    spec_.kernel(call);
    if (call.stopped) TM_RETURN_IF_ERROR(state_->CheckInterrupt());
    return std::find(present, present + frame_.steps, uint8_t{1}) != present + frame_.steps;
  }

  const ScanSpec& spec_;
  QueryState* state_;
  Reservation memory_;
  size_t series_max_ = 0;
  Windows windows_;
  Samples samples_;
  FoldScratch scratch_;
  Frame frame_;
  std::unique_ptr<LabelArena> arena_;
  model::LabelViews labels_;
  size_t rows_ = 0;
  size_t rows_checked_ = 0;
  size_t series_ = 0;
};

Status FoldRefs(std::span<const model::SeriesRef> refs, const ScanSpec& spec, QueryState* state, BlockFolder* folder) {
  RowReader reader(refs, spec.windows.Range(), spec.gone_rows, state);
  model::Column column;
  for (const model::SeriesRef ref : refs) {
    TM_RETURN_IF_ERROR(reader.Next(&column));
    TM_RETURN_IF_ERROR(folder->Add(column, ref));
  }
  reader.Finish();
  return {};
}

Status FoldMerged(const std::vector<model::SeriesRef>& refs, const ScanSpec& spec, QueryState* state,
                  BlockFolder* folder) {
  RowReader reader(refs, spec.windows.Range(), spec.gone_rows, state);
  model::Column column;
  TM_RETURN_IF_ERROR(reader.NextUnited(refs, &column));
  reader.Finish();
  return folder->Add(column, refs.front());
}

}  // namespace

size_t BlockSize(size_t steps) {
  constexpr size_t kCells = 32 * 1024;  // 9 bytes each
  return std::clamp<size_t>(kCells / std::max<size_t>(steps, 1), 1, 512);
}

size_t ScanBlockSize(size_t series, const WindowSpec& windows) {
  constexpr double kRowNs = 1e10;  // a guess: a row each 10 s
  constexpr double kRowsWorthSpreading = 1 << 18;
  constexpr size_t kBlocks = 16;
  const size_t block = BlockSize(windows.grid.count);
  const model::TimeRange range = windows.Range();
  const double length_ns = static_cast<double>(range.last.ns) - static_cast<double>(range.first.ns);
  if (static_cast<double>(series) * length_ns / kRowNs < kRowsWorthSpreading) return block;
  return std::max<size_t>(std::min(block, (series + kBlocks - 1) / kBlocks), 1);
}

Status ForEachBlock(size_t count, size_t block_size, QueryState* state,
                    const std::function<Status(size_t block, size_t first, size_t last)>& body) {
  const size_t blocks = (count + block_size - 1) / block_size;
  if (blocks == 1) {
    // Small queries are the most frequent ones; they need not wake anybody.
    TM_RETURN_IF_ERROR(state->CheckInterrupt());
    return body(0, 0, count);
  }
  ThisThreadIsBusy();
  Mutex mutex;
  size_t failed_block = blocks;
  std::optional<Error> failure;
  std::atomic<bool> stop{false};
  std::atomic<size_t> next{0};
  const std::function<void(size_t)> draw = [&](size_t) {
    Turn::Place place(state->turn());
    while (!stop.load(std::memory_order_relaxed) && place.MayGoOn()) {
      const size_t block = next.fetch_add(1, std::memory_order_relaxed);
      if (block >= blocks) return;
      Status status = state->CheckInterrupt();
      if (status.ok()) status = body(block, block * block_size, std::min(count, (block + 1) * block_size));
      if (status.ok()) continue;
      stop.store(true, std::memory_order_relaxed);
      MutexLock lock(mutex);
      if (block < failed_block) {
        failed_block = block;
        failure = std::move(status).error();
      }
    }
  };
  state->scheduler().ParallelFor(TaskKind::kQuery, std::min(blocks, state->scheduler().concurrency()), draw);
  // Helpers may have left when others wanted their places.
  draw(0);
  if (failure) return *std::move(failure);
  return {};
}

Status ScanSeries(const SeriesSource& source, const ScanSpec& spec, QueryState* state, const BlockSink& sink) {
  if (spec.windows.grid.count == 0) return {};
  return ForEachBlock(source.size(), ScanBlockSize(source.size(), spec.windows), state,
                      [&](size_t block, size_t first, size_t last) -> Status {
                        BlockFolder folder(spec, last - first, state);
                        TM_RETURN_IF_ERROR(folder.Prepare());
                        const size_t plain = std::min(last, source.refs.size());
                        if (first < plain) {
                          const std::span<const model::SeriesRef> all(source.refs);
                          TM_RETURN_IF_ERROR(FoldRefs(all.subspan(first, plain - first), spec, state, &folder));
                        }
                        for (size_t i = std::max(first, source.refs.size()); i < last; ++i) {
                          TM_RETURN_IF_ERROR(FoldMerged(source.merged[i - source.refs.size()], spec, state, &folder));
                        }
                        TM_TRY_ASSIGN(Frame frame, folder.Finish(true));
                        return sink(block, std::move(frame));
                      });
}

Result<Frame> ScanRefs(std::span<const model::SeriesRef> refs, const ScanSpec& spec, QueryState* state) {
  BlockFolder folder(spec, refs.size(), state);
  TM_RETURN_IF_ERROR(folder.Prepare());
  TM_RETURN_IF_ERROR(FoldRefs(refs, spec, state, &folder));
  return folder.Finish(true);
}

model::Column ColumnOfRow(const Frame& frame, size_t row, const plan::StepGrid& grid, model::ColumnBuffer* buffer) {
  model::Column out;
  out.scale = model::kBinaryScale;
  const auto values = frame.RowValues(row);
  const auto present = frame.RowPresent(row);
  // The times of far grids do not fit in nanoseconds, and end up at the ends of time.
  constexpr int64_t kMsMax = std::numeric_limits<int64_t>::max() / frame::kNsPerMs / 2;
  const bool fits = grid.start_ms >= -kMsMax && grid.end_ms() <= kMsMax;
  if (fits && std::ranges::find(present, uint8_t{0}) == present.end()) {
    out.times = {.size = frame.steps, .first_ns = MsToNs(grid.start_ms), .step_ns = MsToNs(grid.step_ms)};
    out.floats = values.data();
    return out;
  }
  buffer->Clear();
  for (size_t step = 0; step < frame.steps; ++step) {
    if (present[step] == 0) continue;
    buffer->times.push_back(MsToNs(grid.TimeMs(step)));
    buffer->floats.push_back(values[step]);
  }
  out.times = {.size = buffer->times.size(), .first_ns = 0, .step_ns = 0, .explicit_ns = buffer->times.data()};
  out.floats = buffer->floats.data();
  return out;
}

Status FoldFrame(const Frame& frame, const plan::StepGrid& grid, const ScanSpec& spec, QueryState* state,
                 const BlockSink& sink) {
  if (spec.windows.grid.count == 0) return {};
  return ForEachBlock(frame.size(), BlockSize(spec.windows.grid.count), state,
                      [&](size_t block, size_t first, size_t last) -> Status {
                        BlockFolder folder(spec, last - first, state);
                        TM_RETURN_IF_ERROR(folder.Prepare());
                        model::ColumnBuffer buffer;
                        for (size_t row = first; row < last; ++row) {
                          const model::Column column = ColumnOfRow(frame, row, grid, &buffer);
                          TM_RETURN_IF_ERROR(folder.Add(column, frame.rows[row]));
                        }
                        TM_TRY_ASSIGN(Frame folded, folder.Finish(false));
                        return sink(block, std::move(folded));
                      });
}

}  // namespace tidemark::query::scan
