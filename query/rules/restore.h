// What is known of an alert from before a restart, and when it became active as seen from now.
//
// Source: Prometheus, rules/group.go, RestoreForState. Unlike there, a rule whose `for` is shorter than the grace is
// restored too: an alert that fired goes on firing.
#pragma once

#include <cstdint>

namespace tidemark::query::rules {

// The last samples that were written for it.
struct PastAlert {
  int64_t active_at_ms = 0;  // of ALERTS_FOR_STATE: its value
  int64_t last_ms = 0;       // and its time: how long it is known to have been active
  int64_t firing_ms = 0;     // the time of that of ALERTS while it fired; 0: it was pending
};

// `for_ms` of the rule; `grace_ms`: an alert that was pending and would fire sooner than this after the restart fires
// only after it, so that data has time to come in. The time that the server was down does not count as pending.
inline int64_t RestoredActiveAt(const PastAlert& past, int64_t now_ms, int64_t for_ms, int64_t grace_ms) {
  const int64_t left_ms = for_ms - (past.last_ms - past.active_at_ms);
  if (left_ms <= 0) return past.active_at_ms;
  if (grace_ms < for_ms && left_ms < grace_ms) return now_ms + grace_ms - for_ms;
  return past.active_at_ms + (now_ms - past.last_ms);
}

}  // namespace tidemark::query::rules
