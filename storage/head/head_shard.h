// HeadShard: the heads of every series whose id falls to this shard, under one lock.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/head/block_arena.h"
#include "storage/head/head_chunk.h"
#include "storage/head/slot_table.h"
#include "storage/model/column.h"
#include "storage/model/resolved_batch.h"
#include "storage/model/timestamp.h"

namespace tidemark::head {

// The newest rows of one series.
struct Head {
  model::SeriesId series{};
  bool in_order = true;  // each row's time is greater than that of the row before
  HeadChunk* first = nullptr;
  HeadChunk* last = nullptr;
  const HeadShape* noted = nullptr;  // the last shape that NoteFields was told of
  uint64_t rows = 0;
  int64_t min_ns = 0;
  int64_t max_ns = 0;
  int64_t last_ns = 0;  // of the row appended last
};

class HeadShard {
 public:
  // `shift`: the low bits of a series id that choose the shard.
  HeadShard(uint32_t shift, std::shared_ptr<BlockPool> pool) : shift_(shift), arena_(std::move(pool)) {}

  // Waits for ticket - 1, then appends `rows` (indices into batch.rows, ascending). Series that got a shape unknown to
  // their head are appended to `to_note`, per shape of the batch. EndTurn lets the next ticket in.
  void Append(const model::ResolvedBatch& batch, std::span<const HeadShape* const> shapes,
              std::span<const uint32_t> rows, uint64_t ticket, std::vector<std::vector<model::SeriesId>>* to_note)
      TM_EXCLUDES(mutex_);

  void EndTurn() TM_EXCLUDES(mutex_);

  [[nodiscard]] uint64_t applied() const TM_EXCLUDES(mutex_);

  // The rows of one column, see HeadSet::Read.
  [[nodiscard]] model::Column Read(model::SeriesRef ref, uint64_t tickets, model::TimeRange range,
                                   model::ColumnBuffer* buffer) const TM_EXCLUDES(mutex_);
  [[nodiscard]] bool Touches(model::SeriesId series, model::TimeRange range) const TM_EXCLUDES(mutex_);

  // Heads of a frozen set, in order of creation. The caller promises that no Append runs.
  [[nodiscard]] std::span<const Head> frozen_heads() const TM_NO_THREAD_SAFETY_ANALYSIS { return heads_; }

  struct Totals {
    uint64_t bytes = 0;
    uint64_t rows = 0;
    uint64_t points = 0;
    uint64_t series = 0;
  };
  [[nodiscard]] Totals totals() const TM_EXCLUDES(mutex_);
  // See HeadSet::Range.
  [[nodiscard]] model::TimeRange range() const TM_EXCLUDES(mutex_);

 private:
  Head& HeadOf(model::SeriesId series) TM_REQUIRES(mutex_);
  [[nodiscard]] const Head* Find(model::SeriesId series) const TM_REQUIRES_SHARED(mutex_);
  void AppendRow(Head& head, const HeadShape* shape, int64_t time, const int64_t* values, const uint8_t* scales,
                 uint32_t ticket, std::span<const std::string_view> strings) TM_REQUIRES(mutex_);
  HeadChunk* StartChunk(Head& head, const HeadShape* shape, const int64_t* values, const uint8_t* scales)
      TM_REQUIRES(mutex_);

  const uint32_t shift_;
  mutable SharedMutex mutex_;
  // Appends wait for their turn under a mutex of their own, so that readers are not held up by those who wait.
  mutable Mutex turn_mutex_;
  CondVar turn_;
  uint64_t applied_ TM_GUARDED_BY(turn_mutex_) = 0;

  SlotTable slots_ TM_GUARDED_BY(mutex_);  // (series >> shift_) -> index into heads_ + 1; 0 = none
  std::vector<Head> heads_ TM_GUARDED_BY(mutex_);
  BlockArena arena_ TM_GUARDED_BY(mutex_);
  // Of all rows; kept, because heads are millions and requests about names ask for it.
  model::TimeRange range_ TM_GUARDED_BY(mutex_){model::Timestamp::Max(), model::Timestamp::Min()};
  uint64_t rows_ TM_GUARDED_BY(mutex_) = 0;
  uint64_t points_ TM_GUARDED_BY(mutex_) = 0;
};

// Strings stand in a row as the address of a length (uint32) and the bytes.
std::string_view StoredString(int64_t word);

// Gathers the rows of column `field` of `head` that lie in `range` and have a ticket below `tickets` (UINT64_MAX: all)
// into `buffer`, sorted by time, each time once, the last write winning.
model::Column ReadHead(const Head& head, model::SeriesRef ref, uint64_t tickets, model::TimeRange range,
                       model::ColumnBuffer* buffer);

// The columns of a head whose rows have several shapes, one after the other: calls `use` with each that has rows in
// `range`, ascending by field. One pass over the rows' shapes, however many there are. The head takes no rows any more.
// A column is valid while `buffers`, which grows to one for each, lives.
void ReadFields(const Head& head, model::TimeRange range, std::vector<model::ColumnBuffer>* buffers,
                const std::function<void(const model::Column&)>& use);

// All columns of a head whose rows have one shape, read together: the rows are sorted once for all of them. Reusable.
class HeadRows {
 public:
  // False when the head has rows of several shapes, which ReadHead must read field by field. columns() is then empty.
  bool Read(const Head& head, model::TimeRange range);

  // Ascending by field, with one timeline. Valid until the next Read.
  [[nodiscard]] std::span<const model::Column> columns() const { return columns_; }

 private:
  std::vector<int64_t> times_;
  std::vector<const char*> rows_;
  std::vector<model::ColumnBuffer> buffers_;
  std::vector<model::Column> columns_;
};

}  // namespace tidemark::head
