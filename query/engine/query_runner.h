// QueryRunner: runs the queries of a server: opens the database, puts the context together from what all queries share
// and what one of them asks for, and asks the cache where there is one. The API and the rules each have one.
//
//   const QueryRunner runner({.store = &store, .execute = &Execute, .budget = budget});
//   TM_TRY_ASSIGN(QueryResult result, runner.Run({.expr = *expr, .range = range, .text = text,
//                                                 .filter = storage::SeriesFilter::Everything()}));
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

#include "query/cache/result_cache.h"
#include "query/promql/ast.h"
#include "query/run/memory_total.h"
#include "query/run/query_context.h"
#include "query/run/turns.h"
#include "storage/base/clock.h"
#include "storage/base/result.h"
#include "storage/base/scheduler.h"
#include "storage/base/versions.h"
#include "storage/storage.h"

namespace tidemark::query::engine {

// Execute (engine.h), or what a test puts in its place.
using Executor =
    std::function<Result<run::QueryResult>(const promql::Expr&, const run::RangeSpec&, const run::QueryContext&)>;

// What all queries of a runner share. What it points to outlives the runner; only `store` and `execute` must be there.
struct RunnerSettings {
  const storage::Store* store = nullptr;
  Scheduler* scheduler = nullptr;  // null: everything on the calling thread
  const Clock* clock = nullptr;    // null: the system's
  Executor execute;
  run::Turns* turns = nullptr;          // null: never waits for other queries
  run::MemoryTotal* memory = nullptr;   // null: only `budget` counts
  cache::ResultCache* cache = nullptr;  // null: every step is evaluated
  // Where a request does not say.
  int64_t timeout_ms = 120'000;
  int64_t lookback_ms = 300'000;
  int64_t default_subquery_step_ms = 60'000;
  run::Budget budget;
  bool closed_windows = false;  // see QueryContext
};

// What of the settings may change while queries run.
struct QueryLimits {
  int64_t timeout_ms = 120'000;
  run::Budget budget = {};
};

struct QueryRequest {
  const promql::Expr& expr;  // durations resolved
  run::RangeSpec range;
  std::string_view text{};       // of `expr`, for messages
  std::string_view database{};   // "": the default one
  storage::SeriesFilter filter;  // what of it is seen
  std::optional<int64_t> timeout_ms{};
  std::optional<int64_t> lookback_ms{};
  run::Resolution resolution{};
  std::stop_token stop{};
  uint64_t client = 0;                 // clients take turns
  run::MemoryTotal* memory = nullptr;  // in place of the runner's, whose part it is
  // When the timeout began, on Clock::SteadyNs; without it when Run is called.
  std::optional<int64_t> began_ns{};
  bool use_cache = true;  // for range queries
};

// Thread-safe.
class QueryRunner {
 public:
  explicit QueryRunner(RunnerSettings settings)
      : settings_(std::move(settings)), limits_({.timeout_ms = settings_.timeout_ms, .budget = settings_.budget}) {}

  // Of queries that begin from now on.
  void SetLimits(const QueryLimits& limits) { limits_.Set(limits); }
  [[nodiscard]] const QueryLimits& limits() const { return limits_.Now(); }

  // A view of what `filter` lets through of the database. One that nobody has written to yet is empty; other errors are
  // the store's.
  [[nodiscard]] Result<std::shared_ptr<const storage::View>> OpenView(std::string_view database,
                                                                      const storage::SeriesFilter& filter) const;

  // Errors: those of OpenView and Execute.
  [[nodiscard]] Result<run::QueryResult> Run(const QueryRequest& request) const;

  [[nodiscard]] const Clock& clock() const {
    return settings_.clock != nullptr ? *settings_.clock : SystemClock::Get();
  }

 private:
  const RunnerSettings settings_;
  Versions<QueryLimits> limits_;
};

}  // namespace tidemark::query::engine
