// QueryApi: Prometheus' /api/v1 without sockets: parameters in, reply bytes out.
//
//   QueryApi api({.store = store.get(), .scheduler = &pool, .execute = &engine::Execute});
//   Reply reply = api.QueryRange({.params = params, .database = "default",
//                                .filter = storage::SeriesFilter::Everything()});
//
// Words, codes and shapes are those of Prometheus 3; query/api/README.md lists what is added.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "query/api/envelope.h"
#include "query/api/event_tap.h"
#include "query/api/metadata_book.h"
#include "query/cache/result_cache.h"
#include "query/engine/query_runner.h"
#include "query/names/names_watch.h"
#include "query/promql/parser.h"
#include "query/rules/manager.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/scheduler.h"
#include "storage/base/text/params.h"
#include "storage/storage.h"

namespace tidemark::query::api {

struct ApiOptions {
  // A query runs at most this long; `timeout` may ask for less.
  int64_t timeout_ms = 120'000;
  // A query that took at least this long is told in the log. 0: none is.
  int64_t slow_query_ms = 10'000;
  int64_t lookback_ms = 300'000;
  int64_t default_subquery_step_ms = 60'000;
  run::Budget budget;
  // Memory of all queries and unsent results together. 0: no limit.
  uint64_t total_memory_bytes = uint64_t{2} << 30;
  run::TurnOptions turns;
  // What the parser takes. What is experimental in Prometheus is on here: it gives no other meaning to queries without.
  promql::ParseOptions parse = promql::ParseOptions::Experimental();
  // Steps of a range query.
  int64_t points_max = 11'000;
  // Series that one series, labels or events request may look at.
  size_t series_max = 10'000'000;
  // Events in one reply when no limit is asked for, and at most.
  uint64_t events_default = 1000;
  uint64_t events_max = 100'000;
  std::string version = "0.1.0";
  std::string revision;
  std::string build_date;
  // What status/config, status/flags and status/runtimeinfo show.
  std::string config_yaml;
  std::vector<std::pair<std::string, std::string>> flags;  // name and value
  int64_t start_ns = 0;
  // A result whose text is longer than this is sent while it is written, so that its text is never held whole.
  size_t streamed_bytes_min = size_t{4} << 20;
  // Memory for results of range queries that come again. 0: none are kept.
  uint64_t cache_bytes = uint64_t{64} << 20;
};

struct ApiDependencies {
  // All outlive the api. Only `store` and `execute` must be there.
  const storage::Store* store = nullptr;
  Scheduler* scheduler = nullptr;         // null: everything on the calling thread
  const Clock* clock = nullptr;           // null: the system's
  const rules::Manager* rules = nullptr;  // null: no rules
  engine::Executor execute;
  const MetadataBook* metadata = nullptr;  // null: types are guessed from names
  // Of all queries, of rules too; null: one of its own, of ApiOptions::total_memory_bytes.
  run::MemoryTotal* memory = nullptr;
};

// Told when the answer to a request has to be out, and what the client is to be told then. Called once at most, on the
// thread of the request, before the work begins.
using OnDeadline = std::function<void(int64_t deadline_ns, Reply late)>;

struct ApiRequest {
  const text::Params& params;
  // From the base path; `db=` comes after it; "" means the default database.
  std::string_view database;
  storage::SeriesFilter filter;  // what of it the caller may see
  std::stop_token stop = {};
  uint64_t client = 0;                 // whose it is: clients take turns
  run::MemoryTotal* memory = nullptr;  // the caller's part of the memory of all queries; null: he has none of his own
  OnDeadline on_deadline = nullptr;    // deadlines are on the clock of ApiDependencies
};

// Thread-safe. A request runs on the calling thread and, for queries, on the scheduler.
class QueryApi {
 public:
  // Of what is shown, the part that a reload changes.
  struct Shown {
    std::string config_yaml = {};
    std::vector<std::pair<std::string, std::string>> flags = {};  // name and value
    bool reload_good = true;                                      // the last one; true without any
    int64_t config_ns = 0;                                        // when the settings in force were read
  };

  explicit QueryApi(ApiDependencies dependencies, ApiOptions options = {});

  // Of queries that begin from now on.
  void SetLimits(const engine::QueryLimits& limits) { runner_.SetLimits(limits); }
  void SetShown(Shown shown) TM_EXCLUDES(shown_mutex_) {
    auto next = std::make_shared<const Shown>(std::move(shown));
    MutexLock lock(shown_mutex_);
    shown_ = std::move(next);
  }

