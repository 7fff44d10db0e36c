// Notifier: takes alerts, groups them along the routes, and says when who is to be told what.
//
//   Notifier notifier(std::make_shared<const Config>(config), {.new_silence_id = ...});
//   notifier.Put(alert, now_ns);
//   for (const Message& message : notifier.Run(now_ns)) { send it; notifier.Delivered(message.id, now_ns); }
//
// A message is frozen when it is made. A receiver is told one message of a group at a time: while that has not arrived,
// it is sent again as it is, unless all of it is still true, then a newer one takes its place. What somebody was told
// counts when the message has arrived.
//
// What TakeChanges names is what has to be stored for another Notifier to go on from there.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/notify/alert.h"
#include "query/notify/config.h"
#include "query/notify/decision.h"
#include "query/notify/inhibit.h"
#include "query/notify/silences.h"
#include "storage/base/result.h"

namespace tidemark::query::notify {

struct NotifierOptions {
  SilenceOptions silences = {};
  size_t alerts_max = 100'000;
  size_t groups_max = 20'000;
  // A message that has not arrived after this is given up: 24 h.
  int64_t message_age_max_ns = 86'400'000'000'000;
  // Tells as Alertmanager 0.25 does, with what it loses (decision.h).
  bool as_alertmanager = false;
};

// By which way of which receiver.
struct Channel {
  std::string group;  // the id of the group
  std::string receiver;
  size_t integration = 0;
  friend auto operator<=>(const Channel&, const Channel&) = default;
};

struct Message {
  std::string id;  // the same for as long as it is sent
  Channel channel;
  std::string group_key;  // {}/{team="x"}:{alertname="Loss"}
  model::Labels group_labels;
  std::vector<Alert> alerts;  // `ends_at_ns` is 0 of those that fire
  TellReason reason = TellReason::kFirst;
  int64_t made_at_ns = 0;
  std::set<uint64_t> firing;
  std::set<uint64_t> resolved;
};

struct Group {
  std::string id;   // of the route, and the labels
  std::string key;  // as receivers see it
  model::Labels labels;
  const Route* route = nullptr;
  int64_t next_flush_ns = 0;
  bool flushed = false;
  std::map<uint64_t, std::shared_ptr<const Alert>> alerts;  // by fingerprint
};

// When a group was or will be looked at, as it is stored.
struct GroupTimes {
  int64_t next_flush_ns = 0;
  bool flushed = false;
};

struct AlertView {
  std::shared_ptr<const Alert> alert;
  std::vector<std::string> receivers;
  std::vector<std::string> silenced_by;   // ids
  std::vector<std::string> inhibited_by;  // fingerprints
};

struct GroupView {
  model::Labels labels;
  std::string receiver;
  std::vector<AlertView> alerts;  // in the order of a message (AlertBefore)
};

struct Changes {
  std::set<uint64_t> alerts;
  std::set<std::string> groups;  // their times
  std::set<Channel> told;
  std::set<std::string> messages;
  std::set<std::string> silences;
  [[nodiscard]] bool empty() const {
    return alerts.empty() && groups.empty() && told.empty() && messages.empty() && silences.empty();
  }
};

// Not thread-safe. Times are nanoseconds since 1970 and do not go back.
class Notifier {
 public:
  Notifier(std::shared_ptr<const Config> config, NotifierOptions options);

  // Alerts are routed anew; groups that are still there go on as they were, so that nobody is told anything for it.
  void SetConfig(std::shared_ptr<const Config> config, int64_t now_ns);
  [[nodiscard]] const Config& config() const { return *config_; }

  // `alert` without fingerprint and `updated_at_ns`. Errors: kInvalidArgument (CheckAlert), kLimitExceeded.
  Status Put(Alert alert, int64_t now_ns);
  // Looks at the groups whose time has come; the messages that are new.
  std::vector<Message> Run(int64_t now_ns);
  // When Run has something to do next.
  [[nodiscard]] int64_t NextDueNs() const;

