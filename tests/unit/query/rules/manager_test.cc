#include "query/rules/manager.h"

#include <gtest/gtest.h>

#include <cmath>

#include "storage/model/stale_marker.h"
#include "tests/unit/query/rules/manager_fixture.h"

namespace tidemark::query::rules {
namespace {

bool IsStale(double value) { return model::IsStaleMarker(value); }

constexpr const char* kDown = R"(groups:
  - name: g
    interval: 1m
    rules:
      - alert: Down
        expr: up == 0
        for: 2m
        labels: {severity: page, who: "{{ $labels.job }}"}
        annotations: {summary: "{{ $labels.job }} is {{ $value }}"}
)";

TEST_F(ManagerTest, AnAlertGoesFromInactiveToPendingToFiringAndEnds) {
  Load(kDown);
  down_until_ms_ = kStart + 4 * kMinute;
  const auto state = [this] { return manager_.Status().groups[0].rules[0]; };
  EXPECT_EQ(state().health, "unknown");
  Run(kStart);
  EXPECT_EQ(state().state(), AlertState::kPending);
  EXPECT_EQ(state().health, "ok");
  Run(kStart + kMinute);
  EXPECT_EQ(state().state(), AlertState::kPending);
  Run(kStart + 2 * kMinute);
  ASSERT_EQ(state().state(), AlertState::kFiring);
  const Alert alert = state().alerts[0];
  EXPECT_EQ(alert.active_at_ms, kStart);
  EXPECT_EQ(alert.labels, (model::Labels{{"alertname", "Down"}, {"job", "a"}, {"severity", "page"}, {"who", "a"}}));
  EXPECT_EQ(alert.annotations, (model::Labels{{"summary", "a is 0"}}));
  Run(kStart + 4 * kMinute);
  EXPECT_EQ(state().state(), AlertState::kInactive);
  const auto pending = Rows({{"__name__", "ALERTS"}, {"alertstate", "pending"}});
  ASSERT_EQ(pending.size(), 3U);
  EXPECT_EQ(pending.at(kStart).first, 1);
  EXPECT_TRUE(IsStale(pending.at(kStart + 2 * kMinute).first));
  const auto firing = Rows({{"__name__", "ALERTS"}, {"alertstate", "firing"}});
  EXPECT_EQ(firing.at(kStart + 2 * kMinute).first, 1);
  EXPECT_TRUE(IsStale(firing.at(kStart + 4 * kMinute).first));
  const auto since = Rows({{"__name__", "ALERTS_FOR_STATE"}});
  EXPECT_EQ(since.at(kStart + kMinute).first, static_cast<double>(kStart / 1000));
}

// Half a character in a label would be refused where alerts are told, and nobody would hear of it.
TEST_F(ManagerTest, LabelsAndAnnotationsAreUtf8WhateverMakesThem) {
  Load(R"yaml(groups:
  - name: g
    interval: 1m
    rules:
      - alert: Down
        expr: label_replace(up == 0, "raw", "\xff$1", "job", "(.*)")
        labels: {half: '{{ slice "ä" 0 1 }}', whole: '{{ slice "ä" 0 2 }}'}
        annotations: {half: '{{ slice "ä" 0 1 }}', byte: '{{ "a\xffb" }}'}
)yaml");
  down_until_ms_ = kStart + 10 * kMinute;
  Run(kStart);
  ASSERT_EQ(First().state(), AlertState::kFiring) << First().last_error;
  const Alert alert = First().alerts[0];
  EXPECT_EQ(alert.labels,
            (model::Labels{
                {"alertname", "Down"}, {"half", "\uFFFD"}, {"job", "a"}, {"raw", "\uFFFDa"}, {"whole", "\u00E4"}}));
  EXPECT_EQ(alert.annotations, (model::Labels{{"byte", "a\uFFFDb"}, {"half", "\uFFFD"}}));
  // Its history has the same name, so that the next start finds it.
  EXPECT_EQ(Rows({{"__name__", "ALERTS_FOR_STATE"}, {"half", "\uFFFD"}, {"raw", "\uFFFDa"}}).size(), 1U);
}

// A second manager over the same store is the server after a restart.
TEST_F(ManagerTest, AlertsGoOnAfterARestart) {
  Load(kDown);
  down_until_ms_ = kStart + 100 * kMinute;
  Run(kStart);
  Run(kStart + kMinute);
  const auto state_after = [&](int64_t restart_ms, int64_t at_ms) {
    Manager restarted(
        {.store = &store_, .sink = &store_, .scheduler = &scheduler_, .clock = &clock_, .execute = &engine::Execute},
        OnStart());
    restarted.SetGroups(*ParseRuleFile(kDown, "rules.yml"));
    for (int64_t now = restart_ms; now <= at_ms; now += kMinute) {
      clock_.Set(now * 1'000'000);
      Up(0, 1);
      restarted.RunDue();
    }
    const RuleStatus status = restarted.Status().groups[0].rules[0];
    EXPECT_EQ(status.health, "ok") << status.last_error;
    return std::pair(status.state(), status.alerts.empty() ? 0 : status.alerts[0].active_at_ms);
  };
  // Pending for one of two minutes; the ten minutes of the outage do not count.
  const auto pending = state_after(kStart + 11 * kMinute, kStart + 11 * kMinute);
  EXPECT_EQ(pending.first, AlertState::kPending);
  EXPECT_EQ(pending.second, kStart + 10 * kMinute);
  const auto firing = state_after(kStart + 12 * kMinute, kStart + 13 * kMinute);
  EXPECT_EQ(firing.first, AlertState::kFiring);
  // It fired: it fires at once, since when it did.
  const auto again = state_after(kStart + 20 * kMinute, kStart + 20 * kMinute);
  EXPECT_EQ(again.first, AlertState::kFiring);
  EXPECT_EQ(again.second, firing.second);
  // Too long ago.
  EXPECT_EQ(state_after(kStart + 90 * kMinute, kStart + 90 * kMinute).first, AlertState::kPending);
}

// An alert that was pending for one of its two minutes when the server went away for ten.
class OutageTest : public ManagerTest {
 protected:
  int64_t ActiveSinceAfter(const ManagerOptions& options) {
    Load(kDown);
    down_until_ms_ = kStart + 100 * kMinute;
    Run(kStart);
    Run(kStart + kMinute);
    Manager restarted(
        {.store = &store_, .sink = &store_, .scheduler = &scheduler_, .clock = &clock_, .execute = &engine::Execute},
        options);
    restarted.SetGroups(*ParseRuleFile(kDown, "rules.yml"));
    clock_.Set((kStart + 11 * kMinute) * 1'000'000);
    Up(0, 1);
    restarted.RunDue();
    const RuleStatus status = restarted.Status().groups[0].rules[0];
    return status.alerts.empty() ? 0 : status.alerts[0].active_at_ms;
  }
};

TEST_F(OutageTest, AfterALongerOneThanIsToleratedItBeginsAnew) {
  EXPECT_EQ(ActiveSinceAfter({.database = "", .outage_tolerance_ms = 9 * kMinute}), kStart + 11 * kMinute);
}

TEST_F(OutageTest, ItFiresNoSoonerThanTheGraceSays) {
  // 90 s from now, not the minute that is left.
  EXPECT_EQ(ActiveSinceAfter({.database = "", .for_grace_ms = 90'000}), kStart + 11 * kMinute + 90'000 - 2 * kMinute);
}

TEST_F(ManagerTest, ARulesQueryKeepsTheLimitsOfQueries) {
  run::MemoryTotal memory(1000);
  run::QueryContext seen;
  const auto execute = [&](const promql::Expr& expr, const run::RangeSpec& at, const run::QueryContext& context) {
    seen = context;
    return engine::Execute(expr, at, context);
  };
  ManagerOptions options{.database = "",
                         .default_interval_ms = 7000,
                         .timeout_ms = 5000,
                         .lookback_ms = 10'000,
                         .default_subquery_step_ms = 3000,
                         .budget = {.max_series = 1}};
  Manager manager({.store = &store_,
                   .sink = &store_,
                   .scheduler = &scheduler_,
                   .clock = &clock_,
                   .execute = execute,
                   .memory = &memory},
                  options);
  manager.SetGroups(*ParseRuleFile("groups: [{name: g, rules: [{record: x, expr: up}]}]", "f"));
  Up(1, 1);
  manager.RunDue();
  EXPECT_EQ(seen.lookback_ms, 10'000);
  EXPECT_EQ(seen.default_subquery_step_ms, 3000);
  EXPECT_EQ(seen.deadline_ns, clock_.SteadyNs() + 5'000'000'000);
  EXPECT_EQ(seen.memory, &memory);
  const Snapshot snapshot = manager.Status();
  EXPECT_EQ(snapshot.groups[0].interval_ms, 7000);
  EXPECT_EQ(snapshot.groups[0].rules[0].health, "err");
  EXPECT_NE(snapshot.groups[0].rules[0].last_error.find("series"), std::string::npos)
      << snapshot.groups[0].rules[0].last_error;
}

TEST_F(ManagerTest, AnAlertThatEndedBeginsAnew) {
  Load(kDown);
  down_until_ms_ = kStart + 3 * kMinute;
  for (int i = 0; i < 4; ++i) Run(kStart + i * kMinute);
  Manager restarted(
      {.store = &store_, .sink = &store_, .scheduler = &scheduler_, .clock = &clock_, .execute = &engine::Execute},
      OnStart());
  restarted.SetGroups(*ParseRuleFile(kDown, "rules.yml"));
  clock_.Set((kStart + 5 * kMinute) * 1'000'000);
  Up(0, 1);
  restarted.RunDue();
  const RuleStatus status = restarted.Status().groups[0].rules[0];
  EXPECT_EQ(status.state(), AlertState::kPending);
  EXPECT_EQ(status.alerts[0].active_at_ms, kStart + 5 * kMinute);
}

TEST(RestoreTest, PendingTimeCountsAndTheOutageDoesNot) {
  // `for` of an hour, grace of ten minutes, 100 minutes after the alert began.
  const auto restored = [](int64_t pending_min, int64_t now_min) {
    return RestoredActiveAt({.active_at_ms = 0, .last_ms = pending_min * kMinute}, now_min * kMinute, 60 * kMinute,
                            10 * kMinute) /
           kMinute;
  };
  EXPECT_EQ(restored(60, 100), 0) << "it fired";
  EXPECT_EQ(restored(20, 100), 80) << "20 minutes done, 40 to go";
  EXPECT_EQ(restored(55, 100), 50) << "5 to go, but not before the grace is over";
}

TEST_F(ManagerTest, TemplatesQueryTheDatabase) {
  Load(R"(groups:
  - name: g
    rules:
      - alert: Down
        expr: up == 0
        annotations:
          others: '{{ range query "up == 1" }}{{ .Labels.job }}{{ end }} of {{ len (query "up") }}'
          wrong: '{{ query "up[" }}'
)");
  down_until_ms_ = kStart + kMinute;
  Run(kStart);
  const std::vector<Alert> alerts = manager_.Status().groups[0].rules[0].alerts;
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].annotations[0].value, "b of 2");
  EXPECT_TRUE(alerts[0].annotations[1].value.starts_with("<error expanding template: error calling query: "))
      << alerts[0].annotations[1].value;
}

TEST_F(ManagerTest, KeepsFiringWhenAsked) {
  Load(R"(groups:
  - name: g
    interval: 1m
    rules:
      - {alert: Down, expr: up == 0, keep_firing_for: 2m}
)");
  down_until_ms_ = kStart + kMinute;
  const auto state = [this] { return manager_.Status().groups[0].rules[0].state(); };
  Run(kStart);
  EXPECT_EQ(state(), AlertState::kFiring);
  Run(kStart + kMinute);
  Run(kStart + 2 * kMinute);
  EXPECT_EQ(state(), AlertState::kFiring);
  Run(kStart + 3 * kMinute);
  EXPECT_EQ(state(), AlertState::kInactive);
}

TEST_F(ManagerTest, KeepsFiringAfterARestart) {
  constexpr const char* kRules = R"(groups:
  - name: g
    interval: 1m
    rules:
      - {alert: Down, expr: up == 0, keep_firing_for: 10m, labels: {who: "{{ $labels.job }}"},
         annotations: {summary: "{{ $labels.job }} is down"}}
      - {alert: Down, expr: up == 2, keep_firing_for: 1h, labels: {severity: page}}
)";
  Load(kRules);
  down_until_ms_ = kStart + kMinute;
  Run(kStart);
  Run(kStart + kMinute);  // up again
  const auto status_after = [&](int64_t restart_ms) {
    Manager restarted(
        {.store = &store_, .sink = &store_, .scheduler = &scheduler_, .clock = &clock_, .execute = &engine::Execute},
        OnStart());
    restarted.SetGroups(*ParseRuleFile(kRules, "rules.yml"));
    clock_.Set(restart_ms * 1'000'000);
    Up(1, 1);
    restarted.RunDue();
    const std::vector<RuleStatus> rules = restarted.Status().groups[0].rules;
    EXPECT_EQ(rules[0].health, "ok") << rules[0].last_error;
    EXPECT_EQ(rules[1].state(), AlertState::kInactive) << "of the same name, with other labels";
    return rules[0];
  };
  // It fired last at one minute.
  const RuleStatus kept = status_after(kStart + 10 * kMinute);
  ASSERT_EQ(kept.state(), AlertState::kFiring);
  EXPECT_EQ(kept.alerts[0].active_at_ms, kStart);
  EXPECT_EQ(kept.alerts[0].labels, (model::Labels{{"alertname", "Down"}, {"job", "a"}, {"who", "a"}}));
  EXPECT_EQ(kept.alerts[0].annotations, (model::Labels{{"summary", "a is down"}}));
  EXPECT_TRUE(std::isnan(kept.alerts[0].value));
  // The restart before wrote that it fires at ten minutes.
  EXPECT_EQ(status_after(kStart + 19 * kMinute).state(), AlertState::kFiring);
  EXPECT_EQ(status_after(kStart + 29 * kMinute).state(), AlertState::kInactive);
}

TEST_F(ManagerTest, RecordsAndEachRuleSeesTheOneBefore) {
  Load(R"(groups:
  - name: g
    interval: 1m
    rules:
      - {record: "job:up:max", expr: max(up), labels: {from: rule}}
      - {record: twice, expr: "job:up:max * 2"}
      - {record: number, expr: "42"}
)");
  Run(kStart);
  EXPECT_EQ(Rows({{"__name__", "job:up:max"}, {"from", "rule"}}).at(kStart).first, 1);
  EXPECT_EQ(Rows({{"__name__", "twice"}, {"from", "rule"}}).at(kStart).first, 2);
  EXPECT_EQ(Rows({{"__name__", "number"}}).at(kStart).first, 42);
}

TEST_F(ManagerTest, RunsWhenDueAndCountsWhatItMissed) {
  Load(kDown);
  Run(kStart);
  EXPECT_EQ(manager_.Status().groups[0].evaluations, 1U);
  clock_.Set((kStart + 30'000) * 1'000'000);
  EXPECT_EQ(manager_.RunDue(), model::Timestamp::FromMs(kStart + kMinute));
  EXPECT_EQ(manager_.Status().groups[0].evaluations, 1U);
  clock_.Set((kStart + 5 * kMinute) * 1'000'000);
  EXPECT_EQ(manager_.RunDue(), model::Timestamp::FromMs(kStart + 6 * kMinute));
  EXPECT_EQ(manager_.Status().groups[0].evaluations, 2U);
  EXPECT_EQ(manager_.Status().groups[0].missed, 4U);
}

// Not only when a clock that was set back has caught up, which may take as long as it was ahead.
TEST_F(ManagerTest, RunsAgainAtOnceWhenTheClockIsSetBack) {
  Load(kDown);
  Run(kStart + 400 * 24 * 60 * kMinute);
  EXPECT_EQ(manager_.Status().groups[0].evaluations, 1U);
  clock_.Set(kStart * 1'000'000);
  EXPECT_EQ(manager_.RunDue(), model::Timestamp::FromMs(kStart + kMinute));
  EXPECT_EQ(manager_.Status().groups[0].evaluations, 2U);
}

TEST_F(ManagerTest, NamesFaults) {
  Load(R"(groups:
  - name: g
    limit: 1
    rules:
      - {record: same, expr: 'label_replace(up, "job", "", "", "")'}
      - {alert: TooMany, expr: up}
)");
  Run(kStart);
  const GroupStatus group = manager_.Status().groups[0];
  EXPECT_EQ(group.rules[0].health, "err");
  EXPECT_EQ(group.rules[1].last_error, "exceeded limit of 1 with 2 alerts");
  store_.fail_with = MakeError(ErrorCode::kUnavailable, "read-only");
}

TEST_F(ManagerTest, SaysWhenTheStoreRefuses) {
  Load(R"({groups: [{name: g, rules: [{record: x, expr: "1"}]}]})");
  store_.fail_with = MakeError(ErrorCode::kUnavailable, "read-only");
  manager_.RunDue();
  EXPECT_EQ(manager_.Status().groups[0].rules[0].last_error, "read-only");
}

TEST_F(ManagerTest, WithoutRulesNothingIsDue) { EXPECT_EQ(manager_.RunDue(), model::Timestamp::Max()); }

}  // namespace
}  // namespace tidemark::query::rules
