// ChangeLog: when which times of a database changed, so that a reader can tell whether what it knows of a range still
// holds.
//
//   const uint64_t mark = log.number();          // before a view pins anything
//   { const ChangeLog::Change change = log.Begin(ranges);  heads.Append(...); }
//   log.Since(mark);                             // has `ranges`
//
// A change lies between Begin and the end of the Change: readers may or may not see it meanwhile. Its ranges count as
// changed for everybody from Begin on, and get their number at the end. So whatever two views show differently is in
// Since(the mark of either), asked after both were opened.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/model/resolved_batch.h"
#include "storage/model/timestamp.h"

namespace tidemark::storage::database {

// Thread-safe. Costs two locks for each batch, nothing for each row.
class ChangeLog {
 public:
  // Times are kept to the second, so that rows that come in the order of time need one interval for each second.
  static constexpr int64_t kGrainNs = 1'000'000'000;
  // Intervals that are kept. Past them the oldest changes are forgotten, and everything counts as changed since then.
  static constexpr size_t kMaxIntervals = 8192;

  // Ends its change when it goes.
  class [[nodiscard]] Change {
   public:
    Change(ChangeLog* log, uint64_t id) : log_(log), id_(id) {}
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    ~Change() { log_->End(id_); }

   private:
    ChangeLog* const log_;
    const uint64_t id_;
  };

  ChangeLog();
  ChangeLog(const ChangeLog&) = delete;
  ChangeLog& operator=(const ChangeLog&) = delete;

  // Unlike that of every other log of this process; not 0.
  [[nodiscard]] uint64_t id() const { return id_; }

  [[nodiscard]] Change Begin(std::span<const model::TimeRange> ranges);
  [[nodiscard]] Change Begin(const model::TimeRange& range) { return Begin(std::span(&range, 1)); }
  // Rows up to and with `last_ns` may be hidden by views that are opened from now on, more of them with every view.
  void NoteHidden(int64_t last_ns);

  // Of the last change that has ended.
  [[nodiscard]] uint64_t number() const;
  // What has changed after `number` or is changing now: ascending, disjoint. A superset: ends lie on whole seconds.
  [[nodiscard]] std::vector<model::TimeRange> Since(uint64_t number) const;

 private:
  struct Interval {
    int64_t last_ns = 0;
    uint64_t number = 0;
  };
  struct Pending {
    uint64_t id = 0;
    std::vector<model::TimeRange> ranges;
  };
  void End(uint64_t id);
  void Put(model::TimeRange range, uint64_t number) TM_REQUIRES(mutex_);
  void Forget() TM_REQUIRES(mutex_);

  const uint64_t id_;
  mutable Mutex mutex_;
  uint64_t number_ TM_GUARDED_BY(mutex_) = 0;
  uint64_t forgotten_ TM_GUARDED_BY(mutex_) = 0;  // changes up to here are not in intervals_
  uint64_t next_id_ TM_GUARDED_BY(mutex_) = 1;
  bool hides_ TM_GUARDED_BY(mutex_) = false;
  int64_t hidden_last_ns_ TM_GUARDED_BY(mutex_) = 0;
  std::map<int64_t, Interval> intervals_ TM_GUARDED_BY(mutex_);  // by first time; disjoint
  std::vector<Pending> pending_ TM_GUARDED_BY(mutex_);
};

// The times of `rows` as a few ranges: a batch with some late rows among those of now touches both ends and not what
// lies between. Empty for no rows.
std::vector<model::TimeRange> TouchedRanges(std::span<const model::ResolvedRow> rows);

}  // namespace tidemark::storage::database
