// What becomes of alerts, series and running evaluations when other groups are put in place.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "storage/model/stale_marker.h"
#include "tests/unit/query/rules/manager_fixture.h"

namespace tidemark::query::rules {
namespace {

class ReloadTest : public ManagerTest {
 protected:
  static std::string Down(const std::string& group, const std::string& wait, const std::string& more = "") {
    return "{groups: [{name: " + group + ", interval: 1m, rules: [{alert: Down, expr: up == 0, for: " + wait + "}" +
           more + "]}]}";
  }
  void SetUp() override { down_until_ms_ = kStart + 100 * kMinute; }
};

TEST_F(ReloadTest, AlertsKeepTheTimeThatTheyArePending) {
  Load(Down("g", "20m"));
  for (int i = 0; i <= 15; ++i) Run(kStart + i * kMinute);
  Load(Down("g", "20m", ", {record: x, expr: up}"));
  EXPECT_EQ(First().state(), AlertState::kPending) << "seen before the next evaluation too";
  for (int i = 16; i <= 20; ++i) Run(kStart + i * kMinute);
  ASSERT_EQ(First().state(), AlertState::kFiring) << "no grace as after a restart";
  EXPECT_EQ(First().alerts[0].active_at_ms, kStart);
}

TEST_F(ReloadTest, AGroupThatIsAsItWasKeepsItsTimes) {
  Load(Down("g", "2m"));
  Run(kStart);
  clock_.Set((kStart + 20'000) * 1'000'000);
  Load(Down("g", "2m"));
  EXPECT_EQ(manager_.RunDue(), model::Timestamp::FromMs(kStart + kMinute));
  EXPECT_EQ(manager_.Status().groups[0].evaluations, 1U);
  Load(Down("g", "1m"));
  manager_.RunDue();
  EXPECT_EQ(manager_.Status().groups[0].evaluations, 2U) << "a change counts at once";
}

TEST_F(ReloadTest, EachKeyThatIsChangedCountsAtOnce) {
  const auto text = [](const std::string& group, const std::string& rule) {
    return "{groups: [{name: g, interval: 1m" + group + ", rules: [{alert: Down, expr: up == 0" + rule + "}]}]}";
  };
  Load(text("", ""));
  Run(kStart);
  uint64_t evaluations = 1;
  const std::pair<std::string, std::string> changes[] = {{", limit: 5", ""},      {", query_offset: 1s", ""},
                                                         {", database: x", ""},   {", into: x", ""},
                                                         {"", ", no_data: keep"}, {"", ", no_data: alert"}};
  for (const auto& [group, rule] : changes) {
    Load(text(group, rule));
    manager_.RunDue();
    EXPECT_EQ(manager_.Status().groups[0].evaluations, ++evaluations) << group << rule;
    Load(text("", ""));
    manager_.RunDue();
    EXPECT_EQ(manager_.Status().groups[0].evaluations, ++evaluations) << "without" << group << rule;
  }
}

// One alert of the condition `expr`, with a policy of no data.
std::string WithPolicy(const std::string& expr, const std::string& policy) {
  return "{groups: [{name: g, interval: 1m, rules: [{alert: Down, expr: " + expr + ", no_data: " + policy + "}]}]}";
}

TEST_F(ReloadTest, SeriesThatOnlyTheOldExpressionHadAreNotGone) {
  int64_t now = kStart;
  for (const char* policy : {"alert", "keep"}) {
    for (const char* changed : {"none == 0", "up == 0, database: none"}) {
      Load(WithPolicy("up == 0", policy));
      Run(now);
      ASSERT_EQ(First().state(), AlertState::kFiring) << policy;
      Load(WithPolicy(changed, policy));
      Run(now + kMinute);
      EXPECT_EQ(First().state(), AlertState::kInactive) << policy << " " << changed;
      now += 2 * kMinute;
    }
  }
}

TEST_F(ReloadTest, AnAlertIsKeptOnceTheNewExpressionHasHadItsSeries) {
  Load(WithPolicy("up == 0", "keep"));
  Run(kStart);
  Load(WithPolicy("up < 1", "keep"));
  Run(kStart + kMinute);
  clock_.Set((kStart + 20 * kMinute) * 1'000'000);
  manager_.RunDue();
  EXPECT_EQ(First().state(), AlertState::kFiring) << "its series is gone now";
}

TEST_F(ReloadTest, ARuleMayMoveToAnotherGroup) {
  Load(Down("g", "2m"));
  Run(kStart);
  Load(Down("other", "2m"));
  Run(kStart + kMinute);
  Run(kStart + 2 * kMinute);
  ASSERT_EQ(First().state(), AlertState::kFiring);
  EXPECT_EQ(First().alerts[0].active_at_ms, kStart);
}

TEST_F(ReloadTest, SeriesOfRulesThatAreGoneEnd) {
  Load(Down("g", "0s", ", {record: x, expr: max(up)}, {record: stays, expr: max(up)}"));
  Run(kStart);
  clock_.Set((kStart + 10'000) * 1'000'000);
  Load("{groups: [{name: g, interval: 1m, rules: [{record: stays, expr: max(up)}]}]}");
  for (const model::Labels& labels : {model::Labels{{"__name__", "ALERTS"}}, model::Labels{{"__name__", "x"}}}) {
    const auto rows = Rows(labels);
    ASSERT_EQ(rows.count(kStart + 10'000), 1U) << labels[0].value;
    EXPECT_TRUE(model::IsStaleMarker(rows.at(kStart + 10'000).first)) << labels[0].value;
  }
  EXPECT_EQ(Rows({{"__name__", "stays"}}).size(), 1U);
}

TEST_F(ReloadTest, SeriesThatAreRecordedElsewhereEndWhereTheyWere) {
  Load("{groups: [{name: g, interval: 1m, into: first, rules: [{record: x, expr: max(up)}]}]}");
  Run(kStart);
  clock_.Set((kStart + 10'000) * 1'000'000);
  Load("{groups: [{name: g, interval: 1m, rules: [{record: x, expr: max(up), into: second}]}]}");
  Run(kStart + kMinute);
  EXPECT_TRUE(model::IsStaleMarker(Rows({{"__name__", "x"}}, "first").at(kStart + 10'000).first));
  EXPECT_EQ(Rows({{"__name__", "x"}}, "second").size(), 1U);
  EXPECT_EQ(Rows({{"__name__", "x"}}).size(), 0U);
}

TEST_F(ReloadTest, ARuleReadsOneDatabaseAndRecordsIntoAnother) {
  model::BatchBuilder rows;
  rows.Row("load", {{"host", "h"}}, model::Timestamp::FromMs(kStart)).Field("value", 3.0);
  ASSERT_TRUE(store_.Write("hosts", rows.batch()).ok());
  Load("{groups: [{name: g, rules: [{record: x, expr: max(load), database: hosts, into: sums}]}]}");
  Run(kStart);
  EXPECT_EQ(Rows({{"__name__", "x"}}, "sums").at(kStart).first, 3);
}

// The query of the old rule gives its answer only when the reload is over, or has told it to end.
TEST_F(ReloadTest, WhatAnOldEvaluationWouldHaveSaidIsDropped) {
  std::latch asked(1);
  std::atomic<bool> reloaded = false;
  execute_ = [&](const auto& expr, const auto& at, const auto& context) {
    asked.count_down();
    while (!reloaded && !context.stop.stop_requested()) std::this_thread::yield();
    auto unstopped = context;
    unstopped.stop = {};
    return engine::Execute(expr, at, unstopped);
  };
  Load("{groups: [{name: g, interval: 1m, rules: [{record: old, expr: max(up)}]}]}");
  Up(1, 1);
  std::thread evaluation([&] { manager_.RunDue(); });
  asked.wait();
  Load("{groups: [{name: g, interval: 1m, rules: [{record: new, expr: max(up)}]}]}");
  reloaded = true;
  evaluation.join();
  EXPECT_EQ(Rows({{"__name__", "old"}}).size(), 0U);
  execute_ = &engine::Execute;
  Run(kStart);
  EXPECT_EQ(Rows({{"__name__", "new"}}).size(), 1U) << "due at once";
  EXPECT_EQ(manager_.Status().groups[0].evaluations, 1U);
}

// Reloads come faster than the group is done, and change another one.
TEST_F(ReloadTest, AGroupThatIsAsItWasGoesOnUndisturbed) {
  std::latch asked(1);
  std::atomic<bool> reloaded = false;
  std::atomic<bool> stopped = false;
  execute_ = [&](const auto& expr, const auto& at, const auto& context) {
    asked.count_down();
    while (!reloaded && !context.stop.stop_requested()) std::this_thread::yield();
    stopped = context.stop.stop_requested();
    return engine::Execute(expr, at, context);
  };
  const auto text = [](int number) {
    return fmt::format(
        "{{groups: [{{name: slow, interval: 1m, rules: [{{record: slow, expr: max(up)}}]}}, {{name: other, interval: "
        "1m, rules: [{{record: 'other{}', expr: max(none)}}]}}]}}",
        number);
  };
  Load("{groups: [{name: slow, interval: 1m, rules: [{record: slow, expr: max(up)}]}]}");
  Up(1, 1);
  std::thread evaluation([&] { manager_.RunOne(); });
  asked.wait();
  for (int i = 0; i < 5; ++i) Load(text(i));
  reloaded = true;
  evaluation.join();
  EXPECT_FALSE(stopped);
  EXPECT_EQ(Rows({{"__name__", "slow"}}).size(), 1U);
  EXPECT_EQ(manager_.Status().groups[0].evaluations, 1U);
  EXPECT_EQ(manager_.Status().groups[0].missed, 0U);
}

// Each reload changes the group, and comes while it is evaluated.
TEST_F(ReloadTest, EvaluationsThatReloadsEndAreMissed) {
  const auto text = [](int number) {
    return fmt::format("{{groups: [{{name: g, interval: 1m, rules: [{{record: x, expr: 'max(up) + {}'}}]}}]}}", number);
  };
  Load(text(0));
  Run(kStart);
  for (int i = 1; i <= 5; ++i) {
    clock_.Set((kStart + i * kMinute) * 1'000'000);
    Up(1, 1);
    execute_ = [&](const auto& expr, const auto& at, const auto& context) -> Result<run::QueryResult> {
      while (!context.stop.stop_requested()) std::this_thread::yield();
      return engine::Execute(expr, at, context);
    };
    std::thread evaluation([&] { manager_.RunOne(); });
    while (manager_.NextDue() != model::Timestamp::Max()) std::this_thread::yield();
    Load(text(i));
    evaluation.join();
  }
  execute_ = &engine::Execute;
  manager_.RunDue();
  EXPECT_EQ(manager_.Status().groups[0].evaluations, 2U);
  EXPECT_EQ(manager_.Status().groups[0].missed, 4U) << "the last of the five is made up for";
}

// Two threads that find the same group due: it is evaluated once. A group that takes longer than its interval is
// evaluated by one of them at a time.
TEST_F(ReloadTest, AGroupRunsOnceAtATime) {
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  execute_ = [&](const auto& expr, const auto& at, const auto& context) {
    most = std::max<int>(most, ++inside);
    std::this_thread::yield();
    auto result = engine::Execute(expr, at, context);
    --inside;
    return result;
  };
  Load("{groups: [{name: g, interval: 1s, rules: [{record: x, expr: max(up)}]}]}");
  Up(1, 1);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          clock_.Advance(1'000'000'000);
          manager_.RunDue();
        }
      });
    }
  }
  EXPECT_EQ(most, 1);
}

}  // namespace
}  // namespace tidemark::query::rules
