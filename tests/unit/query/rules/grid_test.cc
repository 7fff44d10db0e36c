// When groups are evaluated: on their grids, and none waits for another.
#include "query/rules/grid.h"

#include <gtest/gtest.h>

#include <latch>
#include <set>
#include <thread>

#include "tests/unit/query/rules/manager_fixture.h"

namespace tidemark::query::rules {
namespace {

Group Named(std::string file, std::string name) {
  Group group;
  group.file = std::move(file);
  group.name = std::move(name);
  return group;
}

TEST(Grid, HasTimesAroundEachTime) {
  const Grid grid(60'000, 20'000);
  EXPECT_EQ(grid.AtOrBefore(20'000), 20'000);
  EXPECT_EQ(grid.AtOrBefore(19'999), -40'000);
  EXPECT_EQ(grid.AtOrBefore(79'999), 20'000);
  EXPECT_EQ(grid.After(20'000), 80'000);
  EXPECT_EQ(grid.After(19'999), 20'000);
  EXPECT_EQ(Grid(10, 0).AtOrBefore(-1), -10);
}

TEST(Spread, IsTheSameEachTimeAndOverTheWholeInterval) {
  EXPECT_EQ(SpreadMs(Named("f.yml", "g"), 60'000), SpreadMs(Named("f.yml", "g"), 60'000));
  EXPECT_NE(SpreadMs(Named("f.yml", "g"), 60'000), SpreadMs(Named("other.yml", "g"), 60'000));
  std::set<int64_t> quarters;
  for (int i = 0; i < 100; ++i) {
    const int64_t at_ms = SpreadMs(Named("f.yml", "group" + std::to_string(i)), 60'000);
    ASSERT_GE(at_ms, 0);
    ASSERT_LT(at_ms, 60'000);
    quarters.insert(at_ms / 15'000);
  }
  EXPECT_EQ(quarters.size(), 4U);
}

using GridTest = ManagerTest;

TEST_F(GridTest, ANewGroupIsEvaluatedAtOnceAndThenOnItsGrid) {
  clock_.Set((kStart + 7'000) * 1'000'000);
  Load("{groups: [{name: g, interval: 1m, rules: [{record: x, expr: vector(1)}]}]}");
  EXPECT_EQ(manager_.RunDue(), model::Timestamp::FromMs(kStart + kMinute));
  clock_.Set((kStart + kMinute + 250) * 1'000'000);
  EXPECT_EQ(manager_.RunDue(), model::Timestamp::FromMs(kStart + 2 * kMinute));
  const auto rows = Rows({{"__name__", "x"}});
  EXPECT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows.count(kStart + 7'000), 1U);
  EXPECT_EQ(rows.count(kStart + kMinute), 1U) << "as of the time of the grid, though it ran a little later";
}

TEST_F(GridTest, GroupsOfOneIntervalAreSpread) {
  ManagerOptions options;
  Manager manager(
      {.store = &store_, .sink = &store_, .scheduler = &scheduler_, .clock = &clock_, .execute = &engine::Execute},
      options);
  std::string text = "groups:\n";
  for (int i = 0; i < 20; ++i) {
    text += "- {name: g" + std::to_string(i) + ", interval: 1m, rules: [{record: x" + std::to_string(i) +
            ", expr: vector(1)}]}\n";
  }
  manager.SetGroups(*ParseRuleFile(text, "rules.yml"));
  manager.RunDue();
  // Each tenth of a second of a minute.
  std::map<int64_t, uint64_t> at;
  uint64_t before = 20;
  for (int64_t ms = 100; ms <= kMinute; ms += 100) {
    clock_.Set((kStart + ms) * 1'000'000);
    manager.RunDue();
    uint64_t all = 0;
    for (const GroupStatus& group : manager.Status().groups) all += group.evaluations;
    if (all != before) at[ms] = all - before;
    before = all;
  }
  EXPECT_EQ(before, 40U) << "each once";
  EXPECT_GT(at.size(), 10U) << "and not all at once";
  for (const GroupStatus& group : manager.Status().groups) {
    EXPECT_EQ(group.last_evaluation_ms % kMinute, SpreadMs(*group.group, kMinute)) << group.group->name;
  }
}

// One group's query hangs; the other one is evaluated each time that it is due, and nothing of it is missed.
TEST_F(GridTest, AGroupThatTakesLongDelaysNoOther) {
  std::latch asked(1);
  std::latch answer(1);
  execute_ = [&](const auto& expr, const auto& at, const auto& context) {
    if (promql::TryAs<promql::BinaryExpr>(expr) != nullptr) {
      asked.count_down();
      answer.wait();
    }
    return engine::Execute(expr, at, context);
  };
  Load(
      "{groups: [{name: slow, interval: 1m, rules: [{record: x, expr: vector(1) + 1}]},"
      " {name: quick, interval: 1m, rules: [{record: y, expr: vector(1)}]}]}");
  std::jthread slow([&] { EXPECT_TRUE(manager_.RunOne()); });
  asked.wait();
  for (int i = 0; i < 10; ++i) {
    clock_.Set((kStart + i * kMinute) * 1'000'000);
    EXPECT_EQ(manager_.NextDue(), model::Timestamp::FromMs(kStart + i * kMinute)) << "of the one that does not run";
    EXPECT_TRUE(manager_.RunOne());
    EXPECT_FALSE(manager_.RunOne()) << "the slow one runs already";
  }
  answer.count_down();
  slow.join();
  EXPECT_EQ(manager_.Status().groups[1].evaluations, 10U);
  EXPECT_EQ(manager_.Status().groups[1].missed, 0U);
  EXPECT_TRUE(manager_.RunOne()) << "the slow one is due";
  EXPECT_EQ(manager_.Status().groups[0].evaluations, 2U);
  EXPECT_EQ(manager_.Status().groups[0].missed, 8U);
  EXPECT_EQ(manager_.Status().groups[0].last_evaluation_ms, kStart + 9 * kMinute);
}

}  // namespace
}  // namespace tidemark::query::rules
