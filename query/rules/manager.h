// Manager: evaluates groups of rules when they are due, keeps the states of alerts, and writes what the rules record.
//
//   Manager manager({.store = ..., .sink = ..., .scheduler = ..., .clock = ..., .execute = &engine::Execute}, {});
//   manager.SetGroups(groups);
//   for (;;) { Sleep until manager.RunDue(); }
//
// An alert is inactive until its expression gives its labels, then pending for `for`, then firing; it ends when the
// expression no longer gives them (for a firing one after `keep_firing_for`). Written, as Prometheus does: ALERTS and
// ALERTS_FOR_STATE for alerts, the rule's name for recordings, and a stale marker where a series ends. When a rule is
// evaluated for the first time, alerts that were active not long ago go on from there (restore.h).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "query/engine/query_runner.h"
#include "query/rules/restore.h"
#include "query/rules/rule_file.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/scheduler.h"
#include "storage/model/point_sink.h"
#include "storage/storage.h"

namespace tidemark::query::rules {

enum class AlertState : uint8_t { kInactive, kPending, kFiring };

// "inactive", "pending", "firing".
std::string_view Name(AlertState state);

struct Alert {
  model::Labels labels;  // alertname included, no __name__
  model::Labels annotations;
  AlertState state = AlertState::kPending;
  int64_t active_at_ms = 0;
  double value = 0;
};

// What one rule is at now.
struct RuleStatus {
  const Rule* rule = nullptr;
  std::string health = "unknown";  // "ok", "err"
  std::string last_error;
  int64_t last_evaluation_ms = 0;  // 0: never
  int64_t evaluation_ns = 0;       // duration
  std::vector<Alert> alerts;       // of alerting rules, sorted by labels
  // The gravest state of its alerts.
  [[nodiscard]] AlertState state() const;
};

struct GroupStatus {
  const Group* group = nullptr;
  int64_t interval_ms = 0;
  int64_t last_evaluation_ms = 0;
  int64_t evaluation_ns = 0;
  uint64_t evaluations = 0;
  uint64_t missed = 0;  // intervals that passed while an evaluation ran
  std::vector<RuleStatus> rules;
};

// A copy that nothing changes; holds the groups that it points into.
struct Snapshot {
  std::shared_ptr<const std::vector<Group>> owner;
  std::vector<GroupStatus> groups;
};

struct ManagerOptions {
  std::string database;  // rules read and write here; "" is the default one
  int64_t default_interval_ms = 60'000;
  // Of each rule's query, as for those that people send.
  int64_t timeout_ms = 120'000;
  int64_t lookback_ms = 300'000;
  int64_t default_subquery_step_ms = 60'000;
  run::Budget budget = {};
  // How long the server may have been down for alerts to go on, and how soon after that a pending one may fire.
  int64_t outage_tolerance_ms = 3'600'000;
  int64_t for_grace_ms = 600'000;
  promql::ParseOptions parse = {};  // of queries in templates
  std::string external_url = {};    // in templates
};

struct ManagerDependencies {
  // All outlive the manager.
  const storage::Store* store = nullptr;
  model::PointSink* sink = nullptr;
  Scheduler* scheduler = nullptr;
  const Clock* clock = nullptr;
  engine::Executor execute;
  run::MemoryTotal* memory = nullptr;  // of all queries; null: only the budget counts
};

// Thread-safe. Groups run in parallel, the rules of a group one after the other, each seeing what the one before wrote.
class Manager {
 public:
  Manager(ManagerDependencies dependencies, ManagerOptions options);
  ~Manager();

  // Replaces all groups; alerts go on from what was written of them.
  void SetGroups(std::vector<Group> groups);
  // Evaluates what is due. Returns the clock's time at which something will be due next; Timestamp::Max without rules.
  model::Timestamp RunDue();

  // Of queries that begin from now on.
  void SetLimits(const engine::QueryLimits& limits) { runner_.SetLimits(limits); }

  [[nodiscard]] Snapshot Status() const;

 private:
  struct RuleState;
  struct GroupState;
  struct Samples;
  void RunGroup(GroupState* group, int64_t now_ms);
  Result<void> RunRule(const Group& group, RuleState* state, int64_t now_ms);
  Result<Samples> Evaluate(const Rule& rule, int64_t time_ms) const;
  Result<Samples> Run(const promql::Expr& expr, std::string_view text, int64_t time_ms, int64_t lookback_ms) const;
  Result<std::vector<TemplateSample>> QueryForTemplate(std::string_view text, int64_t time_ms) const;
  // By labels as alerts have them.
  Result<std::map<model::Labels, PastAlert>> ReadPast(const Rule& rule, int64_t now_ms) const;
  // Makes alerts that fired before a restart go on although their expression does not give them, as long as
  // `keep_firing_for` says. `past` has those that it does not give.
  void KeepFiring(RuleState* state, const std::map<model::Labels, PastAlert>& past,
                  const TemplateContext& context) const;
  Result<void> UpdateAlerts(const Group& group, RuleState* state, const Samples& samples, int64_t now_ms);
  Result<void> Record(const Group& group, RuleState* state, const Samples& samples, int64_t now_ms);
  // Writes `series` at `now_ms`, and stale markers for those of the last time that are not among them.
  Result<void> WriteSeries(RuleState* state, std::map<model::Labels, double> series, int64_t now_ms);

  const ManagerDependencies dependencies_;
  const ManagerOptions options_;
  engine::QueryRunner runner_;
  mutable Mutex mutex_;
  std::shared_ptr<const std::vector<Group>> groups_ TM_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<GroupState>> states_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::query::rules
