#include "tools/server/watch/rule_notices.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tidemark::server {
namespace {

using query::rules::AlertState;
using query::rules::Group;
using query::rules::Rule;
using query::rules::Snapshot;

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kMinuteMs = 60'000;

// Of one group with one rule, evaluated at `at_ms`, of which the alert of host "a" is in `state` since `active_ms`.
Snapshot At(int64_t at_ms, AlertState state, int64_t active_ms, const std::string& rule = "High") {
  Snapshot snapshot;
  Rule high;
  high.alerting = true;
  high.name = rule;
  high.expr_text = "up == 0";
  high.for_ms = kMinuteMs;
  Group group;
  group.file = "f.yml";
  group.name = "g";
  group.rules.push_back(high);
  snapshot.owner = std::make_shared<const query::rules::GroupList>(1, std::make_shared<const Group>(std::move(group)));
  query::rules::GroupStatus& status = snapshot.groups.emplace_back();
  status.group = snapshot.owner->front().get();
  status.interval_ms = kMinuteMs;
  status.last_evaluation_ms = at_ms;
  status.rules.emplace_back().rule = &status.group->rules.front();
  if (state == AlertState::kInactive) return snapshot;
  status.rules.front().alerts.push_back({.labels = {{"alertname", rule}, {"host", "a"}},
                                         .annotations = {{"summary", "at " + std::to_string(at_ms)}},
                                         .state = state,
                                         .active_at_ms = active_ms,
                                         .value = 7});
  return snapshot;
}

TEST(RuleNotices, TellsWhatFiresAndWhenItHasEnded) {
  RuleNotices notices("https://m.example/tm");
  const int64_t at = 100 * kMinuteMs;
  EXPECT_TRUE(notices.Since(At(at, AlertState::kInactive, 0), at).empty());
  EXPECT_TRUE(notices.Since(At(at + kMinuteMs, AlertState::kPending, at), at).empty());
  const int64_t fired = at + 2 * kMinuteMs;
  auto told = notices.Since(At(fired, AlertState::kFiring, at), fired);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].labels, (model::Labels{{"alertname", "High"}, {"host", "a"}}));
  EXPECT_EQ(told[0].starts_at_ns, fired * kMs);
  EXPECT_EQ(told[0].ends_at_ns, (fired + 4 * kMinuteMs) * kMs);
  EXPECT_EQ(told[0].generator_url, "https://m.example/tm/graph?g0.expr=up+%3D%3D+0&g0.tab=1");
  // The same evaluation again says nothing new.
  EXPECT_TRUE(notices.Since(At(fired, AlertState::kFiring, at), fired + 1).empty());
  told = notices.Since(At(fired + kMinuteMs, AlertState::kFiring, at), fired + kMinuteMs);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].starts_at_ns, fired * kMs);
  EXPECT_EQ(told[0].ends_at_ns, (fired + 5 * kMinuteMs) * kMs);
  const int64_t ended = fired + 2 * kMinuteMs;
  told = notices.Since(At(ended, AlertState::kInactive, 0), ended);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].starts_at_ns, fired * kMs);
  EXPECT_EQ(told[0].ends_at_ns, ended * kMs);
  EXPECT_TRUE(notices.Since(At(ended + kMinuteMs, AlertState::kInactive, 0), ended + kMinuteMs).empty());
}

TEST(RuleNotices, OneThatFiredBeforeTheStartHasDoneSoSinceItsTimeWasOver) {
  RuleNotices notices;
  const int64_t at = 100 * kMinuteMs;
  const auto told = notices.Since(At(at, AlertState::kFiring, at - 10 * kMinuteMs), at);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].starts_at_ns, (at - 9 * kMinuteMs) * kMs);
}

TEST(RuleNotices, ARuleThatIsTakenAwayEndsItsAlertsAndOneThatIsReadAnewKeepsThem) {
  RuleNotices notices;
  const int64_t at = 100 * kMinuteMs;
  ASSERT_EQ(notices.Since(At(at, AlertState::kFiring, at), at).size(), 1U);
  // Read anew from its file, it has not been evaluated.
  EXPECT_TRUE(notices.Since(At(0, AlertState::kInactive, 0), at + 1).empty());
  auto told = notices.Since(At(at + kMinuteMs, AlertState::kFiring, at), at + kMinuteMs);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].starts_at_ns, at * kMs);
  // Another rule is in its place.
  told = notices.Since(At(0, AlertState::kInactive, 0, "Low"), at + kMinuteMs + 5);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].ends_at_ns, (at + kMinuteMs + 5) * kMs);
  EXPECT_TRUE(notices.Since(Snapshot{}, at + 2 * kMinuteMs).empty());
}

