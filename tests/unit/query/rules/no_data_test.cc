// No data is not the same as not true; what has become of alerts is noted.
#include "query/rules/no_data.h"

#include <gtest/gtest.h>

#include "query/promql/parser.h"
#include "query/promql/printer.h"
#include "query/rules/history.h"
#include "tests/unit/query/rules/manager_fixture.h"

namespace tidemark::query::rules {
namespace {

class NoDataTest : public ManagerTest {
 protected:
  static std::string Rule(const std::string& policy, const std::string& wait = "2m") {
    return "{groups: [{name: g, interval: 1m, rules: [{alert: Slow, expr: latency > 5, for: " + wait +
           ", no_data: " + policy + ", labels: {severity: page}}]}]}";
  }
  void Latency(double value) {
    model::BatchBuilder rows;
    rows.Row("latency", {{"host", "a"}}, model::Timestamp{clock_.NowNs()}).Field("value", value);
    ASSERT_TRUE(store_.Write("", rows.batch()).ok());
  }
  // At minute `minute`; with a value, or without data.
  AlertState At(int64_t minute, std::optional<double> value) {
    clock_.Set((kStart + minute * kMinute) * 1'000'000);
    if (value) Latency(*value);
    manager_.RunDue();
    EXPECT_EQ(First().health, "ok") << First().last_error;
    return First().state();
  }
  // Fires from minute 2 on; the last value is of minute 2, seen until minute 7.
  void Fire(const std::string& policy) {
    Load(Rule(policy));
    At(0, 7);
    At(1, 7);
    ASSERT_EQ(At(2, 7), AlertState::kFiring);
    for (int i = 3; i < 7; ++i) ASSERT_EQ(At(i, {}), AlertState::kFiring);
  }
};

TEST_F(NoDataTest, ResolvesUnlessTheRuleSaysOtherwise) {
  Fire("resolve");
  EXPECT_EQ(At(7, {}), AlertState::kInactive);
}

TEST_F(NoDataTest, KeepsWhatFires) {
  Fire("keep");
  for (int i = 7; i < 60; ++i) ASSERT_EQ(At(i, {}), AlertState::kFiring) << i;
  EXPECT_TRUE(First().alerts[0].no_data);
  EXPECT_EQ(First().alerts[0].active_at_ms, kStart);
  EXPECT_EQ(First().alerts[0].value, 7) << "the last that is known";
  EXPECT_EQ(At(60, 1), AlertState::kInactive) << "data again, and it is not true";
}

TEST_F(NoDataTest, KeepBeginsNothing) {
  Load(Rule("keep"));
  EXPECT_EQ(At(0, 1), AlertState::kInactive);
  for (int i = 1; i < 30; ++i) ASSERT_EQ(At(i, {}), AlertState::kInactive);
}

TEST_F(NoDataTest, AlertsWhenASeriesIsGone) {
  Load(Rule("alert"));
  EXPECT_EQ(At(0, 1), AlertState::kInactive);
  for (int i = 1; i < 5; ++i) ASSERT_EQ(At(i, {}), AlertState::kInactive) << "seen for five minutes";
  EXPECT_EQ(At(5, {}), AlertState::kPending);
  EXPECT_EQ(At(6, {}), AlertState::kPending);
  ASSERT_EQ(At(7, {}), AlertState::kFiring) << "`for` holds for no data too";
  EXPECT_TRUE(First().alerts[0].no_data);
  EXPECT_EQ(First().alerts[0].labels, (model::Labels{{"alertname", "Slow"}, {"host", "a"}, {"severity", "page"}}));
  EXPECT_EQ(At(8, 1), AlertState::kInactive);
  // A series that nobody writes any more is forgotten after a day.
  for (int i = 9; i < 60; ++i) At(i, {});
  EXPECT_EQ(First().state(), AlertState::kFiring);
  EXPECT_EQ(At(26 * 60, {}), AlertState::kInactive);
}

TEST_F(NoDataTest, GoesOnAfterARestart) {
  Fire("keep");
  At(7, {});
  Manager restarted(
      {.store = &store_, .sink = &store_, .scheduler = &scheduler_, .clock = &clock_, .execute = &engine::Execute},
      OnStart());
  restarted.SetGroups(*ParseRuleFile(Rule("keep"), "rules.yml"));
  clock_.Set((kStart + 9 * kMinute) * 1'000'000);
  restarted.RunDue();
  const RuleStatus status = restarted.Status().groups[0].rules[0];
  ASSERT_EQ(status.state(), AlertState::kFiring) << status.last_error;
  EXPECT_TRUE(status.alerts[0].no_data);
}

TEST_F(NoDataTest, WhatIsPendingGoesOnAfterARestart) {
  for (const char* policy : {"keep", "alert"}) {
    const int64_t begin = clock_.NowNs() / 1'000'000;
    const int64_t first = (begin - kStart) / kMinute;
    // Nothing is left of the policy before.
    Load("{groups: []}");
    Load(Rule(policy, "20m"));
    At(first, 7);
    for (int i = 1; i < 9; ++i) ASSERT_EQ(At(first + i, {}), AlertState::kPending) << policy << i;
    Manager restarted(
        {.store = &store_, .sink = &store_, .scheduler = &scheduler_, .clock = &clock_, .execute = &engine::Execute},
        OnStart());
    restarted.SetGroups(*ParseRuleFile(Rule(policy, "20m"), "rules.yml"));
    const auto after = [&](int64_t at) {
      clock_.Set((begin + at * kMinute) * 1'000'000);
      restarted.RunDue();
      return restarted.Status().groups[0].rules[0];
    };
    const RuleStatus status = after(9);
    ASSERT_EQ(status.state(), AlertState::kPending) << policy << status.last_error;
    EXPECT_TRUE(status.alerts[0].no_data);
    EXPECT_EQ(status.alerts[0].active_at_ms, begin + kMinute) << "the minute of the outage does not count";
    EXPECT_EQ(after(20).state(), AlertState::kPending) << policy;
    EXPECT_EQ(after(21).state(), AlertState::kFiring) << policy;
    // Longer than an outage may be.
    clock_.Advance(120 * kMinute * 1'000'000);
  }
}

// Conditions whose results have other labels than what they compare: kept without data, ended by data.
TEST_F(NoDataTest, EndsWhereLabelsAreMatched) {
  const auto write = [this](double value) {
    model::BatchBuilder rows;
    const model::Timestamp now{clock_.NowNs()};
    rows.Row("a", {{"x", "1"}, {"y", "1"}}, now).Field("value", value);
    rows.Row("b", {{"x", "1"}, {"z", "1"}, {"team", "t"}}, now).Field("value", 5.0);
    ASSERT_TRUE(store_.Write("", rows.batch()).ok());
  };
  int64_t minute = 0;
  for (const char* expr : {"a > on (x) b", "a > ignoring (y, z, team) b", "a > on (x) group_left (team) b",
                           "b < on (x) group_right () a", "count(a > 5) > 0", "sum by (x) (a > on (x) b) > 3"}) {
    Load("{groups: []}");
    Load(std::string("{groups: [{name: g, interval: 1m, rules: [{alert: A, no_data: keep, expr: '") + expr + "'}]}]}");
    const auto at = [&](int64_t after, std::optional<double> value) {
      clock_.Set((kStart + (minute + after) * kMinute) * 1'000'000);
      if (value) write(*value);
      manager_.RunDue();
      EXPECT_EQ(First().health, "ok") << expr << First().last_error;
      return First().state();
    };
    ASSERT_EQ(at(0, 7), AlertState::kFiring) << expr;
    ASSERT_EQ(at(10, {}), AlertState::kFiring) << expr << " without data";
    EXPECT_TRUE(First().alerts[0].no_data) << expr;
    EXPECT_EQ(at(11, 1), AlertState::kInactive) << expr << " with data again";
    minute += 200;
  }
}

// A label of the rule hides one of the series; after a restart only the alert's labels are known.
TEST_F(NoDataTest, EndsAfterARestartWhereALabelOfTheRuleHidesOneOfTheSeries) {
  const auto write = [this](double value) {
    model::BatchBuilder rows;
    rows.Row("latency", {{"host", "a"}, {"severity", "low"}}, model::Timestamp{clock_.NowNs()}).Field("value", value);
    ASSERT_TRUE(store_.Write("", rows.batch()).ok());
  };
  for (const char* policy : {"keep", "alert"}) {
    const int64_t begin = clock_.NowNs() / 1'000'000;
    Load("{groups: []}");
    Load(Rule(policy, "0s"));
    write(7);
    manager_.RunDue();
    clock_.Set((begin + 10 * kMinute) * 1'000'000);
    manager_.RunDue();
    ASSERT_TRUE(First().alerts[0].no_data) << policy;
    Manager restarted(
        {.store = &store_, .sink = &store_, .scheduler = &scheduler_, .clock = &clock_, .execute = &engine::Execute},
        OnStart());
    restarted.SetGroups(*ParseRuleFile(Rule(policy, "0s"), "rules.yml"));
    const auto state = [&](int64_t minute, std::optional<double> value) {
      clock_.Set((begin + minute * kMinute) * 1'000'000);
      if (value) write(*value);
      restarted.RunDue();
      return restarted.Status().groups[0].rules[0].state();
    };
    ASSERT_EQ(state(11, {}), AlertState::kFiring) << policy;
    EXPECT_EQ(state(12, 1), AlertState::kInactive) << policy;
    EXPECT_EQ(state(13, 1), AlertState::kInactive) << policy;
    clock_.Advance(120 * kMinute * 1'000'000);
  }
}

// Series that the new expression never had are not gone.
TEST_F(NoDataTest, AnExpressionThatChangedWhileTheServerWasDownKeepsNothing) {
  const auto manager = [&](const std::string& expr) {
    auto made = std::make_unique<Manager>(
        ManagerDependencies{
            .store = &store_, .sink = &store_, .scheduler = &scheduler_, .clock = &clock_, .execute = &engine::Execute},
        OnStart("_server"));
    made->SetGroups(*ParseRuleFile(
        "{groups: [{name: g, interval: 1m, rules: [{alert: Slow, no_data: keep, expr: " + expr + "}]}]}", "rules.yml"));
    return made;
  };
  const auto state = [&](Manager& of, int64_t minute) {
    clock_.Set((kStart + minute * kMinute) * 1'000'000);
    of.RunDue();
    EXPECT_EQ(of.Status().groups[0].rules[0].health, "ok") << of.Status().groups[0].rules[0].last_error;
    return of.Status().groups[0].rules[0].state();
  };
  Latency(7);
  auto first = manager("latency > 5");
  ASSERT_EQ(state(*first, 0), AlertState::kFiring);
  ASSERT_EQ(state(*first, 10), AlertState::kFiring) << "its series is gone";
  auto same = manager("latency > 5");
  EXPECT_EQ(state(*same, 11), AlertState::kFiring);
  auto changed = manager("delay > 5");
  EXPECT_EQ(state(*changed, 12), AlertState::kInactive);
  auto elsewhere = manager("latency > 5, database: other");
  EXPECT_EQ(state(*elsewhere, 12), AlertState::kInactive);
}

TEST(DataOf, IsWhatIsCompared) {
  const auto data = [](std::string_view text) {
    const auto expr = promql::Parse(text);
    std::string out;
    for (const auto& part : DataOf(**expr)) out += promql::ToString(*part) + ";";
    return out;
  };
  EXPECT_EQ(data("up == 0"), "up;");
  EXPECT_EQ(data("0 < up"), "up;");
  EXPECT_EQ(data("(sum by (job) (rate(x[5m])) > 5) and on () y < 3"), "sum by (job) (rate(x[5m]));");
  EXPECT_EQ(data("a > 1 or b > 2"), "a;b;");
  EXPECT_EQ(data("a > 1 or b"), "a;b;");
  EXPECT_EQ(data("a > b"), "a and b;");
  EXPECT_EQ(data("a > on (x) b"), "group by (x) (a) and on (x) b;");
  EXPECT_EQ(data("a > ignoring (y) (b or c)"), "group without (y) (a) and ignoring (y) (b or c);");
  EXPECT_EQ(data("a > on (x) group_left (team) b"), "a > bool on (x) group_left (team) b;");
  EXPECT_EQ(data("a > on (x) group_right () b"), "a > bool on (x) group_right () b;");
  EXPECT_EQ(data("count(up == 0) > 2"), "count(up);");
  EXPECT_EQ(data("count by (x) ((a > on (x) b) unless c) > 2"), "count by (x) (((group by (x) (a) and on (x) b)));");
  EXPECT_EQ(data("avg_over_time((up == 0)[5m:1m]) > 2"), "avg_over_time((up)[5m:1m]);");
  EXPECT_EQ(data("absent(up)"), "");
  EXPECT_EQ(data("absent(up == 0) > 0"), "") << "it is there when there is no data";
  EXPECT_EQ(data("up > 1 or absent_over_time(up[5m])"), "");
  EXPECT_EQ(data("up == bool 0"), "");
}

TEST(NoDataKey, IsReadAndRefused) {
  const auto fault = [](const std::string& rule) {
    const auto groups = ParseRuleFile("groups:\n- name: g\n  rules:\n  - " + rule, "f");
    return groups.ok() ? std::string() : groups.error().message;
  };
  EXPECT_EQ(fault("{alert: A, expr: up > 1, no_data: keep}"), "");
  EXPECT_EQ(fault("{alert: A, expr: up > 1, no_data: ok}"),
            "f:4:39: no_data is one of keep, alert and resolve, not \"ok\"");
  EXPECT_EQ(fault("{alert: A, expr: absent(up), no_data: alert}"),
            "f:4:43: no_data needs an expression that compares, so that no data can be told from not true");
  EXPECT_EQ(fault("{record: x, expr: up > 1, no_data: keep}"), "f:4:40: invalid field 'no_data' in recording rule");
}

// The text of each change, by minute.
std::map<int64_t, std::string> EventsOf(MemoryStore& store) {
  std::map<int64_t, std::string> events;
  const auto view = store.OpenView("_server");
  if (!view.ok()) return events;
  const auto refs = (*view)->Select({}, {}, {.numeric = false, .strings = true});
  const auto cursor = (*view)->Scan(*refs, {});
  for (model::Column column; *cursor->Next(&column);) {
    for (size_t i = 0; i < column.size(); ++i) {
      events[(column.times[i] / 1'000'000 - kStart) / kMinute] = std::string(column.strings[i]);
    }
  }
  return events;
}

TEST_F(NoDataTest, ChangesAreNoted) {
  Manager manager(
      {.store = &store_, .sink = &store_, .scheduler = &scheduler_, .clock = &clock_, .execute = &engine::Execute},
      OnStart("_server"));
  manager.SetGroups(*ParseRuleFile(Rule("resolve"), "rules.yml"));
  const auto at = [&](int64_t minute, double value) {
    clock_.Set((kStart + minute * kMinute) * 1'000'000);
    Latency(value);
    manager.RunDue();
  };
  for (int i = 0; i < 3; ++i) at(i, 7);
  at(3, 1);
  EXPECT_EQ(EventsOf(store_),
            (std::map<int64_t, std::string>{{0, "inactive -> pending, value 7: the condition holds"},
                                            {2, "pending -> firing, value 7: the condition holds for 2m"},
                                            {3, "firing -> inactive, value 7: the condition does not hold any more"}}));
}

TEST_F(NoDataTest, AnEndIsNotedWithItsOwnReason) {
  Manager manager(
      {.store = &store_, .sink = &store_, .scheduler = &scheduler_, .clock = &clock_, .execute = &engine::Execute},
      OnStart("_server"));
  manager.SetGroups(*ParseRuleFile(Rule("keep", "0s"), "rules.yml"));
  const auto at = [&](int64_t minute, std::optional<double> value) {
    clock_.Set((kStart + minute * kMinute) * 1'000'000);
    if (value) Latency(*value);
    manager.RunDue();
    return manager.Status().groups[0].rules[0];
  };
  at(0, 7);
  ASSERT_TRUE(at(9, {}).alerts[0].no_data) << "kept";
  EXPECT_EQ(at(10, 1).state(), AlertState::kInactive);
  EXPECT_EQ(EventsOf(store_), (std::map<int64_t, std::string>{
                                  {0, "inactive -> firing, value 7: the condition holds"},
                                  {10, "firing -> inactive, value 7: the condition does not hold any more"}}));
}

TEST_F(NoDataTest, RulesThatFailAreNotedOnceAndCounted) {
  bool fails = true;
  int asked = 0;
  Manager manager({.store = &store_,
                   .sink = &store_,
                   .scheduler = &scheduler_,
                   .clock = &clock_,
                   .execute =
                       [&](const auto& expr, const auto& range, const auto& context) {
                         const std::string fault = "too much, " + std::to_string(++asked) + " bytes";
                         return fails ? Result<run::QueryResult>(LimitExceeded(fault))
                                      : engine::Execute(expr, range, context);
                       }},
                  OnStart("_server"));
  manager.SetGroups(*ParseRuleFile(Rule("resolve"), "rules.yml"));
  for (int i = 0; i < 5; ++i) {
    clock_.Set((kStart + i * kMinute) * 1'000'000);
    manager.RunDue();
  }
  EXPECT_EQ(manager.Status().groups[0].rules[0].failures, 5U);
  fails = false;
  clock_.Set((kStart + 5 * kMinute) * 1'000'000);
  manager.RunDue();
  EXPECT_EQ(manager.Status().groups[0].rules[0].failures, 0U);
  EXPECT_EQ(EventsOf(store_), (std::map<int64_t, std::string>{{0, "the rule cannot be evaluated: too much, 1 bytes"},
                                                              {5, "the rule can be evaluated again"}}));
}

}  // namespace
}  // namespace tidemark::query::rules