  [[nodiscard]] Reply Query(const ApiRequest& request) const;
  [[nodiscard]] Reply QueryRange(const ApiRequest& request) const;
  [[nodiscard]] Reply FormatQuery(const ApiRequest& request) const;
  [[nodiscard]] Reply ParseQuery(const ApiRequest& request) const;
  [[nodiscard]] Reply QueryExemplars(const ApiRequest& request) const;
  [[nodiscard]] Reply Labels(const ApiRequest& request) const;
  // `name` as in the path, perhaps U__ escaped.
  [[nodiscard]] Reply LabelValues(const ApiRequest& request, std::string_view name) const;
  [[nodiscard]] Reply Series(const ApiRequest& request) const;
  [[nodiscard]] Reply Metadata(const ApiRequest& request) const;
  // For names of `view` that are listed elsewhere, as by SHOW of InfluxQL. The deadline counts from here.
  [[nodiscard]] std::unique_ptr<names::NamesWatch> WatchNames(const ApiRequest& request,
                                                              std::shared_ptr<const storage::View> view) const;
  // When a list that begins now has to be answered, on the clock of ApiDependencies.
  [[nodiscard]] int64_t DeadlineNs() const {
    return runner_.clock().SteadyNs() + runner_.limits().timeout_ms * 1'000'000;
  }
  // The newest sample of each series within the look-back, as text; `accept` is the header.
  [[nodiscard]] Reply Federate(const ApiRequest& request, std::string_view accept) const;
  // Prometheus' remote read: `body` is a ReadRequest in one snappy block, the reply samples or a stream of chunks.
  [[nodiscard]] Reply RemoteRead(const ApiRequest& request, std::string_view body) const;
  // Rows as they are stored, to the nanosecond and to the last bit of an integer: JSON lines.
  [[nodiscard]] Reply Rows(const ApiRequest& request) const;
  [[nodiscard]] Reply BuildInfo() const;
  [[nodiscard]] Reply StatusConfig() const;
  [[nodiscard]] Reply StatusFlags() const;
  [[nodiscard]] Reply StatusRuntimeInfo(const ApiRequest& request) const;
  // Counts labels over all series: work that grows with them.
  [[nodiscard]] Reply StatusTsdb(const ApiRequest& request) const;
  // Partitions, in the shape of Prometheus' blocks.
  [[nodiscard]] Reply StatusTsdbBlocks(const ApiRequest& request) const;
  [[nodiscard]] Reply WalReplay() const;
  [[nodiscard]] Reply Features() const;
  // Of servers that scrape; empty here.
  [[nodiscard]] Reply Targets() const;
  [[nodiscard]] Reply TargetsMetadata() const;
  [[nodiscard]] Reply TargetsRelabelSteps(const ApiRequest& request) const;
  [[nodiscard]] Reply ScrapePools() const;
  [[nodiscard]] Reply Alertmanagers() const;
  [[nodiscard]] Reply Notifications() const;
  [[nodiscard]] Reply Rules(const ApiRequest& request) const;
  [[nodiscard]] Reply Alerts(const ApiRequest& request) const;
  // String points, oldest first: the newest `limit` of those that match.
  [[nodiscard]] Reply Events(const ApiRequest& request) const;
  // What a follower of new events asks for.
  [[nodiscard]] Result<EventFilter> ParseEventFilter(const ApiRequest& request) const;

  [[nodiscard]] cache::ResultCacheStats CacheStats() const { return cache_->Stats(); }
  [[nodiscard]] run::Turns::Stats TurnStats() const { return turns_->stats(); }
  [[nodiscard]] uint64_t query_memory_bytes() const { return memory_->bytes(); }

 private:
  [[nodiscard]] std::shared_ptr<const Shown> shown() const TM_EXCLUDES(shown_mutex_) {
    MutexLock lock(shown_mutex_);
    return shown_;
  }
  struct Selection;
  [[nodiscard]] Result<std::shared_ptr<const storage::View>> OpenView(const ApiRequest& request) const;
  // What a request other than a query is run with: the same deadline, budget and turns. Tells request.on_deadline.
  // `late`: what the client is told at the deadline; the second form has Prometheus' envelope.
  [[nodiscard]] run::QueryContext ContextFor(const ApiRequest& request, std::shared_ptr<const storage::View> view,
                                             Reply late) const;
  [[nodiscard]] run::QueryContext ContextFor(const ApiRequest& request,
                                             std::shared_ptr<const storage::View> view) const;
  [[nodiscard]] Result<Selection> ParseSelection(const ApiRequest& request, bool matchers_needed) const;
  // What a query asks for beside its range; `expr` and `text` last as long as the request. The reply is the error.
  struct ParsedQuery;
  [[nodiscard]] std::variant<ParsedQuery, Reply> ParseQueryRequest(const ApiRequest& request,
                                                                   const run::RangeSpec& range) const;
  [[nodiscard]] Reply Run(const ApiRequest& request, const run::RangeSpec& range, uint64_t limit) const;
  [[nodiscard]] int64_t NowMs() const;
  [[nodiscard]] run::MemoryTotal* MemoryOf(const ApiRequest& request) const {
    return request.memory != nullptr ? request.memory : memory_;
  }

  const ApiDependencies dependencies_;
  const ApiOptions options_;
  // Outlives results, which the cache may hold.
  const std::unique_ptr<run::MemoryTotal> own_memory_;
  run::MemoryTotal* const memory_;
  const std::unique_ptr<cache::ResultCache> cache_;
  const std::unique_ptr<run::Turns> turns_;
  engine::QueryRunner runner_;
  mutable Mutex shown_mutex_;
  std::shared_ptr<const Shown> shown_ TM_GUARDED_BY(shown_mutex_);
};

// The database that a request names: the base path, else `db=`, else "".
std::string_view DatabaseOf(const ApiRequest& request);

}  // namespace tidemark::query::api
