// Decide: whether a receiver is told something of a group now, and what.
//
// Source: prometheus/alertmanager 0.25, notify/notify.go (DedupStage, MuteStage). Where `as_alertmanager` is not set it
// differs in three points, each a loss or a lie there: a resolve goes to whoever was told that the alert fires, also
// when it is muted meanwhile, and to nobody else; an alert that was muted and fires on is told of when the muting ends
// rather than after the repeat interval.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/notify/alert.h"

namespace tidemark::query::notify {

// Why nobody is told of an alert.
enum class Muting : uint8_t { kNone, kInhibited, kMuteTime, kInactiveTime, kSilenced };
// "", "inhibited", "mute time", "outside of its active times", "silenced".
std::string_view Name(Muting muting);

enum class TellReason : uint8_t { kNothingNew, kFirst, kNewFiring, kResolved, kMutingEnded, kRepeat };
// "nothing new", "first", "new alerts fire", "alerts are resolved", "muting ended", "repeat".
std::string_view Name(TellReason reason);

// What a receiver was told of a group, by one of its ways. Fingerprints of alerts.
struct Told {
  int64_t at_ns = 0;            // when the last message was delivered
  std::set<uint64_t> firing;    // in that message
  std::set<uint64_t> resolved;  // in that message
  std::set<uint64_t> open;      // told that they fire, not yet that they are resolved
  std::set<uint64_t> muted;     // of `open`: muted since they were last told of
  friend bool operator==(const Told&, const Told&) = default;
};

struct Candidate {
  const Alert* alert = nullptr;
  bool resolved = false;
  Muting muting = Muting::kNone;
};

struct DecisionRules {
  bool send_resolved = true;
  int64_t repeat_ns = 0;
  bool as_alertmanager = false;
};

struct Decision {
  TellReason reason = TellReason::kNothingNew;
  // What the message holds, in the order of the candidates. With a reason and none, there is only to be noted what
  // the receiver would have been told.
  std::vector<const Candidate*> tell;
  std::set<uint64_t> firing;
  std::set<uint64_t> resolved;
};

// `told`: null when it was told nothing yet.
Decision Decide(const Told* told, std::span<const Candidate> candidates, const DecisionRules& rules, int64_t now_ns);

// Notes that what was decided has been delivered.
void NoteDelivered(Told* told, const std::set<uint64_t>& firing, const std::set<uint64_t>& resolved, int64_t now_ns);
// Notes which alerts are muted though it was told of them. Whether anything has changed.
bool NoteMuted(Told* told, std::span<const Candidate> candidates);

}  // namespace tidemark::query::notify
