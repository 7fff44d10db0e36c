// Account: what a token, or a database, has taken of the server, and what it may still take.
//
// Rates are token buckets that may go into debt: who has not used up what he has may send as much as he likes at once,
// and waits afterwards until that is paid. So a batch that is larger than a second's share is taken, and the mean rate
// holds all the same.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

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
  uint64_t series = 0;  // as QuotaLimits::series counts them; 0 where that has no limit
};

// Thread-safe. Lives as long as the server: answers that are still being sent hold memory on it.
class Account {
 public:
  // `whose`: "the token \"a\"", for messages. `clock` and `all`, the memory of all queries, outlive it.
  Account(std::string whose, const Clock* clock, query::run::MemoryTotal* all);

  void SetLimits(const QuotaLimits& limits) TM_EXCLUDES(mutex_);
  [[nodiscard]] QuotaLimits limits() const TM_EXCLUDES(mutex_);
  [[nodiscard]] Usage usage() const TM_EXCLUDES(mutex_);

  // A write of so many bytes may be read and parsed. nullopt: it may.
  std::optional<Refusal> AdmitBytes(uint64_t bytes) TM_EXCLUDES(mutex_);
  // So many points may be written.
  std::optional<Refusal> AdmitPoints(uint64_t points) TM_EXCLUDES(mutex_);
  // How many series may be made now. Those that were are told afterwards.
  [[nodiscard]] uint64_t NewSeriesLeft() TM_EXCLUDES(mutex_);
  void NoteNewSeries(uint64_t made) TM_EXCLUDES(mutex_);
  // Whether the series with this hash may be written to.
  bool AdmitSeries(uint64_t hash) TM_EXCLUDES(mutex_);
  [[nodiscard]] bool counts_series() const TM_EXCLUDES(mutex_);
  void NoteRefusedRows(uint64_t rows) TM_EXCLUDES(mutex_);
  // What a sender is told whose rows were refused because their series are too many.
  [[nodiscard]] Refusal TooManySeries() const TM_EXCLUDES(mutex_);

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
  void TurnWindow() TM_REQUIRES(mutex_);
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
  // Series by the hour in which they were written to last: this one, and the one before. Others are forgotten.
  std::unordered_set<uint64_t> series_ TM_GUARDED_BY(mutex_);
  std::unordered_set<uint64_t> series_before_ TM_GUARDED_BY(mutex_);
  int64_t window_ns_ TM_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::server::quota
