// The part of Notifier that looks at a group when its time has come, and that learns what became of messages.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "query/notify/notifier.h"
#include "storage/base/log.h"

namespace tidemark::query::notify {
namespace {

std::string MessageId(const Channel& channel, int64_t now_ns) {
  // The fingerprint of what it is of, and when it was made: a channel has one at a time.
  const uint64_t hash = FingerprintOf({{channel.group, channel.receiver}, {"", std::to_string(channel.integration)}});
  return fmt::format("{:016x}-{:x}", hash, static_cast<uint64_t>(now_ns));
}

bool WithinAny(const Config& config, const std::vector<std::string>& names, int64_t now_ns) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto at = config.intervals.find(name);
    return at != config.intervals.end() &&
           std::any_of(at->second.begin(), at->second.end(), [&](const auto& i) { return i.Contains(now_ns); });
  });
}

// Of whom a look at a group tells, or why not: who asks why he was not told finds it in the log.
void LogLook(const Group& group, std::span<const Candidate> candidates) {
  if (!log::Enabled(log::Level::kDebug)) return;
  std::string seen;
  for (const Candidate& one : candidates) {
    seen += fmt::format(" {}[{}][{}]", ValueOf(one.alert->labels, "alertname"), FingerprintText(one.alert->fingerprint),
                        one.resolved ? "resolved" : "active");
    if (one.muting != Muting::kNone) seen += fmt::format("[{}]", Name(one.muting));
  }
  TM_LOG(kDebug, "looked at the group {} for {}:{}", group.key, group.route->receiver, seen);
}

}  // namespace

std::vector<Message> Notifier::Run(int64_t now_ns) {
  std::vector<Message> out;
  for (auto& [id, group] : groups_) {
    // A clock that was set back makes nobody wait longer than he would have.
    group.next_flush_ns =
        std::min(group.next_flush_ns, now_ns + std::max(group.route->group_wait_ns, group.route->group_interval_ns));
    if (group.next_flush_ns > now_ns) continue;
    Flush(&group, now_ns, &out);
    group.flushed = true;
    group.next_flush_ns = now_ns + group.route->group_interval_ns;
    changes_.groups.insert(id);
  }
  Maintain(now_ns);
  changes_.silences.merge(silences_.TakeChanged());
  return out;
}

Muting Notifier::MutingOf(const Route& route, int64_t now_ns) const {
  if (!route.active_intervals.empty() && !WithinAny(*config_, route.active_intervals, now_ns)) {
    return Muting::kInactiveTime;
  }
  return WithinAny(*config_, route.mute_intervals, now_ns) ? Muting::kMuteTime : Muting::kNone;
}

Muting Notifier::MutingOf(const Alert& alert, Muting route_muting, int64_t now_ns) const {
  if (inhibitor_.InhibitedBy(alert.labels, now_ns) != 0) return Muting::kInhibited;
  if (route_muting != Muting::kNone) return route_muting;
  return silences_.Silencing(alert.labels, now_ns).empty() ? Muting::kNone : Muting::kSilenced;
}

void Notifier::Flush(Group* group, int64_t now_ns, std::vector<Message>* out) {
  if (group->alerts.empty()) return;
  const Muting route_muting = MutingOf(*group->route, now_ns);
  std::vector<Candidate> candidates;
  for (const auto& [fingerprint, alert] : group->alerts) {
    candidates.push_back({.alert = alert.get(),
                          .resolved = alert->ResolvedAt(now_ns),
                          .muting = MutingOf(*alert, route_muting, now_ns)});
  }
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return AlertBefore(*a.alert, *b.alert); });
  LogLook(*group, candidates);
  const Receiver& receiver = *config_->FindReceiver(group->route->receiver);
  for (size_t i = 0; i < receiver.integrations.size(); ++i) {
    Tell(*group, {.group = group->id, .receiver = receiver.name, .integration = i}, candidates,
         {.send_resolved = receiver.integrations[i].send_resolved,
          .repeat_ns = group->route->repeat_interval_ns,
          .as_alertmanager = options_.as_alertmanager},
         now_ns, out);
  }
  DropSettled(group, nullptr, now_ns);
}