  // Before an attempt to send a message: the message, null when another has taken its place. Until the attempt has
  // ended none does.
  const Message* BeginAttempt(std::string_view id);
  // It did not arrive, and is to be tried again. False when it is too old: it is given up.
  bool EndAttempt(std::string_view id, int64_t now_ns);
  void Delivered(std::string_view id, int64_t now_ns);
  // The receiver will never take it; at the next look at the group there may be a new one.
  void Refused(std::string_view id);

  [[nodiscard]] Silences& silences() { return silences_; }
  [[nodiscard]] const Silences& silences() const { return silences_; }
  // Alerts that have not ended, sorted by fingerprint.
  [[nodiscard]] std::vector<AlertView> Alerts(int64_t now_ns) const;
  // Those of our rules, whether they have ended or not.
  [[nodiscard]] std::vector<Alert> OwnAlerts() const;
  // Groups with such, sorted by labels and receiver.
  [[nodiscard]] std::vector<GroupView> Groups(int64_t now_ns) const;
  [[nodiscard]] size_t group_count() const { return groups_.size(); }
  // Alerts that were put into no group, because there were too many.
  [[nodiscard]] uint64_t groups_refused() const { return groups_refused_; }

  Changes TakeChanges() { return std::exchange(changes_, {}); }
  // Null where there is none (any more).
  [[nodiscard]] const Alert* FindAlert(uint64_t fingerprint) const;
  [[nodiscard]] const Group* FindGroup(const std::string& id) const;
  [[nodiscard]] const Told* FindTold(const Channel& channel) const;
  [[nodiscard]] const Message* FindMessage(std::string_view id) const;

  // What was stored, in this order, before anything else: times of groups, what was told, messages, alerts. An alert
  // that would have ended by itself while nobody could say that it goes on gets the time that it had after it was last
  // told of once more.
  void RestoreGroup(std::string id, GroupTimes times) { restored_times_[std::move(id)] = times; }
  void RestoreTold(Channel channel, Told told) { told_[std::move(channel)] = std::move(told); }
  void RestoreMessage(Message message);
  void RestoreAlert(Alert alert, int64_t now_ns);
  // The messages that are on their way.
  [[nodiscard]] std::vector<Message> Pending() const;

 private:
  struct InFlight {
    Message message;
    bool sending = false;
  };
  void Dispatch(const std::shared_ptr<const Alert>& alert, int64_t now_ns);
  Group* FindOrMakeGroup(const Route& route, const model::Labels& labels, int64_t now_ns);
  void Flush(Group* group, int64_t now_ns, std::vector<Message>* out);
  void Tell(const Group& group, Channel channel, std::span<const Candidate> candidates, DecisionRules rules,
            int64_t now_ns, std::vector<Message>* out);
  // Whether what is on its way is kept rather than replaced by `decision`.
  bool KeepsInFlight(const Channel& channel, const Decision& decision);
  [[nodiscard]] Muting MutingOf(const Alert& alert, Muting route_muting, int64_t now_ns) const;
  [[nodiscard]] Muting MutingOf(const Route& route, int64_t now_ns) const;
  // Lets go of resolved alerts of which nobody has to be told any more; of `only` those, null: of all.
  void DropSettled(Group* group, const std::set<uint64_t>* only, int64_t now_ns);
  [[nodiscard]] bool IsOwed(const Group& group, uint64_t fingerprint) const;
  [[nodiscard]] AlertView ViewOf(const std::shared_ptr<const Alert>& alert, int64_t now_ns) const;
  void Erase(std::string_view id);
  void Maintain(int64_t now_ns);

  std::shared_ptr<const Config> config_;
  const NotifierOptions options_;
  Silences silences_;
  Inhibitor inhibitor_;
  std::map<uint64_t, std::shared_ptr<const Alert>> alerts_;
  std::map<std::string, Group> groups_;
  std::map<std::string, GroupTimes> restored_times_;
  std::map<Channel, Told> told_;
  std::map<std::string, InFlight, std::less<>> messages_;
  std::map<Channel, std::string> in_flight_;  // to the id of the message
  int64_t next_maintenance_ns_ = 0;
  uint64_t groups_refused_ = 0;
  Changes changes_;
};

}  // namespace tidemark::query::notify
