#include "tools/server/watch/rule_notices.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "query/rules/alert_update.h"
#include "storage/base/text/query_escape.h"

namespace tidemark::server {
namespace {

using query::notify::Alert;
using query::rules::AlertState;
using query::rules::GroupStatus;
using query::rules::RuleStatus;
using query::rules::Snapshot;

constexpr int64_t kMsNs = 1'000'000;
constexpr int64_t kKnownIntervals = 4;
constexpr int64_t kIntervalMinMs = 60'000;
// Evaluations in a row that fail before somebody is told.
constexpr uint64_t kFailuresTold = 3;
// A group is late when so many of its evaluations came after a miss, over at least this time; a machine that is busy
// for a moment is no reason to wake somebody. Evaluations without a miss after which it is on time again.
constexpr uint64_t kLateTold = 3;
constexpr int64_t kLateToldMs = 60'000;
constexpr uint64_t kOnTimeAfter = 5;

constexpr std::string_view kMisses = "RuleGroupMisses";

// A rule that cannot be evaluated, as an alert.
query::rules::Alert FailureOf(const GroupStatus& group, const RuleStatus& rule) {
  return {.labels = {{"alertname", "RuleFails"}, {"rule", rule.rule->name}, {"rule_group", RuleNotices::NameOf(group)}},
          .annotations = {{"error", rule.last_error},
                          {"summary",
                           "The rule " + rule.rule->name + " cannot be evaluated; its alerts stay what they were"}},
          .state = AlertState::kFiring,
          .active_at_ms = group.last_evaluation_ms,
          .value = static_cast<double>(rule.failures),
          .series = {}};
}

// An alert that flaps is told of as another one that goes on, while it itself is told of as ended: receivers hear of
// both at once, when it begins and when it is over.
query::rules::Alert FlappingOf(const query::rules::Rule& rule, query::rules::Alert alert) {
  query::rules::SetLabel(&alert.labels, "flapping", "true");
  query::rules::SetLabel(&alert.annotations, "flapping",
                         fmt::format("It has begun and ended to fire too often ({}): the next message comes when it is "
                                     "calm again",
                                     PrintFlapLimit(rule.flapping)));
  alert.state = AlertState::kFiring;
  return alert;
}

// A group of which evaluations were left out, as an alert.
query::rules::Alert MissesOf(const GroupStatus& group) {
  return {
      .labels = {{"alertname", std::string(kMisses)}, {"rule_group", RuleNotices::NameOf(group)}},
      .annotations = {{"summary",
                       fmt::format("Evaluations of the rule group {} are left out, {} since the start: the last one "
                                   "took {:.3g} s, and it is due each {:.3g} s",
                                   group.group->name, group.missed, static_cast<double>(group.evaluation_ns) * 1e-9,
                                   static_cast<double>(group.interval_ms) * 1e-3)}},
      .state = AlertState::kFiring,
      .active_at_ms = group.last_evaluation_ms,
      .value = static_cast<double>(group.missed),
      .series = {}};
}

Alert Ended(Alert alert, int64_t at_ms) {
  alert.ends_at_ns = std::max(at_ms * kMsNs, alert.starts_at_ns);
  return alert;
}

}  // namespace

std::string RuleNotices::NameOf(const GroupStatus& group) { return group.group->file + ";" + group.group->name; }

int64_t RuleNotices::KnownMs(const GroupStatus& group) {
  return kKnownIntervals * std::max(group.interval_ms, kIntervalMinMs);
}

void RuleNotices::Restore(std::vector<Before> before) {
  for (Before& one : before) {
    // One that is late goes on being so until it is on time again.
    if (query::notify::ValueOf(one.alert.labels, query::rules::kAlertName) == kMisses) {
      seen_[one.alert.rule_group].late = kLateTold;
    }
    Firing& firing = firing_[one.alert.labels];
    firing.group = one.alert.rule_group;
    firing.rule = one.alert.rule;
    firing.alert = std::move(one.alert);
    firing.before = one.last;
  }
}

bool RuleNotices::MayGoOn(const GroupStatus& group, Firing* firing) {
  if (!firing->before) return false;
  const auto is_its_rule = [&](const RuleStatus& rule) { return rule.rule->name == firing->rule; };
  if (std::ranges::none_of(group.rules, is_its_rule)) return false;
  const auto fails = [&](const RuleStatus& rule) { return is_its_rule(rule) && rule.failures > 0; };
  if (std::ranges::any_of(group.rules, fails)) return true;
  const int64_t at_ms = group.last_evaluation_ms;
  // The clock may have been set back.
  if (firing->first_ms == 0 || firing->first_ms > at_ms) firing->first_ms = at_ms;
  if (firing->before->ended) return false;
  // Between two evaluations nobody evaluates it either.
  const int64_t away_ms = firing->first_ms - firing->before->last_ms - group.interval_ms;
  return at_ms - firing->first_ms < std::min(away_ms, KnownMs(group));
}

bool RuleNotices::Wants(const std::shared_ptr<const query::rules::GroupList>& owner, const GroupStatus& group) const {
  if (owner != settled_) return true;
  const auto seen = seen_.find(NameOf(group));
  return seen == seen_.end() || seen->second.evaluation_ms != group.last_evaluation_ms;
}

std::vector<Alert> RuleNotices::Since(const Snapshot& snapshot, int64_t now_ms) {
  std::vector<Alert> out;
  std::set<std::string> there;
  for (const GroupStatus& group : snapshot.groups) {
    const std::string name = NameOf(group);
    there.insert(name);
    Seen& seen = seen_[name];
    // Just read from its file, or as it was: nothing is known that was not known before.
    if (group.last_evaluation_ms == 0 || group.last_evaluation_ms == seen.evaluation_ms) continue;
    TakeGroup(group, name, &seen, &out);
    seen.evaluation_ms = group.last_evaluation_ms;
  }
  std::erase_if(seen_, [&](const auto& entry) { return !there.contains(entry.first); });
  EndRemoved(snapshot, now_ms, &out);
  return out;
}

bool RuleNotices::IsLate(const GroupStatus& group, Seen* seen) {
  if (group.missed > seen->missed) {
    if (seen->late == 0) seen->late_since_ms = group.last_evaluation_ms;
    ++seen->late;
    seen->on_time = 0;
  } else if (++seen->on_time >= kOnTimeAfter) {
    seen->late = 0;
  }
  seen->missed = group.missed;
  return seen->late >= kLateTold && group.last_evaluation_ms - seen->late_since_ms >= kLateToldMs;
}

void RuleNotices::TakeGroup(const GroupStatus& group, const std::string& name, Seen* seen, std::vector<Alert>* out) {
  const bool first = seen->evaluation_ms == 0;
  const int64_t at_ms = group.last_evaluation_ms;
  std::set<model::Labels> fires;
  const auto take = [&](const RuleStatus& rule, const query::rules::Alert& alert, int64_t since_ms) {
    fires.insert(alert.labels);
    Fires(group, name, rule, alert, since_ms, out);
  };
  for (const RuleStatus& rule : group.rules) {
    const bool fails = rule.failures >= kFailuresTold;
    for (const query::rules::Alert& alert : rule.alerts) {
      if (alert.state != AlertState::kFiring || alert.flapping) continue;
      // One that goes on firing after a restart has done so since its time was over.
      const int64_t since_ms = first && !fails ? std::min(at_ms, alert.active_at_ms + rule.rule->for_ms) : at_ms;
      take(rule, alert, since_ms);
    }
    if (fails) take(rule, FailureOf(group, rule), at_ms);
    for (const query::rules::Alert& alert : rule.flapping) take(rule, FlappingOf(*rule.rule, alert), at_ms);
  }
  if (IsLate(group, seen) && !group.rules.empty()) take(group.rules.front(), MissesOf(group), at_ms);
  for (auto at = firing_.begin(); at != firing_.end();) {
    Firing& firing = at->second;
    if (firing.group != name || fires.contains(at->first)) {
      ++at;
    } else if (MayGoOn(group, &firing)) {
      firing.alert.ends_at_ns = (at_ms + KnownMs(group)) * kMsNs;
      out->push_back(firing.alert);
      ++at;
    } else {
      out->push_back(Ended(std::move(firing.alert), at_ms));
      at = firing_.erase(at);
    }
  }
}

void RuleNotices::Fires(const GroupStatus& group, const std::string& name, const RuleStatus& rule,
                        const query::rules::Alert& alert, int64_t since_ms, std::vector<Alert>* out) {
  const auto [at, is_new] = firing_.try_emplace(alert.labels);
  Firing& firing = at->second;
  if (is_new) {
    firing.alert.starts_at_ns = since_ms * kMsNs;
    firing.alert.labels = alert.labels;
  }
  firing.group = name;
  firing.rule = rule.rule->name;
  firing.alert.annotations = alert.annotations;
  firing.alert.generator_url =
      fmt::format("{}/graph?g0.expr={}&g0.tab=1", external_url_, text::QueryEscape(rule.rule->expr_text));
  firing.alert.ends_at_ns = (group.last_evaluation_ms + KnownMs(group)) * kMsNs;
  firing.alert.rule_group = firing.group;
  firing.alert.rule = firing.rule;
  firing.before.reset();
  out->push_back(firing.alert);
}

void RuleNotices::EndRemoved(const Snapshot& snapshot, int64_t now_ms, std::vector<Alert>* out) {
  // Before there are any groups nothing has been taken away.
  if (snapshot.owner == nullptr || snapshot.owner == settled_) return;
  std::set<std::string> waiting;  // rules that have not been evaluated
  std::set<model::Labels> fires;  // also of a rule that has moved to another group, which takes it at its next turn
  std::set<std::pair<std::string, std::string>> there;
  for (const GroupStatus& group : snapshot.groups) {
    for (const RuleStatus& rule : group.rules) {
      there.emplace(NameOf(group), rule.rule->name);
      if (group.last_evaluation_ms == 0) waiting.insert(rule.rule->name);
      for (const query::rules::Alert& alert : rule.alerts) {
        if (alert.state == AlertState::kFiring && !alert.flapping) fires.insert(alert.labels);
      }
      for (const query::rules::Alert& alert : rule.flapping) fires.insert(FlappingOf(*rule.rule, alert).labels);
    }
  }
  if (waiting.empty()) settled_ = snapshot.owner;
  for (auto at = firing_.begin(); at != firing_.end();) {
    const Firing& firing = at->second;
    if (there.contains({firing.group, firing.rule}) || waiting.contains(firing.rule) || fires.contains(at->first)) {
      ++at;
    } else {
      out->push_back(Ended(std::move(at->second.alert), now_ms));
      at = firing_.erase(at);
    }
  }
}

}  // namespace tidemark::server
