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
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "query/rules/backfill.h"
#include "query/rules/rule_evaluator.h"
#include "query/rules/rule_file.h"
#include "query/rules/rule_state.h"
#include "query/rules/rule_status.h"
#include "storage/base/mutex.h"
#include "storage/model/timestamp.h"

namespace tidemark::query::rules {

// Thread-safe. Groups run in parallel, the rules of a group one after the other, each seeing what the one before wrote.
// A group is evaluated at the times of its grid (grid.h), as of that time, also when that is a little ago. One that is
// new or has changed is evaluated at once, and then on its grid. Times that have passed while it ran are missed.
class Manager {
 public:
  Manager(ManagerDependencies dependencies, ManagerOptions options);
  ~Manager();

  // Replaces all groups. One that is as it was goes on undisturbed, with what it is at and when it is due. What the
  // others are at is ended first: their queries are stopped, and what they would have said is dropped. Rules that are
  // there again go on with their alerts (HandOver); a rule that is not there any more gets a stale marker in each of
  // its series. Not to be called by what an evaluation calls.
  void SetGroups(std::vector<Group> groups);
  // Evaluates what is due, and waits for all of it. Returns the clock's time at which something will be due next;
  // Timestamp::Max without rules.
  model::Timestamp RunDue();
  // Evaluates the group that has been due for the longest, if there is one. Of several threads that call it each takes
  // another group, so that one that takes long delays no other. False: none is due.
  bool RunOne();
  // When a group is due next that is not being evaluated; Timestamp::Max: none. Does not wait for SetGroups.
  [[nodiscard]] model::Timestamp NextDue() const;

  // What the rules of a group that is in force record of the past (backfill.h). kNotFound: there is no such group.
  Result<BackfillProgress> BackfillGroup(const std::string& file, const std::string& name, const BackfillRange& range,
                                         const std::stop_token& stop,
                                         const std::function<void(const BackfillProgress&)>& progress) const;
  // Whether BackfillGroup has something to do.
  Result<void> CheckBackfillGroup(const std::string& file, const std::string& name, const BackfillRange& range) const;

  // Of queries that begin from now on.
  void SetLimits(const engine::QueryLimits& limits) { evaluator_.SetLimits(limits); }

  // Whether the rules of a group are wanted, of the groups of `owner`; called with a lock held, so that it calls
  // nothing of the manager.
  using Wanted = std::function<bool(const std::shared_ptr<const GroupList>& owner, const GroupStatus& group)>;
  // What all are at. Of groups that are not `wanted` without their rules: to copy those of many costs more than to
  // evaluate a few. Null: all are.
  [[nodiscard]] Snapshot Status(const Wanted& wanted = nullptr) const;

 private:
  // The groups that are in force together.
  struct Generation {
    std::shared_ptr<const GroupList> groups;
    GroupStates states;  // of each of them
  };
  // Due at once.
  [[nodiscard]] std::shared_ptr<GroupState> NewState(Group group, int64_t now_ms) const;
  // Ends what those groups of the generation are at that `next` does not go on with, and waits until they are. They are
  // `replaced` then.
  GroupStates EndOthers(const GroupStates& next) TM_REQUIRES(mutex_);
  // A group that somebody evaluates.
  struct Turn {
    std::shared_ptr<GroupState> group;
    int64_t at_ms = 0;
    uint64_t missed = 0;
  };
  // The turn of the group that has been due for the longest; none where none is due at `now_ms`.
  std::optional<Turn> TakeTurn(int64_t now_ms) TM_REQUIRES(mutex_);
  // Evaluates it and gives it back.
  void Run(const Turn& turn);
  // False: it was ended before all rules had been evaluated.
  bool RunGroup(GroupState* group, int64_t at_ms);
  // Evaluates the rules of a group in order. What they write is written together, but before one is evaluated that may
  // read it. What became of each that was evaluated before `stop`.
  std::vector<Result<void>> RunRules(GroupState* group, int64_t at_ms, const std::stop_token& stop);
  // Notes what became of one, in its state and, where that has turned, in the history.
  static void Settle(const Group& group, RuleState* rule, const Result<void>& done, int64_t at_ms,
                     model::BatchBuilder* history);
  [[nodiscard]] int64_t NowMs() const;
  // A copy.
  [[nodiscard]] Result<Group> FindGroup(const std::string& file, const std::string& name) const;

  // With the lock that evaluations and back-fills have in common.
  ManagerDependencies Recording(ManagerDependencies dependencies);

  SharedMutex recording_;
  const ManagerDependencies dependencies_;
  const ManagerOptions options_;
  RuleEvaluator evaluator_;
  mutable Mutex mutex_;
  CondVar ended_;
  Generation generation_ TM_GUARDED_BY(mutex_);
  bool replacing_ TM_GUARDED_BY(mutex_) = false;  // SetGroups is at it
};

}  // namespace tidemark::query::rules
