#include "query/notify/decision.h"

#include <algorithm>
#include <array>

namespace tidemark::query::notify {
namespace {

bool Includes(const std::set<uint64_t>& all, const std::set<uint64_t>& some) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

bool Meet(const std::set<uint64_t>& a, const std::set<uint64_t>& b) {
  return std::any_of(a.begin(), a.end(), [&](uint64_t value) { return b.contains(value); });
}

TellReason ReasonOf(const Told* told, const Decision& decision, const DecisionRules& rules, int64_t now_ns) {
  const bool fires = !decision.firing.empty();
  if (told == nullptr || told->at_ns == 0) return fires ? TellReason::kFirst : TellReason::kNothingNew;
  if (!Includes(told->firing, decision.firing)) return TellReason::kNewFiring;
  if (!fires) {
    // All are resolved. This counts also where resolves are not sent: else the next firing would be no news.
    const bool news = rules.as_alertmanager ? !told->firing.empty() : !decision.resolved.empty();
    return news ? TellReason::kResolved : TellReason::kNothingNew;
  }
  const bool resolved_news =
      rules.as_alertmanager ? !Includes(told->resolved, decision.resolved) : !decision.resolved.empty();
  if (resolved_news && rules.send_resolved) return TellReason::kResolved;
  if (!rules.as_alertmanager && Meet(told->muted, decision.firing)) return TellReason::kMutingEnded;
  return told->at_ns < now_ns - rules.repeat_ns ? TellReason::kRepeat : TellReason::kNothingNew;
}

}  // namespace

std::string_view Name(Muting muting) {
  constexpr std::array<std::string_view, 5> kNames{"", "inhibited", "mute time", "outside of its active times",
                                                   "silenced"};
  return kNames.at(static_cast<size_t>(muting));
}

std::string_view Name(TellReason reason) {
  constexpr std::array<std::string_view, 6> kNames{"nothing new",         "first",        "new alerts fire",
                                                   "alerts are resolved", "muting ended", "repeat"};
  return kNames.at(static_cast<size_t>(reason));
}

Decision Decide(const Told* told, std::span<const Candidate> candidates, const DecisionRules& rules, int64_t now_ns) {
  Decision decision;
  std::vector<const Candidate*> shown;
  for (const Candidate& candidate : candidates) {
    const uint64_t fingerprint = candidate.alert->fingerprint;
    const bool muted = candidate.muting != Muting::kNone;
    const bool counts =
        rules.as_alertmanager || !candidate.resolved ? !muted : told != nullptr && told->open.contains(fingerprint);
    if (!counts) continue;
    shown.push_back(&candidate);
    (candidate.resolved ? decision.resolved : decision.firing).insert(fingerprint);
  }
  if (shown.empty()) return decision;
  decision.reason = ReasonOf(told, decision, rules, now_ns);
  if (decision.reason == TellReason::kNothingNew) return decision;
  if (!rules.send_resolved) std::erase_if(shown, [](const Candidate* candidate) { return candidate->resolved; });
  decision.tell = std::move(shown);
  return decision;
}

void NoteDelivered(Told* told, const std::set<uint64_t>& firing, const std::set<uint64_t>& resolved, int64_t now_ns) {
  told->at_ns = now_ns;
  told->firing = firing;
  told->resolved = resolved;
  told->open.insert(firing.begin(), firing.end());
  for (const uint64_t fingerprint : resolved) told->open.erase(fingerprint);
  std::erase_if(told->muted, [&](uint64_t value) { return firing.contains(value) || !told->open.contains(value); });
}

bool NoteMuted(Told* told, std::span<const Candidate> candidates) {
  bool changed = false;
  for (const Candidate& candidate : candidates) {
    const uint64_t fingerprint = candidate.alert->fingerprint;
    if (candidate.resolved || candidate.muting == Muting::kNone || !told->open.contains(fingerprint)) continue;
    changed = told->muted.insert(fingerprint).second || changed;
  }
  return changed;
}

}  // namespace tidemark::query::notify
