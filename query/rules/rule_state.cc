#include "query/rules/rule_state.h"

#include <algorithm>
#include <utility>

namespace tidemark::query::rules {
namespace {

bool SameTexts(const std::vector<TemplatedText>& a, const std::vector<TemplatedText>& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) { return x.name == y.name && x.text == y.text; });
}

// Whether the alerts or series of one are those of the other.
bool SameRule(const Rule& a, const Rule& b) {
  return a.alerting == b.alerting && a.name == b.name && SameTexts(a.labels, b.labels);
}

// Whether both ask for the same series.
bool SameQuestion(const Rule& a, const Rule& b) { return a.expr_text == b.expr_text && a.database == b.database; }

bool SameName(const Group& a, const Group& b) { return a.file == b.file && a.name == b.name; }

void Take(RuleState* from, RuleState* to) {
  const Rule* const rule = to->rule;
  const bool same_question = SameQuestion(*from->rule, *rule);
  *to = std::move(*from);
  to->rule = to->status.rule = rule;
  from->rule = nullptr;
  if (rule->flapping.changes == 0) {
    to->flaps.clear();
    to->status.flapping.clear();
    for (auto& [labels, active] : to->active) active.alert.flapping = false;
  }
  if (same_question) return;
  // A series that the new expression never had is not gone.
  to->known = {};
  for (auto& [labels, active] : to->active) active.unseen = true;
}

// Lets each rule of `next` that has nothing yet take what is left of the same rule among `from`.
void TakeRules(std::vector<RuleState>* from, GroupState* next, std::set<const RuleState*>* settled,
               std::vector<Orphans>* orphans) {
  for (RuleState& rule : next->rules) {
    if (settled->contains(&rule)) continue;
    const auto same = std::ranges::find_if(
        *from, [&](const RuleState& old) { return old.rule != nullptr && SameRule(*old.rule, *rule.rule); });
    if (same == from->end()) continue;
    if (same->rule->into != rule.rule->into) orphans->push_back({same->rule->into, std::exchange(same->written, {})});
    Take(&*same, &rule);
    settled->insert(&rule);
  }
}

void TakeTimes(const GroupState& from, GroupState* to) {
  GroupStatus known;
  {
    MutexLock lock(from.mutex);
    known = from.status;
  }
  // Its grid is the same, so that what it owes has passed on it.
  if (from.interval_ms == to->interval_ms) to->owed_ms = from.owed_ms;
  MutexLock lock(to->mutex);
  to->status.last_evaluation_ms = known.last_evaluation_ms;
  to->status.evaluation_ns = known.evaluation_ns;
  to->status.evaluations = known.evaluations;
  to->status.missed = known.missed;
}

}  // namespace

bool SameGroup(const Group& a, const Group& b) {
  if (!SameName(a, b)) return false;
  const bool same_rules = std::ranges::equal(a.rules, b.rules, [](const Rule& x, const Rule& y) {
    return SameRule(x, y) && SameQuestion(x, y) && x.into == y.into && x.filter == y.filter && x.no_data == y.no_data &&
           x.recover_text == y.recover_text && x.flapping.changes == y.flapping.changes &&
           x.flapping.within_ms == y.flapping.within_ms && x.for_ms == y.for_ms &&
           x.keep_firing_for_ms == y.keep_firing_for_ms && SameTexts(x.annotations, y.annotations);
  });
  return same_rules && a.interval_ms == b.interval_ms && a.limit == b.limit && a.query_offset_ms == b.query_offset_ms;
}

std::vector<Orphans> HandOver(const GroupStates& last, const GroupStates& next) {
  std::set<const RuleState*> settled;
  std::vector<Orphans> orphans;
  for (const auto& group : next) {
    const auto same = std::ranges::find_if(last, [&](const auto& old) { return SameName(*old->group, *group->group); });
    if (same == last.end()) continue;
    TakeTimes(**same, group.get());
    TakeRules(&(*same)->rules, group.get(), &settled, &orphans);
  }
  for (const auto& group : next) {
    for (const auto& old : last) TakeRules(&old->rules, group.get(), &settled, &orphans);
    MutexLock lock(group->mutex);
    for (size_t i = 0; i < group->rules.size(); ++i) group->status.rules[i] = group->rules[i].status;
  }
  for (const auto& old : last) {
    for (RuleState& rule : old->rules) {
      if (rule.rule != nullptr) orphans.push_back({rule.rule->into, std::move(rule.written)});
    }
  }
  return orphans;
}

}  // namespace tidemark::query::rules
