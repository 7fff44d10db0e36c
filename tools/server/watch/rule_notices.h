// RuleNotices: what the rules' alerts are at after each evaluation, as alerts that people are told of: those that fire,
// and those that have ended since the evaluation before.
//
// Source: Prometheus, rules/alerting.go (sendAlerts) and rules/manager.go (SendAlerts).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "query/notify/alert.h"
#include "query/rules/manager.h"
#include "tools/server/watch/last_firing.h"

namespace tidemark::server {

// Not thread-safe.
class RuleNotices {
 public:
  // `external_url`: in front of the links of alerts to their expressions.
  explicit RuleNotices(std::string external_url = "") : external_url_(std::move(external_url)) {}

  // The file and name of a group, and how long what is said of an alert of it that fires is good for.
  static std::string NameOf(const query::rules::GroupStatus& group);
  static int64_t KnownMs(const query::rules::GroupStatus& group);

  // An alert of which people were told before a restart.
  struct Before {
    query::notify::Alert alert;  // with its rule
    // When it was written last as one that fires, and whether its end was (last_firing.h).
    LastFiring last = {};
  };
  // Before the first Since. Such an alert goes on, or ends as soon as its rule has been evaluated without it; where its
  // end was not found before the restart, only when the rule has not given it for as long as nobody evaluated it (at
  // most as long as it is known): what it reads may have to come in again.
  void Restore(std::vector<Before> before);

  // Whether Since needs the rules of a group of `owner`: it has been evaluated since, or others may have been taken
  // away.
  [[nodiscard]] bool Wants(const std::shared_ptr<const query::rules::GroupList>& owner,
                           const query::rules::GroupStatus& group) const;

  // An alert that fires has as its end until when that is known: four intervals of its group, each at least a minute.
  // It ends by itself when nobody says more. One that has ended has the time of the evaluation that found it so. A rule
  // that fails keeps its alerts. A rule that is taken away ends its alerts at `now_ms`.
  std::vector<query::notify::Alert> Since(const query::rules::Snapshot& snapshot, int64_t now_ms);

 private:
  struct Firing {
    std::string group;  // file and name
    std::string rule;
    query::notify::Alert alert;
    // Until it is known whether one of before a restart goes on; `first_ms`: when its rule could be evaluated first.
    std::optional<LastFiring> before = std::nullopt;
    int64_t first_ms = 0;
  };
  struct Seen {
    int64_t evaluation_ms = 0;
    uint64_t missed = 0;
    uint64_t late = 0;  // evaluations behind which some were missed, until enough in a row had none
    uint64_t on_time = 0;
    int64_t late_since_ms = 0;
  };
  void TakeGroup(const query::rules::GroupStatus& group, const std::string& name, Seen* seen,
                 std::vector<query::notify::Alert>* out);
  // Whether evaluations of the group are missed again and again.
  static bool IsLate(const query::rules::GroupStatus& group, Seen* seen);
  // Whether an alert of before a restart, which its group does not give, may be one that goes on.
  static bool MayGoOn(const query::rules::GroupStatus& group, Firing* firing);
  // Notes and adds that `alert` of a group fires.
  void Fires(const query::rules::GroupStatus& group, const std::string& name, const query::rules::RuleStatus& rule,
             const query::rules::Alert& alert, int64_t since_ms, std::vector<query::notify::Alert>* out);
  // Ends what belonged to groups that are there no more, unless its rule is in one that has not been evaluated yet.
  void EndRemoved(const query::rules::Snapshot& snapshot, int64_t now_ms, std::vector<query::notify::Alert>* out);

  const std::string external_url_;
  // The groups of which all have been evaluated: nothing of them is taken away.
  std::shared_ptr<const query::rules::GroupList> settled_;
  std::map<model::Labels, Firing> firing_;
  std::map<std::string, Seen> seen_;  // by group
};

}  // namespace tidemark::server
