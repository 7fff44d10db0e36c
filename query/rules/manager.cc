#include "query/rules/manager.h"

#include <algorithm>
#include <utility>

#include "storage/base/log.h"

namespace tidemark::query::rules {

Manager::Manager(ManagerDependencies dependencies, ManagerOptions options)
    : dependencies_(dependencies), options_(options), evaluator_(std::move(dependencies), std::move(options)) {}
Manager::~Manager() = default;

int64_t Manager::NowMs() const { return model::Timestamp{dependencies_.clock->NowNs()}.FloorMs(); }

Manager::Generation Manager::NewGeneration(std::vector<Group> groups, int64_t now_ms) const {
  Generation made;
  made.groups = std::make_shared<const std::vector<Group>>(std::move(groups));
  for (const Group& group : *made.groups) {
    auto state = std::make_shared<GroupState>();
    state->group = &group;
    state->interval_ms = group.interval_ms > 0 ? group.interval_ms : options_.default_interval_ms;
    state->next_ms = now_ms;
    for (const Rule& rule : group.rules) {
      RuleState& added = state->rules.emplace_back();
      added.rule = &rule;
      added.status.rule = &rule;
    }
    MutexLock lock(state->mutex);
    state->status.group = &group;
    state->status.interval_ms = state->interval_ms;
    for (const RuleState& rule : state->rules) state->status.rules.push_back(rule.status);
    made.states.push_back(std::move(state));
  }
  return made;
}

void Manager::SetGroups(std::vector<Group> groups) {
  const int64_t now_ms = NowMs();
  Generation next = NewGeneration(std::move(groups), now_ms);
  GroupStates last;
  {
    MutexLock lock(mutex_);
    while (replacing_) ended_.Wait(mutex_);
    replacing_ = true;
    generation_.stop.request_stop();
    while (running_ > 0) ended_.Wait(mutex_);
    last = generation_.states;
  }
  // Nothing runs and nothing begins until `replacing_` ends.
  for (const Orphans& orphans : HandOver(last, next.states)) {
    if (const Result<void> done = evaluator_.End(orphans, now_ms); !done.ok()) {
      TM_LOG(kWarn, "series of rules that are not there any more have no end: {}", done.error().message);
    }
  }
  MutexLock lock(mutex_);
  generation_ = std::move(next);
  replacing_ = false;
  ended_.NotifyAll();
}

model::Timestamp Manager::RunDue() {
  const int64_t now_ms = NowMs();
  GroupStates due;
  std::vector<uint64_t> missed;
  std::shared_ptr<const std::vector<Group>> owner;
  std::stop_token stop;
  {
    MutexLock lock(mutex_);
    while (replacing_) ended_.Wait(mutex_);
    owner = generation_.groups;
    stop = generation_.stop.get_token();
    for (const auto& state : generation_.states) {
      // The clock has been set back: the next evaluation would be long in coming.
      if (state->next_ms > now_ms + state->interval_ms) state->next_ms = now_ms;
      if (state->next_ms > now_ms) continue;
      due.push_back(state);
      const int64_t skipped = (now_ms - state->next_ms) / state->interval_ms;
      missed.push_back(static_cast<uint64_t>(skipped));
      state->next_ms += (skipped + 1) * state->interval_ms;
    }
    ++running_;
  }
  dependencies_.scheduler->ParallelFor(TaskKind::kRule, due.size(), [&](size_t i) {
    {
      MutexLock lock(due[i]->mutex);
      due[i]->status.missed += missed[i];
    }
    RunGroup(due[i].get(), now_ms, stop);
  });
  MutexLock lock(mutex_);
  --running_;
  ended_.NotifyAll();
  // Evaluates at once what a reload has brought meanwhile.
  while (replacing_) ended_.Wait(mutex_);
  int64_t next_ms = INT64_MAX;
  for (const auto& state : generation_.states) next_ms = std::min(next_ms, state->next_ms);
  return next_ms == INT64_MAX ? model::Timestamp::Max() : model::Timestamp::FromMs(next_ms);
}

void Manager::RunGroup(GroupState* group, int64_t now_ms, const std::stop_token& stop) {
  MutexLock running(group->running);
  const int64_t began = dependencies_.clock->SteadyNs();
  for (RuleState& rule : group->rules) {
    const int64_t rule_began = dependencies_.clock->SteadyNs();
    group->interrupted = stop.stop_requested();
    if (group->interrupted) return;
    const Result<void> done = evaluator_.Evaluate(*group->group, &rule, now_ms, stop);
    group->interrupted = !done.ok() && stop.stop_requested();
    if (group->interrupted) return;
    const std::string error = done.ok() ? "" : done.error().message;
    // The words of an error may differ each time.
    const bool turned = done.ok() ? rule.status.failures > 0 : rule.status.failures == 0;
    if (turned) evaluator_.NoteHealth(*group->group, *rule.rule, error, now_ms);
    rule.status.failures = done.ok() ? 0 : rule.status.failures + 1;
    rule.status.health = done.ok() ? "ok" : "err";
    rule.status.last_error = error;
    rule.status.last_evaluation_ms = now_ms;
    rule.status.evaluation_ns = dependencies_.clock->SteadyNs() - rule_began;
    if (!done.ok()) {
      TM_LOG(kWarn, "rule \"{}\" of group \"{}\" in {}: {}", rule.rule->name, group->group->name, group->group->file,
             done.error().message);
    }
    rule.status.alerts.clear();
    for (const auto& [labels, active] : rule.active) rule.status.alerts.push_back(active.alert);
  }
  MutexLock lock(group->mutex);
  group->status.last_evaluation_ms = now_ms;
  group->status.evaluation_ns = dependencies_.clock->SteadyNs() - began;
  ++group->status.evaluations;
  for (size_t i = 0; i < group->rules.size(); ++i) group->status.rules[i] = group->rules[i].status;
}

Snapshot Manager::Status() const {
  Snapshot snapshot;
  GroupStates states;
  {
    MutexLock lock(mutex_);
    snapshot.owner = generation_.groups;
    states = generation_.states;
  }
  for (const auto& state : states) {
    MutexLock lock(state->mutex);
    snapshot.groups.push_back(state->status);
  }
  return snapshot;
}

}  // namespace tidemark::query::rules
