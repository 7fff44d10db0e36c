// RuleEvaluator: evaluates one rule once: asks for its expression, moves its alerts on, writes what it records.
//
// Nothing is made of an answer that lacks something (damaged pages, detail that is gone, a limit): the rule keeps its
// alerts and series as they were and says why.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/engine/query_runner.h"
#include "query/rules/alert_update.h"
#include "query/rules/grid.h"
#include "query/rules/reads.h"
#include "query/rules/restore.h"
#include "query/rules/rule_file.h"
#include "query/rules/rule_state.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/scheduler.h"
#include "storage/model/batch.h"
#include "storage/model/point_sink.h"
#include "storage/storage.h"

namespace tidemark::query::rules {

using Samples = std::vector<std::pair<model::Labels, double>>;

// What an instant query gave: each row that is there, and a scalar as one without labels.
Samples SamplesOf(const run::QueryResult& result);

struct ManagerOptions {
  std::string database;  // of rules that name none, to read and to write; "" is the default one
  int64_t default_interval_ms = 60'000;
  // Of each rule's query, as for those that people send.
  int64_t timeout_ms = 120'000;
  int64_t lookback_ms = 300'000;
  int64_t default_subquery_step_ms = 60'000;
  run::Budget budget = {};
  // How long the server may have been down for alerts to go on (0: they begin anew), and how soon after that a pending
  // one may fire.
  int64_t outage_tolerance_ms = 3'600'000;
  int64_t for_grace_ms = 600'000;
  bool closed_windows = false;      // see QueryContext
  promql::ParseOptions parse = {};  // of queries in templates
  // Where changes of alerts are noted (history.h); "": nowhere.
  std::string history_database = {};
  // What templates see as $externalLabels and externalURL.
  model::Labels external_labels = {};
  std::string external_url = {};
  // Where in its interval a group is evaluated (grid.h). Those that run groups at times of their own give 0.
  std::function<int64_t(const Group& group, int64_t interval_ms)> offset_ms = &SpreadMs;
};

struct ManagerDependencies {
  // All outlive the manager.
  const storage::Store* store = nullptr;
  model::PointSink* sink = nullptr;
  Scheduler* scheduler = nullptr;
  const Clock* clock = nullptr;
  engine::Executor execute;
  run::MemoryTotal* memory = nullptr;  // of all queries; null: only the budget counts
  // Held while rows are written: shared by evaluations, alone by a back-fill, so that between its look at what is there
  // and its write nothing is recorded. Null: nobody back-fills.
  SharedMutex* recording = nullptr;
  // Of a back-fill, called in this order with `recording` held; null of evaluations, of which all rows are written.
  // Looks at what is there of a name at a time; then whether a row of a series (with __name__) is among it.
  std::function<Status(const std::string& database, const std::string& name, int64_t ms)> look = {};
  std::function<bool(const std::string& database, const model::Labels& series, int64_t ms)> is_there = {};
};

// What a rule has to say, and has not been written.
struct PendingWrite {
  RuleState* state = nullptr;
  std::map<model::Labels, double> series;
  // Of `series`, those that go on; null: all of them are those of the last time.
  std::optional<std::set<model::Labels>> written;
};

// What the rules of a group have to say together, so that it costs two writes and not some for each of them.
struct PendingWrites {
  std::vector<PendingWrite> series;
  model::BatchBuilder history;     // rows of the history's database
  std::vector<const Rule*> noted;  // the alerts that `history` is of
};

// Thread-safe; a state is changed by one call at a time.
class RuleEvaluator {
 public:
  RuleEvaluator(ManagerDependencies dependencies, ManagerOptions options);

  // Errors, which leave the alerts as they were: those of the query; kLimitExceeded of the group's limit; kCorruption
  // where the answer is not whole; kInvalidArgument where two results have the same labels; kCancelled where `stop`
  // was requested. Errors of writing, behind which the alerts have moved on: those of the sink; kConflict.
  // With `pending`, what is to be written is put there and not written: Flush says what became of it.
  Result<void> Evaluate(const Group& group, RuleState* state, int64_t now_ms, const std::stop_token& stop,
                        PendingWrites* pending = nullptr) const;