TEST(RuleNotices, ARuleThatFailsThreeTimesIsToldOfAndKeepsItsAlerts) {
  RuleNotices notices;
  const int64_t at = 100 * kMinuteMs;
  ASSERT_EQ(notices.Since(At(at, AlertState::kFiring, at), at).size(), 1U);
  const auto failing = [&](int64_t minute, uint64_t failures) {
    Snapshot snapshot = At(at + minute * kMinuteMs, AlertState::kFiring, at);
    snapshot.groups[0].rules[0].failures = failures;
    snapshot.groups[0].rules[0].last_error = "too much";
    return notices.Since(snapshot, at + minute * kMinuteMs);
  };
  EXPECT_EQ(failing(1, 1).size(), 1U);
  EXPECT_EQ(failing(2, 2).size(), 1U);
  auto told = failing(3, 3);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1].labels, (model::Labels{{"alertname", "RuleFails"}, {"rule", "High"}, {"rule_group", "f.yml;g"}}));
  EXPECT_EQ(told[1].starts_at_ns, (at + 3 * kMinuteMs) * kMs);
  EXPECT_EQ(told[1].annotations[0].value, "too much");
  told = failing(4, 0);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1].ends_at_ns, (at + 4 * kMinuteMs) * kMs) << "it can be evaluated again";
}

TEST(RuleNotices, ARuleThatMovesToAnotherGroupEndsNothing) {
  RuleNotices notices;
  const int64_t at = 100 * kMinuteMs;
  ASSERT_EQ(notices.Since(At(at, AlertState::kFiring, at), at).size(), 1U);
  Snapshot moved = At(at, AlertState::kFiring, at);
  auto group = std::make_shared<Group>(*moved.owner->front());
  group->name = "other";
  moved.owner = std::make_shared<const query::rules::GroupList>(1, group);
  moved.groups.front().group = group.get();
  moved.groups.front().rules.front().rule = &group->rules.front();
  for (const query::notify::Alert& alert : notices.Since(moved, at + 1)) {
    EXPECT_GT(alert.ends_at_ns, (at + kMinuteMs) * kMs) << "it goes on";
  }
}

TEST(RuleNotices, TellsOfAGroupThatIsLateAgainAndAgain) {
  RuleNotices notices;
  int64_t at_ms = 100 * kMinuteMs;
  uint64_t missed = 0;
  uint64_t evaluations = 0;
  const auto next = [&](uint64_t more) {
    missed += more;
    at_ms += static_cast<int64_t>(1 + more) * kMinuteMs;
    Snapshot snapshot = At(at_ms, AlertState::kInactive, 0);
    snapshot.groups[0].evaluations = ++evaluations;
    snapshot.groups[0].missed = missed;
    return notices.Since(snapshot, at_ms);
  };
  EXPECT_TRUE(next(0).empty());
  EXPECT_TRUE(next(3).empty());
  EXPECT_TRUE(next(1).empty()) << "twice may be chance";
  auto told = next(1);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].labels, (model::Labels{{"alertname", "RuleGroupMisses"}, {"rule_group", "f.yml;g"}}));
  EXPECT_EQ(told[0].starts_at_ns, at_ms * kMs);
  for (int i = 0; i < 4; ++i) {
    told = next(0);
    ASSERT_EQ(told.size(), 1U) << i;
    EXPECT_GT(told[0].ends_at_ns, at_ms * kMs) << "it goes on";
  }
  told = next(0);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].ends_at_ns, at_ms * kMs) << "five evaluations on time";
  EXPECT_TRUE(next(0).empty());
  EXPECT_TRUE(next(1).empty()) << "it begins anew";
}

TEST(RuleNotices, AMomentOfABusyMachineIsNotToldOf) {
  RuleNotices notices;
  for (uint64_t i = 0; i < 100; ++i) {
    Snapshot snapshot = At(kMinuteMs + static_cast<int64_t>(i) * 400, AlertState::kInactive, 0);
    snapshot.groups[0].evaluations = i + 1;
    snapshot.groups[0].missed = i;
    EXPECT_TRUE(notices.Since(snapshot, kMinuteMs).empty()) << i;
  }
}

