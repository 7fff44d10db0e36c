// RowReader: the rows of series, and of those that are gone what stands for them. Whoever in the engine wants rows has
// them from here (tests/layering holds that), because here it is known what was asked for and what is left: that
// something is missing, or is not what was written, is said once for all.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "query/plan/rollup_choice.h"
#include "query/run/query_state.h"
#include "query/scan/gone_rows.h"
#include "query/scan/tier_part.h"
#include "storage/base/result.h"
#include "storage/model/column.h"
#include "storage/model/timestamp.h"
#include "storage/storage.h"

namespace tidemark::query::scan {

// How many rows AppendRows makes of a bucket, at most.
uint64_t RowsFor(const TierPart& bucket, GoneRows as);

// Appends the rows that stand for a bucket (TierPart::OfBucket): as many as it has, spaced evenly, or those that are
// known; none for kKnown where they are not. `as` is one that stands for something.
void AppendRows(const TierPart& bucket, GoneRows as, model::ColumnBuffer* out);

// Not thread-safe: one per worker.
class RowReader {
 public:
  // Of rows in `range` that are gone `gone` says what is to stand for them. Warns of what is missing and of what is
  // made up. `refs` and `state` outlive this.
  RowReader(std::span<const model::SeriesRef> refs, model::TimeRange range, GoneRows gone, run::QueryState* state);

  // Fills `column` with the rows of the next series, which stay until the next call. Errors: those of the store,
  // kLimitExceeded where so many rows that are gone do not fit in the query's memory, kInternal behind the last series.
  Status Next(model::Column* column);
  // After the last series: passes on what the store had to skip.
  void Finish();

 private:
  // The tier whose buckets are written out; 0, with a warning, where there is none.
  [[nodiscard]] int64_t ChooseTier() const;
  Status WriteOut(const model::Column& rows);

  const model::TimeRange range_;
  const GoneRows gone_rows_;
  run::QueryState* const state_;
  const std::unique_ptr<storage::ColumnCursor> rows_;
  std::optional<plan::Interval> gone_;
  int64_t width_ns_ = 0;
  std::unique_ptr<storage::TierCursor> buckets_;
  run::Reservation memory_;
  bool left_out_ = false;  // buckets of which kKnown knows too little
  model::ColumnBuffer buffer_;
};

}  // namespace tidemark::query::scan
