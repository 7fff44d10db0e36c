// ResultCache: keeps the results of range queries and evaluates, for a query that comes again, only the steps that it
// does not have or whose data changed meanwhile.
//
//   ResultCache cache(64 << 20);
//   TM_TRY_ASSIGN(QueryResult result, cache.Execute(expr, range, context, &Execute));
//
// A step is used again only if no write, deletion or retention touched the times that it depends on
// (View::ChangedSince, reuse_rule.h): whatever the cache holds, the answer is that of the context's view.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "query/cache/reuse_rule.h"
#include "query/promql/ast.h"
#include "query/run/query_context.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"

namespace tidemark::query::cache {

// Since the start, but for the last two.
struct ResultCacheStats {
  uint64_t hits = 0;           // nothing was evaluated
  uint64_t partial_hits = 0;   // some steps were
  uint64_t misses = 0;         // all steps were
  uint64_t bypassed = 0;       // queries that cannot be kept
  uint64_t steps_reused = 0;   // of all queries
  uint64_t steps_changed = 0;  // were there, but their data had changed
  uint64_t evictions = 0;
  uint64_t bytes = 0;
  uint64_t entries = 0;
};

// Thread-safe.
class ResultCache {
 public:
  using Evaluate =
      std::function<Result<run::QueryResult>(const promql::Expr&, const run::RangeSpec&, const run::QueryContext&)>;

  // Holds at most `max_bytes`, and no result of more than a quarter of that.
  explicit ResultCache(uint64_t max_bytes) : max_bytes_(max_bytes) {}
  ResultCache(const ResultCache&) = delete;
  ResultCache& operator=(const ResultCache&) = delete;

  // What evaluate(expr, range, context) would give, but for statistics. Durations in `expr` must be resolved.
  Result<run::QueryResult> Execute(const promql::Expr& expr, const run::RangeSpec& range,
                                   const run::QueryContext& context, const Evaluate& evaluate);

  [[nodiscard]] ResultCacheStats Stats() const;

 private:
  struct Entry;
  using EntryPtr = std::shared_ptr<const Entry>;
  struct Slot {
    std::string name;
    EntryPtr entry;
  };
  struct Reuse;

  [[nodiscard]] EntryPtr Find(const std::string& name);
  void Keep(const std::string& name, EntryPtr entry);
  Result<run::QueryResult> Complete(const promql::Expr& expr, const Reuse& reuse, const run::QueryContext& context,
                                    const Evaluate& evaluate);

  const uint64_t max_bytes_;
  mutable Mutex mutex_;
  std::list<Slot> slots_ TM_GUARDED_BY(mutex_);  // the one used last in front
  std::unordered_map<std::string, std::list<Slot>::iterator> by_name_ TM_GUARDED_BY(mutex_);
  ResultCacheStats stats_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::query::cache
