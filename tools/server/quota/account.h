// Account: what a token, or a database, has taken of the server, and what it may still take.
//
// Rates are token buckets that may go into debt: who has not used up what he has may send as much as he likes at once,
// and waits afterwards until that is paid. So a batch that is larger than a second's share is taken, and the mean rate
// holds all the same.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "query/run/memory_total.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "tools/server/quota/quota_limits.h"

namespace tidemark::server::quota {

// What every reason begins with.
inline constexpr std::string_view kQuotaWords = query::run::kQuotaWords;

// Why something has to wait, and for how long.
struct Refusal {
  std::string reason;
  int64_t retry_s = 1;  // at least 1
};

// What was taken since the start, and what is held now.
struct Usage {
  uint64_t points = 0;
  uint64_t bytes = 0;
  uint64_t new_series = 0;
  uint64_t queries = 0;
  uint64_t refused_writes = 0;
  uint64_t refused_queries = 0;
  uint64_t refused_rows = 0;
  uint64_t running_queries = 0;
  uint64_t query_memory_bytes = 0;
  uint64_t new_fields = 0;  // of measurements that were there
  uint64_t series = 0;      // as QuotaLimits::series counts them; 0 where that has no limit
};

// Thread-safe. Lives as long as the server: answers that are still being sent hold memory on it.
class Account {
 public:
  // `whose`: "the token \"a\"", for messages. `clock` and `all`, the memory of all queries, outlive it.
  Account(std::string whose, const Clock* clock, query::run::MemoryTotal* all);

  void SetLimits(const QuotaLimits& limits) TM_EXCLUDES(mutex_);
  [[nodiscard]] QuotaLimits limits() const TM_EXCLUDES(mutex_);
  [[nodiscard]] Usage usage() const TM_EXCLUDES(mutex_);

  // A write of so many bytes may be read and parsed. nullopt: it may, and they are taken until SettleBytes, which gives
  // back what of them was not used, and counts the others.
  std::optional<Refusal> AdmitBytes(uint64_t bytes) TM_EXCLUDES(mutex_);
  void SettleBytes(uint64_t admitted, uint64_t used) TM_EXCLUDES(mutex_);
  // So many points may be written; as above.
  std::optional<Refusal> AdmitPoints(uint64_t points) TM_EXCLUDES(mutex_);
  void SettlePoints(uint64_t admitted, uint64_t written) TM_EXCLUDES(mutex_);

  // A series may be made: it is taken of the rate, and has a place among the series, until SeriesMade or
  // ReturnNewSeries.
  std::optional<Refusal> AdmitNewSeries() TM_EXCLUDES(mutex_);
  void ReturnNewSeries() TM_EXCLUDES(mutex_);
  void SeriesMade(uint64_t series) TM_EXCLUDES(mutex_);
  // Whether fields may be made that their measurement does not have. They count as new series do; those that were made
  // may leave a debt, as points do.
  std::optional<Refusal> AdmitFields() TM_EXCLUDES(mutex_);
  void FieldsMade(uint64_t count) TM_EXCLUDES(mutex_);

  // Whether a series may be written to. `held`: it did not count before and does not for good until KeepSeries; each
  // that is held is kept or returned once. Two writes may hold the same one.
  std::optional<Refusal> AdmitSeries(uint64_t series, bool* held) TM_EXCLUDES(mutex_);
  void KeepSeries(std::span<const uint64_t> series) TM_EXCLUDES(mutex_);
  void ReturnSeries(std::span<const uint64_t> series) TM_EXCLUDES(mutex_);

  void NoteRefusedRows(uint64_t rows) TM_EXCLUDES(mutex_);

  // A query that runs; the place is given back when it goes.
  class Running {
   public:
    explicit Running(Account* account) : account_(account) {}
    ~Running() { account_->EndQuery(); }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    Account* const account_;
  };
  // Null, with a reason, when as many run as may.
  std::unique_ptr<Running> BeginQuery(Refusal* refusal) TM_EXCLUDES(mutex_);
  // Where the memory of its queries is taken.
  [[nodiscard]] query::run::MemoryTotal* memory() { return &memory_; }

  [[nodiscard]] const std::string& whose() const { return whose_; }

 private:
  // So many a second; `level` is what may be taken now, below 0 a debt.
  struct Bucket {
    double level = 0;
    int64_t at_ns = 0;
  };
  // Fills up what has passed since; a bucket holds so many seconds.
  static constexpr double kSeconds = 2;

  void Fill(Bucket* bucket, uint64_t rate) const TM_REQUIRES(mutex_);
  std::optional<Refusal> Take(Bucket* bucket, uint64_t rate, uint64_t count, std::string_view what) TM_REQUIRES(mutex_);
  // Whether the bucket has `least`, and if not, why and how long that takes.
  std::optional<Refusal> Ask(Bucket* bucket, uint64_t rate, double least, std::string_view what) TM_REQUIRES(mutex_);
  static void Return(Bucket* bucket, uint64_t rate, uint64_t count);
  void TurnWindow() TM_REQUIRES(mutex_);
  // Where a series stands that counts; null: it does not.
  uint32_t* HoldersOf(uint64_t series) TM_REQUIRES(mutex_);
  [[nodiscard]] bool SeriesFull() const TM_REQUIRES(mutex_) {
    return series_.size() + series_before_.size() + places_ >= limits_.series;
  }
  [[nodiscard]] Refusal TooManySeries() const TM_REQUIRES(mutex_);
  void EndQuery() TM_EXCLUDES(mutex_);

  const std::string whose_;
  const Clock* const clock_;
  query::run::MemoryTotal memory_;
  mutable Mutex mutex_;
  QuotaLimits limits_ TM_GUARDED_BY(mutex_);
  Usage usage_ TM_GUARDED_BY(mutex_);
  Bucket points_ TM_GUARDED_BY(mutex_);
  Bucket bytes_ TM_GUARDED_BY(mutex_);
  Bucket new_series_ TM_GUARDED_BY(mutex_);
  // Series by the hour in which they were written to last: this one, and the one before. Others are forgotten. With
  // each, how many writes hold it; 0: it counts for good.
  std::unordered_map<uint64_t, uint32_t> series_ TM_GUARDED_BY(mutex_);
  std::unordered_map<uint64_t, uint32_t> series_before_ TM_GUARDED_BY(mutex_);
  // Of series that are being made, whose numbers nobody knows yet.
  uint64_t places_ TM_GUARDED_BY(mutex_) = 0;
  int64_t window_ns_ TM_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::server::quota