// One message when it begins to flap, none in between, one when it is over.
TEST(RuleNotices, AnAlertThatFlapsIsAnotherOneThatGoesOn) {
  RuleNotices notices;
  const model::Labels flaps = {{"alertname", "High"}, {"flapping", "true"}, {"host", "a"}};
  const auto at = [&](int64_t minute, AlertState state, bool flapping) {
    const int64_t at_ms = (100 + minute) * kMinuteMs;
    Snapshot snapshot = At(at_ms, state, at_ms);
    query::rules::RuleStatus& rule = snapshot.groups[0].rules[0];
    for (auto& alert : rule.alerts) alert.flapping = flapping;
    if (flapping) {
      rule.flapping.push_back({.labels = {{"alertname", "High"}, {"host", "a"}},
                               .annotations = {{"summary", "s"}},
                               .state = state,
                               .active_at_ms = at_ms,
                               .value = 7,
                               .flapping = true});
    }
    std::map<model::Labels, bool> told;  // whether it fires
    for (const auto& alert : notices.Since(snapshot, at_ms)) told[alert.labels] = alert.ends_at_ns > at_ms * kMs;
    return told;
  };
  const model::Labels plain = {{"alertname", "High"}, {"host", "a"}};
  EXPECT_EQ(at(0, AlertState::kFiring, false), (std::map<model::Labels, bool>{{plain, true}}));
  EXPECT_EQ(at(1, AlertState::kInactive, true), (std::map<model::Labels, bool>{{plain, false}, {flaps, true}}));
  EXPECT_EQ(at(2, AlertState::kFiring, true), (std::map<model::Labels, bool>{{flaps, true}}));
  EXPECT_EQ(at(3, AlertState::kInactive, true), (std::map<model::Labels, bool>{{flaps, true}}));
  EXPECT_EQ(at(4, AlertState::kFiring, false), (std::map<model::Labels, bool>{{flaps, false}, {plain, true}}));
}

// What was told of an alert of At before a restart.
RuleNotices::Before ToldBeforeRestart(LastFiring last) {
  query::notify::Alert alert;
  alert.labels = {{"alertname", "High"}, {"host", "a"}};
  alert.starts_at_ns = 90 * kMinuteMs * kMs;
  alert.ends_at_ns = 103 * kMinuteMs * kMs;
  alert.rule_group = "f.yml;g";
  alert.rule = "High";
  return {.alert = alert, .last = last};
}

TEST(RuleNotices, AnEndThatWasFoundBeforeARestartIsToldAtTheFirstEvaluation) {
  RuleNotices notices;
  const int64_t at = 100 * kMinuteMs;
  notices.Restore({ToldBeforeRestart({.last_ms = at - kMinuteMs, .ended = true})});
  EXPECT_TRUE(notices.Since(Snapshot{}, at).empty()) << "there are no rules yet";
  EXPECT_TRUE(notices.Since(At(0, AlertState::kInactive, 0), at).empty()) << "it has not been evaluated";
  const auto told = notices.Since(At(at, AlertState::kInactive, 0), at);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].labels, (model::Labels{{"alertname", "High"}, {"host", "a"}}));
  EXPECT_EQ(told[0].starts_at_ns, 90 * kMinuteMs * kMs);
  EXPECT_EQ(told[0].ends_at_ns, at * kMs);
  EXPECT_TRUE(notices.Since(At(at + kMinuteMs, AlertState::kInactive, 0), at + kMinuteMs).empty());
}

TEST(RuleNotices, AfterAnOutageAnAlertGetsAsMuchTimeForItsDataToComeIn) {
  RuleNotices notices;
  const int64_t at = 100 * kMinuteMs;
  // One interval of the three is what lies between two evaluations.
  notices.Restore({ToldBeforeRestart({.last_ms = at - 3 * kMinuteMs, .ended = false})});
  for (const int64_t minute : {0, 1}) {
    const auto told = notices.Since(At(at + minute * kMinuteMs, AlertState::kInactive, 0), at + minute * kMinuteMs);
    ASSERT_EQ(told.size(), 1U) << minute;
    EXPECT_EQ(told[0].ends_at_ns, (at + (minute + 4) * kMinuteMs) * kMs) << "it goes on";
  }
  const auto told = notices.Since(At(at + 2 * kMinuteMs, AlertState::kInactive, 0), at + 2 * kMinuteMs);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].ends_at_ns, (at + 2 * kMinuteMs) * kMs);
}