void Notifier::Tell(const Group& group, Channel channel, std::span<const Candidate> candidates, DecisionRules rules,
                    int64_t now_ns, std::vector<Message>* out) {
  const auto told = told_.find(channel);
  if (told != told_.end() && NoteMuted(&told->second, candidates)) changes_.told.insert(channel);
  const Decision decision = Decide(told == told_.end() ? nullptr : &told->second, candidates, rules, now_ns);
  if (in_flight_.contains(channel)) {
    if (KeepsInFlight(channel, decision)) return;
    Erase(in_flight_.at(channel));
  }
  if (decision.reason == TellReason::kNothingNew) return;
  if (decision.tell.empty()) {
    NoteDelivered(&told_[channel], decision.firing, decision.resolved, now_ns);
    changes_.told.insert(std::move(channel));
    return;
  }
  Message message{.id = MessageId(channel, now_ns),
                  .channel = std::move(channel),
                  .group_key = group.key,
                  .group_labels = group.labels,
                  .alerts = {},
                  .reason = decision.reason,
                  .made_at_ns = now_ns,
                  .firing = decision.firing,
                  .resolved = decision.resolved};
  for (const Candidate* candidate : decision.tell) {
    Alert& alert = message.alerts.emplace_back(*candidate->alert);
    if (!candidate->resolved) alert.ends_at_ns = 0;
  }
  changes_.messages.insert(message.id);
  RestoreMessage(message);
  out->push_back(std::move(message));
}

bool Notifier::KeepsInFlight(const Channel& channel, const Decision& decision) {
  const InFlight& in_flight = messages_.find(in_flight_.at(channel))->second;
  const Message& message = in_flight.message;
  if (in_flight.sending) return true;
  if (decision.reason == TellReason::kNothingNew) return true;
  const bool still_true =
      std::includes(decision.firing.begin(), decision.firing.end(), message.firing.begin(), message.firing.end()) &&
      std::includes(decision.resolved.begin(), decision.resolved.end(), message.resolved.begin(),
                    message.resolved.end());
  const bool same = decision.firing == message.firing && decision.resolved == message.resolved;
  return !still_true || same;
}

const Message* Notifier::BeginAttempt(std::string_view id) {
  const auto at = messages_.find(id);
  if (at == messages_.end()) return nullptr;
  at->second.sending = true;
  return &at->second.message;
}

bool Notifier::EndAttempt(std::string_view id, int64_t now_ns) {
  const auto at = messages_.find(id);
  if (at == messages_.end()) return false;
  at->second.sending = false;
  if (now_ns - at->second.message.made_at_ns <= options_.message_age_max_ns) return true;
  Refused(id);
  return false;
}

void Notifier::Delivered(std::string_view id, int64_t now_ns) {
  const auto at = messages_.find(id);
  if (at == messages_.end()) return;
  const Message& message = at->second.message;
  NoteDelivered(&told_[message.channel], message.firing, message.resolved, now_ns);
  changes_.told.insert(message.channel);
  const std::set<uint64_t> resolved = message.resolved;
  const auto found = groups_.find(message.channel.group);
  Erase(id);
  if (found != groups_.end()) DropSettled(&found->second, &resolved, now_ns);
}

void Notifier::Refused(std::string_view id) { Erase(id); }

void Notifier::Erase(std::string_view id) {
  const auto at = messages_.find(id);
  if (at == messages_.end()) return;
  changes_.messages.insert(at->first);
  in_flight_.erase(at->second.message.channel);
  messages_.erase(at);
}

bool Notifier::IsOwed(const Group& group, uint64_t fingerprint) const {
  const Receiver* const receiver = config_->FindReceiver(group.route->receiver);
  for (size_t i = 0; i < receiver->integrations.size(); ++i) {
    const Channel channel{.group = group.id, .receiver = receiver->name, .integration = i};
    if (const auto at = in_flight_.find(channel); at != in_flight_.end()) {
      // Once it has arrived, that the alert is resolved is owed.
      const Message& message = messages_.find(at->second)->second.message;
      if (message.firing.contains(fingerprint) || message.resolved.contains(fingerprint)) return true;
    }
    if (options_.as_alertmanager) continue;
    const Told* const told = FindTold(channel);
    if (told != nullptr && told->open.contains(fingerprint)) return true;
  }
  return false;
}

void Notifier::DropSettled(Group* group, const std::set<uint64_t>* only, int64_t now_ns) {
  std::erase_if(group->alerts, [&](const auto& entry) {
    return (only == nullptr || only->contains(entry.first)) && entry.second->ResolvedAt(now_ns) &&
           !IsOwed(*group, entry.first);
  });
}

}  // namespace tidemark::query::notify
