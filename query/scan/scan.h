// ScanSeries: reads the series of a selector in parallel and folds each into the steps of a grid. The only place of the
// engine where columns come in.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "query/frame/frame.h"
#include "query/run/query_state.h"
#include "query/scan/fold.h"
#include "query/scan/gone_rows.h"
#include "query/scan/series_source.h"
#include "query/scan/windows.h"
#include "storage/base/result.h"
#include "storage/model/column.h"

namespace tidemark::query::scan {

// Where blocks of series go. Called from any worker, once for each block; `block` counts from 0 to the number of blocks
// less one in the order of the series, but calls come in any order. The frame may be changed or moved away. Labels in
// it live until the query ends.
using BlockSink = std::function<Status(size_t block, frame::Frame&& frame)>;

struct ScanSpec {
  WindowSpec windows;
  FoldKernel kernel = nullptr;
  GoneRows gone_rows = GoneRows::kNone;  // what the kernel gets for rows that are gone
  // The times of samples are asked for, in seconds, and not their values.
  bool gives_times = false;
  bool drop_stale = true;                // false for the look-back, which must see the marker
  std::vector<const double*> arguments;  // scalar arguments of the kernel, one value for each step
  frame::NameFate name = frame::NameFate::kKeep;
  // false: rows have no labels, which spares the look-ups when a sum over everything follows.
  bool labels = true;
};

// Rows without any value are left out. Errors: those of the sink (that of the first block), of the store, budgets.
Status ScanSeries(const SeriesSource& source, const ScanSpec& spec, run::QueryState* state, const BlockSink& sink);

// One block: the series of `refs`, in order.
Result<frame::Frame> ScanRefs(std::span<const model::SeriesRef> refs, const ScanSpec& spec, run::QueryState* state);

// The same over the rows of a frame that was evaluated on `grid`, each a series of its own: a subquery.
Status FoldFrame(const frame::Frame& frame, const plan::StepGrid& grid, const ScanSpec& spec, run::QueryState* state,
                 const BlockSink& sink);

// The values of a row of such a frame that are there, as a column; `buffer` holds what is not in the frame.
model::Column ColumnOfRow(const frame::Frame& frame, size_t row, const plan::StepGrid& grid,
                          model::ColumnBuffer* buffer);

// Runs body(block, first, last) over [0, count) cut into blocks of about `block_size`, in parallel, until one fails.
Status ForEachBlock(size_t count, size_t block_size, run::QueryState* state,
                    const std::function<Status(size_t block, size_t first, size_t last)>& body);

// Series per block so that a block's table stays within the processor's caches.
size_t BlockSize(size_t steps);

// The same for series that are read from the store: few series with long ranges are spread too. It depends on the
// query alone and not on the machine, because blocks decide the order of summation.
size_t ScanBlockSize(size_t series, const WindowSpec& windows);

}  // namespace tidemark::query::scan
