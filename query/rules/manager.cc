#include "query/rules/manager.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "storage/base/log.h"

namespace tidemark::query::rules {
namespace {

// Rows that are written together, at most and then those of one rule more.
constexpr size_t kRowsAtOnce = 10'000;

}  // namespace

Manager::Manager(ManagerDependencies dependencies, ManagerOptions options)
    : dependencies_(Recording(std::move(dependencies))),
      options_(options),
      evaluator_(dependencies_, std::move(options)) {}
Manager::~Manager() = default;

ManagerDependencies Manager::Recording(ManagerDependencies dependencies) {
  dependencies.recording = &recording_;
  return dependencies;
}

int64_t Manager::NowMs() const { return model::Timestamp{dependencies_.clock->NowNs()}.FloorMs(); }

std::shared_ptr<GroupState> Manager::NewState(Group group, int64_t now_ms) const {
  auto state = std::make_shared<GroupState>();
  state->group = std::make_shared<const Group>(std::move(group));
  state->interval_ms = state->group->interval_ms > 0 ? state->group->interval_ms : options_.default_interval_ms;
  state->next_ms = now_ms;
  state->at_once = true;
  for (const Rule& rule : state->group->rules) {
    RuleState& added = state->rules.emplace_back();
    added.rule = &rule;
    added.status.rule = &rule;
    state->reads.push_back(ReadsOf(rule));
  }
  MutexLock lock(state->mutex);
  state->status.group = state->group.get();
  state->status.interval_ms = state->interval_ms;
  for (const RuleState& rule : state->rules) state->status.rules.push_back(rule.status);
  return state;
}

GroupStates Manager::EndOthers(const GroupStates& next) {
  const std::set<std::shared_ptr<GroupState>> kept(next.begin(), next.end());
  GroupStates ended;
  for (const auto& state : generation_.states) {
    if (kept.contains(state)) continue;
    state->replaced = true;
    state->stop.request_stop();
    ended.push_back(state);
  }
  while (std::ranges::any_of(ended, [](const auto& state) { return state->running; })) ended_.Wait(mutex_);
  return ended;
}

void Manager::SetGroups(std::vector<Group> groups) {
  const int64_t now_ms = NowMs();
  Generation next;
  GroupStates begun;
  GroupStates ended;
  {
    MutexLock lock(mutex_);
    while (replacing_) ended_.Wait(mutex_);
    replacing_ = true;
    GroupList list;
    std::map<std::pair<std::string, std::string>, std::shared_ptr<GroupState>> last;
    for (const auto& state : generation_.states) last.try_emplace({state->group->file, state->group->name}, state);
    for (Group& group : groups) {
      const auto known = last.find({group.file, group.name});
      std::shared_ptr<GroupState> state;
      if (known != last.end() && known->second != nullptr && SameGroup(*known->second->group, group)) {
        state = std::exchange(known->second, nullptr);
      } else {
        state = begun.emplace_back(NewState(std::move(group), now_ms));
      }
      list.push_back(state->group);
      next.states.push_back(std::move(state));
    }
    next.groups = std::make_shared<const GroupList>(std::move(list));
    ended = EndOthers(next.states);
  }
  // Of both nobody begins one until `replacing_` ends.
  for (const Orphans& orphans : HandOver(ended, begun)) {
    if (const Result<void> done = evaluator_.End(orphans, now_ms); !done.ok()) {
      TM_LOG(kWarn, "series of rules that are not there any more have no end: {}", done.error().message);
    }
  }
  MutexLock lock(mutex_);
  generation_ = std::move(next);
  replacing_ = false;
  ended_.NotifyAll();
}

std::optional<Manager::Turn> Manager::TakeTurn(int64_t now_ms) {
  std::shared_ptr<GroupState> first;
  for (const auto& state : generation_.states) {
    // The clock has been set back: the next evaluation would be long in coming.
    if (state->next_ms > now_ms + state->interval_ms) {
      state->next_ms = now_ms;
      state->at_once = true;
    }
    if (state->running || state->replaced || state->next_ms > now_ms) continue;
    if (!first || state->next_ms < first->next_ms) first = state;
  }
  if (!first) return std::nullopt;
  const Grid grid(first->interval_ms, options_.offset_ms(*first->group, first->interval_ms));
  const int64_t on_grid_ms = grid.AtOrBefore(now_ms);
  Turn turn{.group = first, .at_ms = first->at_once ? now_ms : on_grid_ms};
  // This evaluation stands for the last of the times that have passed; those before it are lost, also where a reload
  // after the other has ended what was at them.
  if (first->owed_ms == 0) first->owed_ms = on_grid_ms;
  if (on_grid_ms > first->owed_ms) {
    turn.missed = static_cast<uint64_t>((on_grid_ms - first->owed_ms) / first->interval_ms);
    first->owed_ms = on_grid_ms;
  }
  first->next_ms = grid.After(turn.at_ms);
  first->at_once = false;
  first->running = true;
  return turn;
}

void Manager::Run(const Turn& turn) {
  {
    MutexLock lock(turn.group->mutex);
    turn.group->status.missed += turn.missed;
  }
  const bool whole = RunGroup(turn.group.get(), turn.at_ms);
  MutexLock lock(mutex_);
  turn.group->running = false;
  // Where it was ended, it goes on to owe the time.
  if (whole) turn.group->owed_ms = turn.group->next_ms;
  ended_.NotifyAll();
}

bool Manager::RunOne() {
  std::optional<Turn> turn;
  {
    MutexLock lock(mutex_);
    turn = TakeTurn(NowMs());
  }
  if (turn) Run(*turn);
  return turn.has_value();
}

model::Timestamp Manager::RunDue() {
  std::vector<Turn> turns;
  {
    MutexLock lock(mutex_);
    while (replacing_) ended_.Wait(mutex_);
    const int64_t now_ms = NowMs();
    while (std::optional<Turn> turn = TakeTurn(now_ms)) turns.push_back(std::move(*turn));
  }
  dependencies_.scheduler->ParallelFor(TaskKind::kRule, turns.size(), [&](size_t i) { Run(turns[i]); });
  {
    MutexLock lock(mutex_);
    // Evaluates at once what a reload has brought meanwhile.
    while (replacing_) ended_.Wait(mutex_);
  }
  return NextDue();
}

model::Timestamp Manager::NextDue() const {
  MutexLock lock(mutex_);
  int64_t next_ms = INT64_MAX;
  for (const auto& state : generation_.states) {
    if (!state->running && !state->replaced) next_ms = std::min(next_ms, state->next_ms);
  }
  return next_ms == INT64_MAX ? model::Timestamp::Max() : model::Timestamp::FromMs(next_ms);
}

std::vector<Result<void>> Manager::RunRules(GroupState* group, int64_t at_ms, const std::stop_token& stop) {
  std::vector<Result<void>> done;
  PendingWrites pending;
  size_t rows = 0;
  const auto flush = [&] {
    rows = 0;
    for (const auto& [state, error] : evaluator_.Flush(&pending, at_ms)) {
      done[static_cast<size_t>(state - group->rules.data())] = error;
    }
  };
  for (size_t i = 0; i < group->rules.size() && !stop.stop_requested(); ++i) {
    RuleState& rule = group->rules[i];
    if (rows > kRowsAtOnce || evaluator_.MayRead(rule, group->reads[i], pending)) flush();
    const int64_t began = dependencies_.clock->SteadyNs();
    const size_t before = pending.series.size();
    const size_t notes = pending.history.batch().rows.size();
    Result<void> one = evaluator_.Evaluate(*group->group, &rule, at_ms, stop, &pending);
    if (pending.series.size() > before) rows += pending.series.back().series.size();
    rows += pending.history.batch().rows.size() - notes;
    if (!one.ok() && stop.stop_requested()) break;
    rule.status.evaluation_ns = dependencies_.clock->SteadyNs() - began;
    done.push_back(std::move(one));
  }
  flush();
  return done;
}

void Manager::Settle(const Group& group, RuleState* rule, const Result<void>& done, int64_t at_ms,
                     model::BatchBuilder* history) {
  const std::string error = done.ok() ? "" : done.error().message;
  RuleStatus& status = rule->status;
  // The words of an error may differ each time.
  const bool turned = done.ok() ? status.failures > 0 : status.failures == 0;
  if (turned) RuleEvaluator::NoteHealth(group, *rule->rule, error, at_ms, history);
  status.failures = done.ok() ? 0 : status.failures + 1;
  status.health = done.ok() ? "ok" : "err";
  status.last_error = error;
  status.last_evaluation_ms = at_ms;
  if (!done.ok())
    TM_LOG(kWarn, "rule \"{}\" of group \"{}\" in {}: {}", rule->rule->name, group.name, group.file, error);
  status.alerts.clear();
  for (const auto& [labels, active] : rule->active) status.alerts.push_back(active.alert);
  status.flapping.clear();
  for (const auto& [labels, flap] : rule->flaps) {
    if (flap.log.flapping()) status.flapping.push_back(flap.alert);
  }
}

bool Manager::RunGroup(GroupState* group, int64_t at_ms) {
  const int64_t began = dependencies_.clock->SteadyNs();
  const std::vector<Result<void>> done = RunRules(group, at_ms, group->stop.get_token());
  model::BatchBuilder history;
  for (size_t i = 0; i < done.size(); ++i) Settle(*group->group, &group->rules[i], done[i], at_ms, &history);
  evaluator_.WriteHistory(history.batch());
  if (done.size() < group->rules.size()) return false;
  MutexLock lock(group->mutex);
  group->status.last_evaluation_ms = at_ms;
  group->status.evaluation_ns = dependencies_.clock->SteadyNs() - began;
  ++group->status.evaluations;
  for (size_t i = 0; i < group->rules.size(); ++i) group->status.rules[i] = group->rules[i].status;
  return true;
}

Result<Group> Manager::FindGroup(const std::string& file, const std::string& name) const {
  MutexLock lock(mutex_);
  for (const auto& state : generation_.states) {
    if (state->group->file == file && state->group->name == name) return *state->group;
  }
  return NotFound(fmt::format("there is no rule group {} of the file or namespace {}", name, file));
}

Result<void> Manager::CheckBackfillGroup(const std::string& file, const std::string& name,
                                         const BackfillRange& range) const {
  TM_TRY_ASSIGN(const Group group, FindGroup(file, name));
  return CheckBackfill(options_, group, range);
}

Result<BackfillProgress> Manager::BackfillGroup(const std::string& file, const std::string& name,
                                                const BackfillRange& range, const std::stop_token& stop,
                                                const std::function<void(const BackfillProgress&)>& progress) const {
  TM_TRY_ASSIGN(const Group group, FindGroup(file, name));
  return Backfill(dependencies_, options_, group, range, stop, progress);
}

Snapshot Manager::Status(const Wanted& wanted) const {
  Snapshot snapshot;
  GroupStates states;
  {
    MutexLock lock(mutex_);
    snapshot.owner = generation_.groups;
    states = generation_.states;
  }
  for (const auto& state : states) {
    MutexLock lock(state->mutex);
    const GroupStatus& status = state->status;
    if (!wanted || wanted(snapshot.owner, status)) {
      snapshot.groups.push_back(status);
    } else {
      snapshot.groups.push_back({.group = status.group,
                                 .interval_ms = status.interval_ms,
                                 .last_evaluation_ms = status.last_evaluation_ms,
                                 .evaluation_ns = status.evaluation_ns,
                                 .evaluations = status.evaluations,
                                 .missed = status.missed,
                                 .rules = {}});
    }
  }
  return snapshot;
}

}  // namespace tidemark::query::rules
