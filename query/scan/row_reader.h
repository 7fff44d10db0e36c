// RowReader: the rows of series, and of those that are gone what stands for them. Whoever in the engine wants rows has
// them from here (tests/layering holds that), because here it is known what was asked for and what is left: that
// something is missing, or is not what was written, is said once for all.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

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
  // The same of the next series together, which have equal labels: `refs`, as many of those that this reads. Of rows at
  // one time that of the last series counts. Fields of one name (View::NewestOf) never had a row at the same time where
  // rows are gone: their buckets, where these overlap, count as one.
  Status NextUnited(std::span<const model::SeriesRef> refs, model::Column* column);
  // After the last series: passes on what the store had to skip.
  void Finish();

 private:
  // A bucket whose rows are gone, and where its time starts.
  struct GoneBucket {
    int64_t start_ns = 0;
    TierPart part;
  };
  // The rows of the next series that are there, and appends its buckets of those that are not, ascending.
  Status NextParts(model::Column* rows, std::vector<GoneBucket>* gone);
  // Puts buckets of fields of one name in the order of their rows.
  void Unite(std::vector<GoneBucket>* gone);
  // Takes memory for `rows` and for what stands for `gone`; whether anything does.
  Result<bool> Reserve(uint64_t rows, std::span<const GoneBucket> gone);
  // What stands for the buckets, as far as it lies in the range: until the next call.
  model::Column WriteOut(std::span<const GoneBucket> gone);

  const model::TimeRange range_;
  const GoneRows gone_rows_;
  run::QueryState* const state_;
  const std::unique_ptr<storage::ColumnCursor> rows_;
  std::optional<plan::Interval> gone_;
  int64_t width_ns_ = 0;
  std::unique_ptr<storage::TierCursor> buckets_;
  run::Reservation memory_;
  bool left_out_ = false;  // buckets of which kKnown knows too little
  bool mixed_ = false;     // buckets that were put together although their rows lie among each other
  std::vector<GoneBucket> gone_buckets_;
  model::ColumnBuffer buffer_;
  model::ColumnBuffer united_;
};

}  // namespace tidemark::query::scan
