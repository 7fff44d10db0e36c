// An alert with a recovery condition fires until that holds.
#include <gtest/gtest.h>

#include "tests/unit/query/rules/manager_fixture.h"

namespace tidemark::query::rules {
namespace {

class HysteresisTest : public ManagerTest {
 protected:
  static std::string Rule(const std::string& more = "") {
    return "{groups: [{name: g, interval: 1m, rules: [{alert: Full, expr: used > 90, recover: used < 80" + more +
           "}]}]}";
  }
  AlertState At(int64_t minute, std::optional<double> value) { return At(manager_, minute, value); }
  AlertState At(Manager& manager, int64_t minute, std::optional<double> value) {
    clock_.Set((kStart + minute * kMinute) * 1'000'000);
    if (value) {
      model::BatchBuilder rows;
      rows.Row("used", {{"host", "a"}}, model::Timestamp{clock_.NowNs()}).Field("value", *value);
      EXPECT_TRUE(store_.Write("", rows.batch()).ok());
    }
    manager.RunDue();
    const RuleStatus status = manager.Status().groups[0].rules[0];
    EXPECT_EQ(status.health, "ok") << status.last_error;
    return status.state();
  }
  [[nodiscard]] std::unique_ptr<Manager> Other() {
    return std::make_unique<Manager>(
        ManagerDependencies{
            .store = &store_, .sink = &store_, .scheduler = &scheduler_, .clock = &clock_, .execute = &engine::Execute},
        OnStart("_server"));
  }
};

TEST_F(HysteresisTest, FiresUntilItHasRecovered) {
  Load(Rule());
  EXPECT_EQ(At(0, 85), AlertState::kInactive) << "between the two nothing begins";
  EXPECT_EQ(At(1, 91), AlertState::kFiring);
  EXPECT_FALSE(First().alerts[0].recovering);
  for (int i = 2; i < 5; ++i) ASSERT_EQ(At(i, 85), AlertState::kFiring) << i;
  EXPECT_TRUE(First().alerts[0].recovering);
  EXPECT_EQ(First().alerts[0].active_at_ms, kStart + kMinute);
  EXPECT_EQ(At(5, 95), AlertState::kFiring);
  EXPECT_FALSE(First().alerts[0].recovering) << "the condition holds again";
  EXPECT_EQ(At(6, 79), AlertState::kInactive);
  EXPECT_EQ(At(7, 85), AlertState::kInactive);
}

TEST_F(HysteresisTest, WhatIsPendingEndsWithTheCondition) {
  Load(Rule(", for: 2m"));
  EXPECT_EQ(At(0, 91), AlertState::kPending);
  EXPECT_EQ(At(1, 85), AlertState::kInactive);
}

TEST_F(HysteresisTest, ASeriesThatIsGoneDoesAsThePolicySays) {
  Load(Rule());
  At(0, 91);
  ASSERT_EQ(At(1, 85), AlertState::kFiring);
  EXPECT_EQ(At(10, {}), AlertState::kInactive) << "no_data: resolve";
  Load(Rule(", no_data: keep"));
  At(20, 91);
  ASSERT_EQ(At(21, 85), AlertState::kFiring);
  EXPECT_EQ(At(30, {}), AlertState::kFiring);
  EXPECT_TRUE(First().alerts[0].no_data);
  EXPECT_EQ(At(31, 85), AlertState::kFiring) << "data again, and it has not recovered";
  EXPECT_FALSE(First().alerts[0].no_data);
  EXPECT_EQ(At(32, 70), AlertState::kInactive);
}

TEST_F(HysteresisTest, GoesOnAfterARestart) {
  Load(Rule(", labels: {host: hidden}"));
  At(0, 91);
  ASSERT_EQ(At(1, 85), AlertState::kFiring);
  const auto restarted = Other();
  restarted->SetGroups(*ParseRuleFile(Rule(", labels: {host: hidden}"), "rules.yml"));
  ASSERT_EQ(At(*restarted, 3, 85), AlertState::kFiring);
  EXPECT_EQ(restarted->Status().groups[0].rules[0].alerts[0].active_at_ms, kStart);
  EXPECT_EQ(At(*restarted, 4, 85), AlertState::kFiring);
  EXPECT_EQ(At(*restarted, 5, 79), AlertState::kInactive);
}

TEST_F(HysteresisTest, AnAlertThatEndedDoesNotComeBackWithARestart) {
  Load(Rule());
  At(0, 91);
  ASSERT_EQ(At(1, 79), AlertState::kInactive);
  const auto restarted = Other();
  restarted->SetGroups(*ParseRuleFile(Rule(), "rules.yml"));
  EXPECT_EQ(At(*restarted, 2, 85), AlertState::kInactive);
}

TEST(RecoverKey, IsReadAndRefused) {
  const auto fault = [](const std::string& rule) {
    const auto groups = ParseRuleFile("groups:\n- name: g\n  rules:\n  - " + rule, "f");
    return groups.ok() ? std::string() : groups.error().message;
  };
  EXPECT_EQ(fault("{alert: A, expr: up > 1, recover: up < 1}"), "");
  EXPECT_EQ(fault("{alert: A, expr: up > 1, recover: 'up <'}").substr(0, 36), "f:4:39: could not parse expression: ");
  EXPECT_EQ(fault("{alert: A, expr: up > 1, recover: 5}"),
            "f:4:39: recover gives the series that have recovered: an instant vector, not a scalar");
  EXPECT_EQ(fault("{alert: A, expr: absent(up), recover: up < 1}"),
            "f:4:43: recover needs an expr that compares, so that what has recovered can be told from what is gone");
  EXPECT_EQ(fault("{record: x, expr: up > 1, recover: up < 1}"), "f:4:40: invalid field 'recover' in recording rule");
}

}  // namespace
}  // namespace tidemark::query::rules
