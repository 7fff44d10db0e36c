// What rules are at: the alerts of each, when it ran, what went wrong.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "query/rules/rule_file.h"
#include "storage/model/labels.h"

namespace tidemark::query::rules {

enum class AlertState : uint8_t { kInactive, kPending, kFiring };

// "inactive", "pending", "firing".
constexpr std::string_view Name(AlertState state) {
  switch (state) {
    case AlertState::kInactive: return "inactive";
    case AlertState::kPending: return "pending";
    case AlertState::kFiring: return "firing";
  }
  return "inactive";
}

struct Alert {
  model::Labels labels;  // alertname included, no __name__
  model::Labels annotations;
  AlertState state = AlertState::kPending;
  int64_t active_at_ms = 0;
  double value = 0;
  model::Labels series = {};  // of the sample that it is about, without __name__
  bool no_data = false;       // it goes on because there is none (no_data.h)
  bool recovering = false;    // it fires on because it has not recovered, though its condition does not hold
  bool flapping = false;      // it begins and ends to fire too often for people to be told each time
};

// What one rule is at now.
struct RuleStatus {
  const Rule* rule = nullptr;
  std::string health = "unknown";  // "ok", "err"
  std::string last_error;
  uint64_t failures = 0;           // evaluations in a row that failed
  int64_t last_evaluation_ms = 0;  // 0: never
  int64_t evaluation_ns = 0;       // duration
  std::vector<Alert> alerts;       // of alerting rules, sorted by labels
  // Those that flap (flapping.h), also where they do not fire now: people are told of these as one that goes on.
  std::vector<Alert> flapping;
  // The gravest state of its alerts.
  [[nodiscard]] AlertState state() const {
    AlertState gravest = AlertState::kInactive;
    for (const Alert& alert : alerts) gravest = std::max(gravest, alert.state);
    return gravest;
  }
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
  std::shared_ptr<const GroupList> owner;
  std::vector<GroupStatus> groups;
};

}  // namespace tidemark::query::rules
