#include "query/rules/rule_status.h"

#include <algorithm>

namespace tidemark::query::rules {

std::string_view Name(AlertState state) {
  switch (state) {
    case AlertState::kInactive: return "inactive";
    case AlertState::kPending: return "pending";
    case AlertState::kFiring: return "firing";
  }
  return "inactive";
}

AlertState RuleStatus::state() const {
  AlertState gravest = AlertState::kInactive;
  for (const Alert& alert : alerts) gravest = std::max(gravest, alert.state);
  return gravest;
}

}  // namespace tidemark::query::rules
