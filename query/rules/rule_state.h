// What a rule and a group keep between evaluations, and how it passes to the rules that a reload puts in their place.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "query/rules/no_data.h"
#include "query/rules/rule_file.h"
#include "query/rules/rule_status.h"
#include "storage/base/mutex.h"
#include "storage/model/labels.h"

namespace tidemark::query::rules {

struct ActiveAlert {
  Alert alert;
  AlertState told = AlertState::kInactive;  // what the history says of it
  int64_t last_seen_ms = 0;                 // when the expression gave it last
  std::optional<int64_t> keep_since_ms;     // when a firing one was no longer given
  bool unseen = false;                      // its series has not been there since a reload changed what the rule asks
};

struct RuleState {
  const Rule* rule = nullptr;
  RuleStatus status;
  std::map<model::Labels, ActiveAlert> active;
  // Whether what was written before a restart has been looked up.
  bool restored = false;
  KnownSeries known;  // where the policy of no data is kAlert
  // Series that have a sample, and no stale marker behind it.
  std::set<model::Labels> written;
};

struct GroupState {
  const Group* group = nullptr;
  int64_t interval_ms = 0;
  int64_t next_ms = 0;  // of the manager's lock
  // Held while the group runs, so that it never runs twice at once; `status` is what others see.
  Mutex running;
  std::vector<RuleState> rules;
  // Ended by a reload before all its rules had run.
  bool interrupted = false;
  mutable Mutex mutex;
  GroupStatus status TM_GUARDED_BY(mutex);
};

using GroupStates = std::vector<std::shared_ptr<GroupState>>;

// Series of one database that nobody writes any more.
struct Orphans {
  std::string database;  // as the rule's `into` names it
  std::set<model::Labels> series;
};

// Gives each rule of `next` the state of the same rule of `last`: of the same kind, with the same name and labels, in
// the group of the same file and name, or else anywhere. A group that is as it was keeps its times. Neither runs.
// Returns what the rules wrote that are not there any more.
std::vector<Orphans> HandOver(const GroupStates& last, const GroupStates& next);

}  // namespace tidemark::query::rules
