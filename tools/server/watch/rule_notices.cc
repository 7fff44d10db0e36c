#include "tools/server/watch/rule_notices.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

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

std::string NameOf(const GroupStatus& group) { return group.group->file + ";" + group.group->name; }

// A rule that cannot be evaluated, as an alert.
query::rules::Alert FailureOf(const GroupStatus& group, const RuleStatus& rule) {
  return {.labels = {{"alertname", "RuleFails"}, {"rule", rule.rule->name}, {"rule_group", NameOf(group)}},
          .annotations = {{"error", rule.last_error},
                          {"summary",
                           "The rule " + rule.rule->name + " cannot be evaluated; its alerts stay what they were"}},
          .state = AlertState::kFiring,
          .active_at_ms = group.last_evaluation_ms,
          .value = static_cast<double>(rule.failures),
          .series = {},
          .no_data = false};
}

Alert Ended(Alert alert, int64_t at_ms) {
  alert.ends_at_ns = std::max(at_ms * kMsNs, alert.starts_at_ns);
  return alert;
}

}  // namespace

std::vector<Alert> RuleNotices::Since(const Snapshot& snapshot, int64_t now_ms) {
  std::vector<Alert> out;
  std::set<std::string> there;
  for (const GroupStatus& group : snapshot.groups) {
    const std::string name = NameOf(group);
    there.insert(name);
    Seen& seen = seen_[name];
    // Just read from its file, or as it was: nothing is known that was not known before.
    if (group.last_evaluation_ms == 0 || group.last_evaluation_ms == seen.evaluation_ms) continue;
    TakeGroup(group, name, seen.evaluation_ms == 0, &out);
    seen.evaluation_ms = group.last_evaluation_ms;
  }
  std::erase_if(seen_, [&](const auto& entry) { return !there.contains(entry.first); });
  EndRemoved(snapshot, now_ms, &out);
  return out;
}

void RuleNotices::TakeGroup(const GroupStatus& group, const std::string& name, bool first, std::vector<Alert>* out) {
  const int64_t at_ms = group.last_evaluation_ms;
  const int64_t until_ms = at_ms + kKnownIntervals * std::max(group.interval_ms, kIntervalMinMs);
  std::set<model::Labels> fires;
  for (const RuleStatus& rule : group.rules) {
    std::vector<query::rules::Alert> alerts = rule.alerts;
    if (rule.failures >= kFailuresTold) alerts.push_back(FailureOf(group, rule));
    for (const query::rules::Alert& alert : alerts) {
      if (alert.state != AlertState::kFiring) continue;
      fires.insert(alert.labels);
      const auto [at, is_new] = firing_.try_emplace(alert.labels);
      Firing& firing = at->second;
      if (is_new) {
        // One that goes on firing after a restart has done so since its time was over.
        const bool fired_before = first && rule.failures < kFailuresTold;
        const int64_t fired_ms = fired_before ? std::min(at_ms, alert.active_at_ms + rule.rule->for_ms) : at_ms;
        firing.alert.starts_at_ns = fired_ms * kMsNs;
        firing.alert.labels = alert.labels;
      }
      firing.group = name;
      firing.rule = rule.rule->name;
      firing.alert.annotations = alert.annotations;
      firing.alert.generator_url =
          fmt::format("{}/graph?g0.expr={}&g0.tab=1", external_url_, text::QueryEscape(rule.rule->expr_text));
      firing.alert.ends_at_ns = until_ms * kMsNs;
      out->push_back(firing.alert);
    }
  }
  for (auto at = firing_.begin(); at != firing_.end();) {
    if (at->second.group == name && !fires.contains(at->first)) {
      out->push_back(Ended(std::move(at->second.alert), at_ms));
      at = firing_.erase(at);
    } else {
      ++at;
    }
  }
}

void RuleNotices::EndRemoved(const Snapshot& snapshot, int64_t now_ms, std::vector<Alert>* out) {
  std::set<std::string> waiting;  // rules that have not been evaluated
  std::set<model::Labels> fires;  // also of a rule that has moved to another group, which takes it at its next turn
  std::set<std::pair<std::string, std::string>> there;
  for (const GroupStatus& group : snapshot.groups) {
    for (const RuleStatus& rule : group.rules) {
      there.emplace(NameOf(group), rule.rule->name);
      if (group.last_evaluation_ms == 0) waiting.insert(rule.rule->name);
      for (const query::rules::Alert& alert : rule.alerts) {
        if (alert.state == AlertState::kFiring) fires.insert(alert.labels);
      }
    }
  }
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
