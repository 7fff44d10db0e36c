// QueryContext: what a query is run with; QueryResult: what it gives.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "query/frame/frame.h"
#include "query/frame/label_set.h"
#include "query/plan/plan.h"
#include "query/promql/ast.h"
#include "query/run/memory_total.h"
#include "query/run/turns.h"
#include "storage/base/clock.h"
#include "storage/base/scheduler.h"
#include "storage/storage.h"

namespace tidemark::query::run {

// Limits of one query. 0: none. Going over one is kLimitExceeded, with words that say which and how to narrow.
struct Budget {
  uint64_t max_series = 1'000'000;         // selected by one selector
  uint64_t max_samples = 2'000'000'000;    // read from storage
  uint64_t max_bytes = uint64_t{1} << 30;  // held at one time by intermediate and final results
  uint64_t max_points = 100'000'000;       // of one table: series times steps, of an intermediate or final result
};

// Which data may answer: raw rows only, rollup tiers where they give the exact answer, or one tier by its width.
struct Resolution {
  enum class Kind : uint8_t { kRaw, kAuto, kTier };
  Kind kind = Kind::kAuto;
  int64_t tier_ns = 0;  // kTier
};

struct QueryContext {
  std::shared_ptr<const storage::View> view{};
  Scheduler* scheduler = nullptr;  // null: everything on the calling thread
  const Clock* clock = nullptr;    // null: the system's
  int64_t deadline_ns = 0;         // on Clock::SteadyNs; 0: none
  std::stop_token stop{};
  uint64_t client = 0;  // whose query it is: clients take turns (turns.h)
  Budget budget{};
  int64_t lookback_ms = 300'000;
  int64_t default_subquery_step_ms = 60'000;
  // Samples at the very start of a window and of the lookback count, as in Prometheus 2; 3 leaves them out.
  bool closed_windows = false;
  Resolution resolution{};
  Turns* turns = nullptr;         // null: never waits for other queries
  MemoryTotal* memory = nullptr;  // of all queries; null: only `budget` counts
  std::string_view text{};        // the query, for line and column in annotations; may be empty
};

// Evaluation times start_ms, start_ms + step_ms, ... up to end_ms. An instant query is evaluated at end_ms only, and
// its result keeps the expression's type; a range query gives a matrix.
struct RangeSpec {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  int64_t step_ms = 0;  // > 0 unless instant
  bool instant = false;
};

// One series of raw samples: what an instant query for a range selector gives.
struct RawSeries {
  frame::LabelSet labels;
  std::vector<int64_t> times_ms;
  std::vector<double> values;
};

// Work that is done block by block counts towards the operator that reads the blocks.
struct OperatorTime {
  std::string name;
  int64_t self_ns = 0;
  uint32_t depth = 0;         // 0: the outermost
  std::string text;           // the part of the query that it computes, where QueryContext::text was given
  uint64_t steps = 0;         // evaluation times
  uint64_t samples = 0;       // decoded from storage by this operator itself
  uint64_t tier_buckets = 0;  // used in place of samples
  bool reused = false;        // the value of an equal operator before it
};

struct QueryStats {
  uint64_t samples = 0;                 // values decoded, before any window
  uint64_t series = 0;                  // columns read
  uint64_t tier_buckets = 0;            // rollup buckets used in place of raw values
  uint64_t peak_bytes = 0;              // against Budget::max_bytes
  std::string resolution = "raw";       // "raw", "1h", or "1h+raw" when both answered
  std::vector<OperatorTime> operators;  // outermost first
  std::string cache = "off";            // "hit", "partial", "miss", or "off" where no cache was asked (result_cache.h)
  uint64_t steps_reused = 0;            // out of the cache
};

struct QueryResult {
  promql::ValueType type = promql::ValueType::kVector;
  plan::StepGrid grid;
  // kVector (one step) and kMatrix of a range query: rows of `grid.count` steps, some absent, none wholly absent. A
  // scalar of a range query is one row without labels.
  frame::Frame frame;
  double scalar = 0;           // kScalar
  std::string text;            // kString
  std::vector<RawSeries> raw;  // kMatrix of an instant query; `frame` is empty then
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
  // Of `warnings`, those that tell of rows or detail which the answer lacks.
  std::vector<std::string> missing;
  QueryStats stats;

  // What the labels' bytes live in.
  std::shared_ptr<const storage::View> view;
  // Its share of QueryContext::memory, which must outlive it.
  std::shared_ptr<const void> memory;
  std::vector<std::unique_ptr<frame::LabelArena>> arenas;
  std::shared_ptr<const void> kept;  // what a cache gave
};

}  // namespace tidemark::query::run