TEST(RuleNotices, AShortOutageIsNoReasonToWait) {
  RuleNotices notices;
  const int64_t at = 100 * kMinuteMs;
  notices.Restore({ToldBeforeRestart({.last_ms = at - kMinuteMs, .ended = false})});
  const auto told = notices.Since(At(at, AlertState::kInactive, 0), at);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].ends_at_ns, at * kMs);
}

TEST(RuleNotices, AnAlertThatGoesOnAfterARestartBeganWhenItDid) {
  RuleNotices notices;
  const int64_t at = 100 * kMinuteMs;
  notices.Restore({ToldBeforeRestart({.last_ms = at - 3 * kMinuteMs, .ended = false})});
  auto told = notices.Since(At(at, AlertState::kFiring, at - 20 * kMinuteMs), at);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].starts_at_ns, 90 * kMinuteMs * kMs);
  told = notices.Since(At(at + kMinuteMs, AlertState::kInactive, 0), at + kMinuteMs);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].ends_at_ns, (at + kMinuteMs) * kMs) << "it has been seen since";
}

TEST(RuleNotices, ARuleThatFailsAfterARestartEndsNothing) {
  RuleNotices notices;
  const int64_t at = 100 * kMinuteMs;
  RuleNotices::Before fails = ToldBeforeRestart({.ended = true});
  fails.alert.labels = {{"alertname", "RuleFails"}, {"rule", "High"}, {"rule_group", "f.yml;g"}};
  notices.Restore({ToldBeforeRestart({.last_ms = at, .ended = true}), fails});
  Snapshot failing = At(at, AlertState::kInactive, 0);
  failing.groups[0].rules[0].failures = 1;
  auto told = notices.Since(failing, at);
  ASSERT_EQ(told.size(), 2U);
  for (const auto& alert : told) EXPECT_EQ(alert.ends_at_ns, (at + 4 * kMinuteMs) * kMs);
  told = notices.Since(At(at + kMinuteMs, AlertState::kInactive, 0), at + kMinuteMs);
  ASSERT_EQ(told.size(), 2U);
  for (const auto& alert : told) EXPECT_EQ(alert.ends_at_ns, (at + kMinuteMs) * kMs);
}

TEST(RuleNotices, AGroupThatWasLateBeforeARestartIsSoUntilItIsOnTime) {
  RuleNotices notices;
  RuleNotices::Before late = ToldBeforeRestart({.ended = true});
  late.alert.labels = {{"alertname", "RuleGroupMisses"}, {"rule_group", "f.yml;g"}};
  notices.Restore({late});
  for (int64_t minute = 100; minute < 105; ++minute) {
    const auto told = notices.Since(At(minute * kMinuteMs, AlertState::kInactive, 0), minute * kMinuteMs);
    ASSERT_EQ(told.size(), 1U) << minute;
    EXPECT_EQ(told[0].ends_at_ns > minute * kMinuteMs * kMs, minute < 104) << minute;
  }
}

TEST(RuleNotices, ARuleThatWasTakenAwayWhileTheServerWasDownEndsItsAlerts) {
  RuleNotices notices;
  const int64_t at = 100 * kMinuteMs;
  notices.Restore({ToldBeforeRestart({.last_ms = at - 3 * kMinuteMs, .ended = false})});
  const auto told = notices.Since(At(at, AlertState::kInactive, 0, "Low"), at + 7);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].ends_at_ns, at * kMs);
}

// Of a group that has not been evaluated since, what its rules are at is not looked at.
TEST(RuleNotices, WantsTheRulesOfGroupsThatHaveBeenEvaluatedSince) {
  RuleNotices notices;
  const int64_t at = 100 * kMinuteMs;
  Snapshot snapshot = At(at, AlertState::kFiring, at);
  EXPECT_TRUE(notices.Wants(snapshot.owner, snapshot.groups[0])) << "never seen";
  ASSERT_EQ(notices.Since(snapshot, at).size(), 1U);
  EXPECT_FALSE(notices.Wants(snapshot.owner, snapshot.groups[0]));
  Snapshot bare = snapshot;
  bare.groups[0].rules.clear();
  EXPECT_TRUE(notices.Since(bare, at + 1).empty()) << "it fires on";
  snapshot.groups[0].last_evaluation_ms += kMinuteMs;
  EXPECT_TRUE(notices.Wants(snapshot.owner, snapshot.groups[0]));
  const Snapshot others = At(at, AlertState::kFiring, at);
  EXPECT_TRUE(notices.Wants(others.owner, others.groups[0])) << "others may have been taken away";
}

}  // namespace
}  // namespace tidemark::server
