// What a rule and a group keep between evaluations, and how it passes to the rules that a reload puts in their place.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "query/rules/flapping.h"
#include "query/rules/no_data.h"
#include "query/rules/reads.h"
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
  bool gone = false;                        // its series was not there at the last evaluation, where that is asked for
  // After a restart: `alert.series` is made of the labels, without those that the rule sets.
  bool guessed = false;
};

// An alert that has begun or ended to fire not long ago.
struct FlapState {
  FlapLog log;
  Alert alert;  // what it was at last
  // Known from before a restart, and nobody has been told of it since. So it ends no sooner than one evaluation later:
  // who was told that it flaps is told that it does no more.
  bool restored = false;
};

struct RuleState {
  const Rule* rule = nullptr;
  RuleStatus status;
  std::map<model::Labels, ActiveAlert> active;
  std::map<model::Labels, FlapState> flaps;  // where the rule damps flapping
  // Whether what was written before a restart has been looked up.
  bool restored = false;
  KnownSeries known;  // where the policy of no data is kAlert
  // Series that have a sample, and no stale marker behind it.
  std::set<model::Labels> written;
};

struct GroupState {
  std::shared_ptr<const Group> group;
  int64_t interval_ms = 0;
  // Of the manager's lock: when it is due next; whether that is a time between those of its grid, because it is new or
  // has changed or the clock was set back; whether somebody evaluates it, who then alone uses `rules`; and whether a
  // reload puts another one in its place, so that nobody begins.
  int64_t next_ms = 0;
  bool at_once = false;
  bool running = false;
  bool replaced = false;
  // Of the manager's lock: the first time of its grid that no evaluation has been at to its end; 0: none is known.
  int64_t owed_ms = 0;
  // Ends what it is at when it is replaced.
  std::stop_source stop;
  std::vector<RuleState> rules;
  std::vector<Reads> reads;  // of each of them
  mutable Mutex mutex;
  // What others see.
  GroupStatus status TM_GUARDED_BY(mutex);
};

using GroupStates = std::vector<std::shared_ptr<GroupState>>;

// Series of one database that nobody writes any more.
struct Orphans {
  std::string database;  // as the rule's `into` names it
  std::set<model::Labels> series;
};

// Whether both are evaluated alike, so that one may go on in the place of the other.
bool SameGroup(const Group& a, const Group& b);

// Gives each rule of `next` the state of the same rule of `last`: of the same kind, with the same name and labels, in
// the group of the same file and name, or else anywhere. Neither runs.
// Returns what the rules wrote that are not there any more.
std::vector<Orphans> HandOver(const GroupStates& last, const GroupStates& next);

}  // namespace tidemark::query::rules
