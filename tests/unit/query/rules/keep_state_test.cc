// What went wrong in between is forgotten; what a rule was at before it is not.
#include <gtest/gtest.h>

#include "storage/model/stale_marker.h"
#include "tests/unit/query/rules/manager_fixture.h"

namespace tidemark::query::rules {
namespace {

class KeepStateTest : public ManagerTest {
 protected:
  void SetUp() override {
    down_until_ms_ = kStart + 100 * kMinute;
    Load(R"(groups:
  - name: g
    interval: 1m
    limit: 1
    rules:
      - {alert: Down, expr: "up == 0", for: 3m}
)");
  }
  // Pending since the start; at the third minute it fires, if nobody forgot.
  void ExpectGoesOn() {
    const RuleStatus failed = First();
    EXPECT_EQ(failed.health, "err");
    EXPECT_EQ(failed.state(), AlertState::kPending) << "the alerts stay while the rule cannot be evaluated";
    Run(kStart + 3 * kMinute);
    const RuleStatus status = First();
    EXPECT_EQ(status.health, "ok") << status.last_error;
    ASSERT_EQ(status.state(), AlertState::kFiring);
    EXPECT_EQ(status.alerts[0].active_at_ms, kStart);
    EXPECT_EQ(Rows({{"__name__", "ALERTS_FOR_STATE"}}).count(kStart + 2 * kMinute), 0U)
        << "neither a sample nor a stale marker of an evaluation that failed";
  }
};

TEST_F(KeepStateTest, MoreAlertsThanTheGroupsLimit) {
  Run(kStart);
  Run(kStart + kMinute);
  clock_.Set((kStart + 2 * kMinute) * 1'000'000);
  Up(0, 0);
  manager_.RunDue();
  EXPECT_EQ(First().last_error, "exceeded limit of 1 with 2 alerts");
  ExpectGoesOn();
}

TEST_F(KeepStateTest, AnAnswerThatLacksDamagedRows) {
  Run(kStart);
  Run(kStart + kMinute);
  execute_ = [](const auto& expr, const auto& at, const auto& context) {
    auto result = engine::Execute(expr, at, context);
    result->frame = {};  // the series is on the damaged page
    result->missing = {"page 7 is damaged"};
    return result;
  };
  Run(kStart + 2 * kMinute);
  execute_ = &engine::Execute;
  EXPECT_EQ(First().last_error,
            "the answer is not whole, so that the rule Down keeps what it was at: page 7 is damaged");
  ExpectGoesOn();
}

TEST_F(KeepStateTest, AQueryThatIsRefused) {
  Run(kStart);
  Run(kStart + kMinute);
  execute_ = [](const auto&, const auto&, const auto&) { return Result<run::QueryResult>(LimitExceeded("too much")); };
  Run(kStart + 2 * kMinute);
  execute_ = &engine::Execute;
  EXPECT_EQ(First().last_error, "too much");
  ExpectGoesOn();
}

TEST_F(KeepStateTest, AnEndThatCouldNotBeWrittenIsWrittenLater) {
  Load(R"({groups: [{name: g, interval: 1m, rules: [{alert: Down, expr: "up == 0"}]}]})");
  Run(kStart);
  down_until_ms_ = 0;
  clock_.Set((kStart + kMinute) * 1'000'000);
  Up(1, 1);
  store_.fail_with = MakeError(ErrorCode::kUnavailable, "read-only");
  manager_.RunDue();
  EXPECT_EQ(First().last_error, "read-only");
  store_.fail_with.message.clear();
  Run(kStart + 2 * kMinute);
  const auto rows = Rows({{"__name__", "ALERTS"}, {"alertstate", "firing"}});
  ASSERT_EQ(rows.count(kStart + 2 * kMinute), 1U);
  EXPECT_TRUE(model::IsStaleMarker(rows.at(kStart + 2 * kMinute).first));
}

// The clock is set back an hour: an alert that would be an hour from pending fires when its time is over.
TEST_F(KeepStateTest, AClockThatIsSetBack) {
  Run(kStart);
  const int64_t back = kStart - 60 * kMinute;
  for (int i = 0; i < 4; ++i) Run(back + i * kMinute);
  const RuleStatus status = First();
  ASSERT_EQ(status.state(), AlertState::kFiring) << "evaluated " << status.last_evaluation_ms - back;
  EXPECT_EQ(status.alerts[0].active_at_ms, back);
}

TEST_F(KeepStateTest, TimesBeginAtZero) {
  clock_.Set(0);
  Load(R"({groups: [{name: g, interval: 1m, rules: [{alert: Down, expr: "up == 0", for: 2m}]}]})");
  // The first at once, the others at the times of the grid that are past by then.
  for (int i = 0; i < 4; ++i) Run(i * kMinute);
  const RuleStatus status = First();
  ASSERT_EQ(status.state(), AlertState::kFiring);
  EXPECT_EQ(status.alerts[0].active_at_ms, 0);
}

}  // namespace
}  // namespace tidemark::query::rules
