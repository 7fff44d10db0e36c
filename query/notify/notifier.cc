#include "query/notify/notifier.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace tidemark::query::notify {
namespace {

// How often empty groups and ended alerts are let go: as often as Alertmanager does, since an alert that comes back
// before it joins its old group and waits for that one's interval.
constexpr int64_t kMaintenanceNs = 30'000'000'000;

// Whether a restart must know of it. Senders tell of their alerts again and again; that the end is a little later needs
// no writing, since it is moved on after a restart.
bool IsNews(const Alert& old, const Alert& news, int64_t now_ns) {
  return old.starts_at_ns != news.starts_at_ns || old.annotations != news.annotations || old.timeout != news.timeout ||
         old.generator_url != news.generator_url || old.rule != news.rule || old.rule_group != news.rule_group ||
         old.ResolvedAt(now_ns) != news.ResolvedAt(now_ns);
}

}  // namespace

Notifier::Notifier(std::shared_ptr<const Config> config, NotifierOptions options)
    : config_(std::move(config)),
      options_(std::move(options)),
      silences_(options_.silences),
      inhibitor_(config_->inhibit_rules) {}

void Notifier::SetConfig(std::shared_ptr<const Config> config, int64_t now_ns) {
  for (const auto& [id, group] : groups_) {
    restored_times_[id] = {.next_flush_ns = group.next_flush_ns, .flushed = group.flushed};
  }
  groups_.clear();
  config_ = std::move(config);
  inhibitor_ = Inhibitor(config_->inhibit_rules);
  for (const auto& [fingerprint, alert] : alerts_) {
    inhibitor_.Update(alert);
    Dispatch(alert, now_ns);
  }
  for (const auto& [id, times] : std::exchange(restored_times_, {})) {
    if (!groups_.contains(id)) changes_.groups.insert(id);
  }
  // A message to a receiver that is gone has nowhere to go.
  std::vector<std::string> lost;
  for (const auto& [id, in_flight] : messages_) {
    const Receiver* receiver = config_->FindReceiver(in_flight.message.channel.receiver);
    const size_t ways = receiver == nullptr ? 0 : receiver->integrations.size();
    if (in_flight.message.channel.integration >= ways) lost.push_back(id);
  }
  for (const std::string& id : lost) Erase(id);
}

Status Notifier::Put(Alert alert, int64_t now_ns) {
  TM_RETURN_IF_ERROR(CheckAlert(alert));
  alert.fingerprint = FingerprintOf(alert.labels);
  alert.updated_at_ns = now_ns;
  const auto old = alerts_.find(alert.fingerprint);
  if (old == alerts_.end() && alerts_.size() >= options_.alerts_max) {
    return LimitExceeded(fmt::format("there are {} alerts, and more are not taken", alerts_.size()));
  }
  if (old != alerts_.end()) alert = Merge(*old->second, std::move(alert), now_ns);
  if (old == alerts_.end() || IsNews(*old->second, alert, now_ns)) changes_.alerts.insert(alert.fingerprint);
  const auto stored = std::make_shared<const Alert>(std::move(alert));
  alerts_[stored->fingerprint] = stored;
  inhibitor_.Update(stored);
  Dispatch(stored, now_ns);
  return {};
}

void Notifier::Dispatch(const std::shared_ptr<const Alert>& alert, int64_t now_ns) {
  for (const Route* route : config_->root.Match(alert->labels)) {
    Group* const group = FindOrMakeGroup(*route, alert->labels, now_ns);
    if (group == nullptr) {
      ++groups_refused_;
      continue;
    }
    group->alerts[alert->fingerprint] = alert;
    if (!group->flushed && alert->starts_at_ns + route->group_wait_ns < now_ns && group->next_flush_ns > now_ns) {
      group->next_flush_ns = now_ns;
    }
  }
}

Group* Notifier::FindOrMakeGroup(const Route& route, const model::Labels& labels, int64_t now_ns) {
  model::Labels group_labels = route.GroupLabels(labels);
  const std::string text = LabelSetText(group_labels);
  std::string id = route.id + ":" + text;
  if (const auto at = groups_.find(id); at != groups_.end()) return &at->second;
  if (groups_.size() >= options_.groups_max) return nullptr;
  Group group{.id = id,
              .key = route.key + ":" + text,
              .labels = std::move(group_labels),
              .route = &route,
              .next_flush_ns = now_ns + route.group_wait_ns,
              .flushed = false,
              .alerts = {}};
  if (const auto times = restored_times_.find(id); times != restored_times_.end()) {
    group.next_flush_ns = times->second.next_flush_ns;
    group.flushed = times->second.flushed;
  } else {
    changes_.groups.insert(id);
  }
  return &groups_.emplace(std::move(id), std::move(group)).first->second;
}

int64_t Notifier::NextDueNs() const {
  int64_t next_ns = next_maintenance_ns_ == 0 ? std::numeric_limits<int64_t>::max() : next_maintenance_ns_;
  for (const auto& [id, group] : groups_) next_ns = std::min(next_ns, group.next_flush_ns);
  return next_ns;
}

