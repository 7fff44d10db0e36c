// HeadSet: the newest rows of one database, in memory, one head per series, as they arrived. When enough is staged the
// engine freezes the set, starts a new one, and turns the frozen one into compressed pages (slabs) in the background.
//
// Appending is sharded by series. Rows of one series become visible in journal order, because Append admits batches
// shard by shard in the order of their tickets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "storage/base/result.h"
#include "storage/head/block_pool.h"
#include "storage/model/column.h"
#include "storage/model/resolved_batch.h"
#include "storage/model/timestamp.h"

namespace tidemark::head {

// Called when a series gets rows of a shape that its head has not seen: index::Index::NoteFields.
using NoteFieldsFn = std::function<void(std::span<const model::SeriesId>, std::span<const model::ResolvedField>)>;

struct HeadStats {
  uint64_t bytes = 0;  // memory held
  uint64_t rows = 0;
  uint64_t points = 0;
  uint64_t series = 0;  // with rows
};

// How much of the set a view sees: the batches with tickets below `tickets`, each as a whole.
struct HeadMark {
  uint64_t tickets = 0;
};

class HeadSet {
 public:
  // `shards`: a power of two. `pool`: where memory comes from and goes back to; null: the system.
  static std::unique_ptr<HeadSet> Create(uint32_t shards, NoteFieldsFn note_fields,
                                         std::shared_ptr<BlockPool> pool = nullptr);
  virtual ~HeadSet() = default;

  // Appends all rows. Thread-safe. `ticket`s are consecutive from 0 per set and every one is used exactly once: a
  // shard takes the batch with ticket t after that with t - 1.
  virtual void Append(const model::ResolvedBatch& batch, uint64_t ticket) = 0;
  // Uses up a ticket without rows (a write that failed after it had its place in line).
  virtual void SkipTicket(uint64_t ticket) = 0;

  // The present end: every batch whose Append has returned is inside.
  [[nodiscard]] virtual HeadMark Mark() const = 0;

  // The rows of one column inside `range` and before `mark`, sorted by time, each time once, the last write winning.
  // Valid while `buffer` and this set live. Empty when there are none. Thread-safe, also beside Append.
  [[nodiscard]] virtual model::Column Read(model::SeriesRef ref, const HeadMark& mark, model::TimeRange range,
                                           model::ColumnBuffer* buffer) const = 0;

  // Whether the series may have rows in `range`. Cheap.
  [[nodiscard]] virtual bool Touches(model::SeriesId series, const HeadMark& mark, model::TimeRange range) const = 0;

  // Whether there may be rows with this field. Looks at every shape.
  [[nodiscard]] virtual bool HasField(model::FieldId field) const = 0;

  // For a frozen set (no Append any more): calls `visit(measurement, series, columns)` for every series with rows in
  // `range`, ascending by (measurement, series); columns ascending by field, sorted and unique in time. Columns whose
  // rows have the same times share Times::explicit_ns (or are regular alike). The columns are valid during the call.
  // `visit` returning an error ends the walk with it.
  using VisitFn = std::function<Result<void>(model::MeasurementId, model::SeriesId, std::span<const model::Column>)>;
  [[nodiscard]] virtual Result<void> Visit(model::TimeRange range, const VisitFn& visit) const = 0;

  // The partitions of length partition_ns that have rows: their start times, ascending.
  [[nodiscard]] virtual std::vector<int64_t> Partitions(int64_t partition_ns) const = 0;

  [[nodiscard]] virtual HeadStats Stats() const = 0;
  // From the first to the last time of all rows; empty without any. Cheap.
  [[nodiscard]] virtual model::TimeRange Range() const = 0;
};

}  // namespace tidemark::head