  // Writes what several rules of one evaluation have to say, at once where all of it is taken; else each by itself, so
  // that it is known of which what was refused. The errors, by rule: what the history does not take is only logged.
  // Empties `pending`.
  std::vector<std::pair<RuleState*, Error>> Flush(PendingWrites* pending, int64_t now_ms) const;

  // Whether what `pending` holds may be read by the evaluation of a rule.
  bool MayRead(const RuleState& state, const Reads& reads, const PendingWrites& pending) const;

  // Adds to `history` that the rule cannot be evaluated, or that it can again where `error` is empty.
  static void NoteHealth(const Group& group, const Rule& rule, const std::string& error, int64_t now_ms,
                         model::BatchBuilder* history);
  // Writes rows of the history, where there is one. What is not taken is logged.
  void WriteHistory(const model::Batch& batch) const;

  // Of queries that begin from now on.
  void SetLimits(const engine::QueryLimits& limits) { runner_.SetLimits(limits); }

  // Writes a stale marker for each.
  Result<void> End(const Orphans& orphans, int64_t now_ms) const;

 private:
  // An instant query of `rule`'s database, whole or an error.
  Result<Samples> Run(const Rule& rule, const promql::Expr& expr, std::string_view text, int64_t time_ms,
                      int64_t lookback_ms, const std::string& database, const std::stop_token& stop) const;
  Result<std::vector<TemplateSample>> QueryForTemplate(const Rule& rule, std::string_view text, int64_t time_ms,
                                                       const std::stop_token& stop) const;
  // By labels as alerts have them.
  Result<std::map<model::Labels, PastAlert>> ReadPast(const Rule& rule, int64_t now_ms,
                                                      const std::stop_token& stop) const;
  Result<void> UpdateAlerts(const Group& group, RuleState* state, const Samples& samples, int64_t now_ms,
                            const std::stop_token& stop, PendingWrites* pending) const;
  // Which alerts flapped before a restart.
  Result<void> RestoreFlapping(const Group& group, RuleState* state, const TemplateContext& context) const;
  // Empty where the rule has neither a policy of no data nor a recovery condition.
  Result<Surroundings> Around(const Rule& rule, int64_t time_ms, const std::stop_token& stop) const;
  // Whether the rule asked for the same series before a restart, as far as is known.
  Result<bool> AskedTheSame(const Group& group, const Rule& rule, int64_t now_ms, const std::stop_token& stop) const;
  // Moves the alerts on, and adds to `history` what is known of them from now on. What there is to be written of them.
  std::map<model::Labels, double> Advance(const Group& group, RuleState* state, int64_t now_ms,
                                          model::BatchBuilder* history) const;
  Result<void> Record(const Group& group, RuleState* state, const Samples& samples, int64_t now_ms,
                      PendingWrites* pending) const;
  // A series with its value, which is another's.
  using Point = std::pair<const model::Labels*, double>;

  // Writes `series` at `now_ms`, and stale markers for those of the last time that are not among them; or puts them
  // into `pending`, where it is not null.
  Result<void> WriteSeries(RuleState* state, std::map<model::Labels, double> series, int64_t now_ms,
                           PendingWrites* pending) const;
  Result<void> WriteOne(PendingWrite one, int64_t now_ms) const;
  Result<void> Write(const std::string& database, std::span<const Point> series, int64_t now_ms) const;
  // With `recording` held, where there is one.
  Result<void> WriteRows(const std::string& database, std::span<const Point> series, int64_t now_ms) const;
  [[nodiscard]] const std::string& DatabaseOr(const std::string& named) const {
    return named.empty() ? options_.database : named;
  }

  const ManagerDependencies dependencies_;
  const ManagerOptions options_;
  engine::QueryRunner runner_;
};

}  // namespace tidemark::query::rules