AlertView Notifier::ViewOf(const std::shared_ptr<const Alert>& alert, int64_t now_ns) const {
  AlertView view;
  view.alert = alert;
  for (const Route* route : config_->root.Match(alert->labels)) view.receivers.push_back(route->receiver);
  view.silenced_by = silences_.Silencing(alert->labels, now_ns);
  if (const uint64_t by = inhibitor_.InhibitedBy(alert->labels, now_ns); by != 0) {
    view.inhibited_by.push_back(FingerprintText(by));
  }
  return view;
}

std::vector<AlertView> Notifier::Alerts(int64_t now_ns) const {
  std::vector<AlertView> views;
  for (const auto& [fingerprint, alert] : alerts_) {
    if (!alert->ResolvedAt(now_ns)) views.push_back(ViewOf(alert, now_ns));
  }
  return views;
}

std::vector<Alert> Notifier::OwnAlerts() const {
  std::vector<Alert> own;
  for (const auto& [fingerprint, alert] : alerts_) {
    if (!alert->rule.empty()) own.push_back(*alert);
  }
  return own;
}

std::vector<GroupView> Notifier::Groups(int64_t now_ns) const {
  std::vector<GroupView> views;
  for (const auto& [id, group] : groups_) {
    GroupView view{.labels = group.labels, .receiver = group.route->receiver, .alerts = {}};
    for (const auto& [fingerprint, alert] : group.alerts) {
      if (!alert->ResolvedAt(now_ns)) view.alerts.push_back(ViewOf(alert, now_ns));
    }
    std::sort(view.alerts.begin(), view.alerts.end(),
              [](const AlertView& a, const AlertView& b) { return AlertBefore(*a.alert, *b.alert); });
    if (!view.alerts.empty()) views.push_back(std::move(view));
  }
  std::stable_sort(views.begin(), views.end(), [](const GroupView& a, const GroupView& b) {
    if (a.labels != b.labels) return LabelSetBefore(a.labels, b.labels);
    return a.receiver < b.receiver;
  });
  return views;
}

const Alert* Notifier::FindAlert(uint64_t fingerprint) const {
  const auto at = alerts_.find(fingerprint);
  return at == alerts_.end() ? nullptr : at->second.get();
}

const Group* Notifier::FindGroup(const std::string& id) const {
  const auto at = groups_.find(id);
  return at == groups_.end() ? nullptr : &at->second;
}

const Told* Notifier::FindTold(const Channel& channel) const {
  const auto at = told_.find(channel);
  return at == told_.end() ? nullptr : &at->second;
}

const Message* Notifier::FindMessage(std::string_view id) const {
  const auto at = messages_.find(id);
  return at == messages_.end() ? nullptr : &at->second.message;
}

std::vector<Message> Notifier::Pending() const {
  std::vector<Message> pending;
  for (const auto& [id, in_flight] : messages_) pending.push_back(in_flight.message);
  return pending;
}

void Notifier::RestoreMessage(Message message) {
  in_flight_[message.channel] = message.id;
  std::string id = message.id;
  messages_[std::move(id)] = {.message = std::move(message), .sending = false};
}

void Notifier::RestoreAlert(Alert alert, int64_t now_ns) {
  if (alert.ends_at_ns > alert.updated_at_ns) {
    alert.ends_at_ns = std::max(alert.ends_at_ns, now_ns + alert.ends_at_ns - alert.updated_at_ns);
  }
  const auto stored = std::make_shared<const Alert>(std::move(alert));
  alerts_[stored->fingerprint] = stored;
  inhibitor_.Update(stored);
  Dispatch(stored, now_ns);
}

void Notifier::Maintain(int64_t now_ns) {
  if (now_ns < next_maintenance_ns_) return;
  next_maintenance_ns_ = now_ns + kMaintenanceNs;
  for (const auto& [id, times] : std::exchange(restored_times_, {})) {
    if (!groups_.contains(id)) changes_.groups.insert(id);
  }
  std::set<uint64_t> held;
  for (auto at = groups_.begin(); at != groups_.end();) {
    for (const auto& [fingerprint, alert] : at->second.alerts) held.insert(fingerprint);
    if (at->second.alerts.empty()) {
      changes_.groups.insert(at->first);
      at = groups_.erase(at);
    } else {
      ++at;
    }
  }
  for (auto at = alerts_.begin(); at != alerts_.end();) {
    if (at->second->ResolvedAt(now_ns) && !held.contains(at->first)) {
      changes_.alerts.insert(at->first);
      inhibitor_.Forget(at->first);
      at = alerts_.erase(at);
    } else {
      ++at;
    }
  }
  // Alertmanager remembers what it told of a group that is gone, and says nothing when it comes back too soon.
  constexpr int64_t kToldRetentionNs = 432'000'000'000'000;
  for (auto at = told_.begin(); at != told_.end();) {
    const Told& told = at->second;
    const bool settled = !options_.as_alertmanager && told.open.empty();
    const bool gone = !groups_.contains(at->first.group) && !in_flight_.contains(at->first);
    if (gone && (settled || told.at_ns + kToldRetentionNs < now_ns)) {
      changes_.told.insert(at->first);
      at = told_.erase(at);
    } else {
      ++at;
    }
  }
  silences_.Collect(now_ns);
}

}  // namespace tidemark::query::notify
