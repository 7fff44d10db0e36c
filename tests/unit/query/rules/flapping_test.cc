// An alert that begins and ends again and again is told of once.
#include "query/rules/flapping.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/unit/query/rules/manager_fixture.h"

namespace tidemark::query::rules {
namespace {

TEST(FlapLimit, IsReadAndPrinted) {
  for (const char* text : {"2 in 1m", "4 in 10m", "1000 in 1d"}) {
    const auto limit = ParseFlapLimit(text);
    ASSERT_TRUE(limit.ok()) << text;
    EXPECT_EQ(PrintFlapLimit(*limit), text);
  }
  for (const char* text : {"", "4", "1 in 10m", "1001 in 10m", "4 in", "4 in 0s", "4 in ten", "-4 in 1m", "4in 1m"}) {
    EXPECT_FALSE(ParseFlapLimit(text).ok()) << text;
  }
}

TEST(FlapLog, BeginsWithTooManyChangesAndEndsWithHalfAsMany) {
  const FlapLimit limit{.changes = 4, .within_ms = 10 * kMinute};
  FlapLog log;
  for (int i = 0; i < 3; ++i) {
    log.Note(i * kMinute);
    EXPECT_EQ(log.At(limit, i * kMinute), FlapTurn::kNone);
  }
  log.Note(3 * kMinute);
  EXPECT_EQ(log.At(limit, 3 * kMinute), FlapTurn::kBegins);
  EXPECT_EQ(log.At(limit, 10 * kMinute), FlapTurn::kNone) << "three are left";
  EXPECT_EQ(log.At(limit, 11 * kMinute), FlapTurn::kEnds) << "two are";
  EXPECT_FALSE(log.idle());
  EXPECT_EQ(log.At(limit, 13 * kMinute), FlapTurn::kNone);
  EXPECT_TRUE(log.idle());
}

TEST(FlapLog, ChangesFarApartAreNone) {
  const FlapLimit limit{.changes = 4, .within_ms = 10 * kMinute};
  FlapLog log;
  for (int i = 0; i < 100; ++i) {
    log.Note(i * 3 * kMinute + i % 2);
    log.At(limit, i * 3 * kMinute + i % 2);
  }
  EXPECT_TRUE(log.flapping()) << "four lie within ten minutes";
  FlapLog calm;
  for (int i = 0; i < 100; ++i) {
    calm.Note(i * 4 * kMinute);
    ASSERT_EQ(calm.At(limit, i * 4 * kMinute), FlapTurn::kNone);
  }
}

TEST(FlapLog, AClockThatIsSetBackDoesNotHoldItForLong) {
  const FlapLimit limit{.changes = 2, .within_ms = kMinute};
  FlapLog log;
  log.Note(100 * kMinute);
  log.Note(100 * kMinute);
  EXPECT_EQ(log.At(limit, 100 * kMinute), FlapTurn::kBegins);
  EXPECT_EQ(log.At(limit, kMinute), FlapTurn::kEnds);
}

class FlappingTest : public ManagerTest {
 protected:
  static std::string Rule(const std::string& more = ", flapping: 4 in 10m") {
    return "{groups: [{name: g, interval: 1m, rules: [{alert: Down, expr: \"up{job='a'} == 0\"" + more + "}]}]}";
  }
  void At(int64_t minute, bool down) {
    down_until_ms_ = down ? kStart + (minute + 1) * kMinute : 0;
    Run(kStart + minute * kMinute);
    EXPECT_EQ(First().health, "ok") << First().last_error;
  }
};

TEST_F(FlappingTest, IsShownFromTheChangeThatIsTooMuchOn) {
  Load(Rule());
  At(0, true);
  At(1, false);
  At(2, true);
  EXPECT_TRUE(First().flapping.empty());
  EXPECT_FALSE(First().alerts[0].flapping);
  At(3, false);
  ASSERT_EQ(First().flapping.size(), 1U);
  EXPECT_TRUE(First().alerts.empty()) << "what it is at is shown as ever";
  EXPECT_EQ(First().flapping[0].state, AlertState::kInactive);
  At(4, true);
  ASSERT_EQ(First().alerts.size(), 1U);
  EXPECT_TRUE(First().alerts[0].flapping);
  EXPECT_EQ(First().flapping[0].state, AlertState::kFiring);
  for (int i = 5; i < 12; ++i) At(i, true);
  EXPECT_FALSE(First().flapping.empty());
  At(12, true);
  EXPECT_TRUE(First().flapping.empty()) << "two changes in ten minutes";
  EXPECT_FALSE(First().alerts[0].flapping);
}

TEST_F(FlappingTest, WithoutTheKeyThereIsNone) {
  Load(Rule(""));
  for (int i = 0; i < 20; ++i) At(i, i % 2 == 0);
  EXPECT_TRUE(First().flapping.empty());
}

TEST_F(FlappingTest, AReloadGoesOnAndTheKeyMayBeTakenAway) {
  Load(Rule());
  for (int i = 0; i < 5; ++i) At(i, i % 2 == 0);
  ASSERT_FALSE(First().flapping.empty());
  Load(Rule(", flapping: 4 in 10m, for: 0s, annotations: {a: b}"));
  EXPECT_FALSE(First().flapping.empty());
  Load(Rule(""));
  EXPECT_TRUE(First().flapping.empty());
  At(5, true);
  EXPECT_FALSE(First().alerts[0].flapping);
}

TEST_F(FlappingTest, ARestartGoesOnAndTellsOfTheEnd) {
  const std::string text = Rule(", flapping: 4 in 10m, annotations: {a: b}");
  const auto make = [&] {
    auto manager = std::make_unique<Manager>(
        ManagerDependencies{
            .store = &store_, .sink = &store_, .scheduler = &scheduler_, .clock = &clock_, .execute = &engine::Execute},
        OnStart("_server"));
    manager->SetGroups(*ParseRuleFile(text, "rules.yml"));
    return manager;
  };
  const auto at = [&](Manager& manager, int minute, bool down) {
    clock_.Set((kStart + minute * kMinute) * 1'000'000);
    Up(down ? 0 : 1, 1);
    manager.RunDue();
    return manager.Status().groups[0].rules[0];
  };
  auto manager = make();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(at(*manager, i, i % 2 == 0).flapping.empty());
  // What it has begun and ended before counts.
  manager = make();
  EXPECT_TRUE(at(*manager, 3, true).flapping.empty());
  EXPECT_EQ(at(*manager, 4, false).flapping.size(), 1U);
  manager = make();
  const RuleStatus after = at(*manager, 5, false);
  ASSERT_EQ(after.health, "ok") << after.last_error;
  ASSERT_EQ(after.flapping.size(), 1U);
  EXPECT_EQ(after.flapping[0].labels, (model::Labels{{"alertname", "Down"}, {"job", "a"}}));
  EXPECT_EQ(after.flapping[0].annotations, (model::Labels{{"a", "b"}}));
  // Longer ago than it flaps for: who was told hears of it once more, and then of its end.
  manager = make();
  EXPECT_EQ(at(*manager, 30, false).flapping.size(), 1U);
  EXPECT_TRUE(at(*manager, 31, false).flapping.empty());
  manager = make();
  EXPECT_TRUE(at(*manager, 32, false).flapping.empty()) << "that it has ended is known too";
}

// Why nobody was told.
TEST_F(FlappingTest, BeginAndEndAreInTheHistory) {
  Manager manager(
      {.store = &store_, .sink = &store_, .scheduler = &scheduler_, .clock = &clock_, .execute = &engine::Execute},
      OnStart("_server"));
  manager.SetGroups(*ParseRuleFile(Rule(", flapping: 2 in 4m"), "rules.yml"));
  for (int i = 0; i < 7; ++i) {
    clock_.Set((kStart + i * kMinute) * 1'000'000);
    Up(i % 2 == 0 && i < 2 ? 0 : 1, 1);
    manager.RunDue();
  }
  std::map<int64_t, std::string> events;
  const auto view = store_.OpenView("_server");
  const auto refs = (*view)->Select({}, {}, {.numeric = false, .strings = true});
  const auto cursor = (*view)->Scan(*refs, {});
  for (model::Column column; *cursor->Next(&column);) {
    for (size_t i = 0; i < column.size(); ++i) {
      events[(column.times[i] / 1'000'000 - kStart) / kMinute] = std::string(column.strings[i]);
    }
  }
  EXPECT_EQ(events, (std::map<int64_t, std::string>{
                        {0, "inactive -> firing, value 0: the condition holds"},
                        {1,
                         "firing -> inactive, value 0: the condition does not hold any more; it flaps, 2 in 4m: "
                         "nobody is told of each change"},
                        {4, "value 0: it does not flap any more: each change is told of again"}}));
}

TEST(FlappingKey, IsReadAndRefused) {
  const auto fault = [](const std::string& rule) {
    const auto groups = ParseRuleFile("groups:\n- name: g\n  rules:\n  - " + rule, "f");
    return groups.ok() ? std::string() : groups.error().message;
  };
  EXPECT_EQ(fault("{alert: A, expr: up > 1, flapping: 4 in 10m}"), "");
  EXPECT_EQ(fault("{alert: A, expr: up > 1, flapping: often}"),
            "f:4:40: flapping is a number of changes (2 to 1000) and the time in which they are too many, as 4 in 10m, "
            "not \"often\"");
  EXPECT_EQ(fault("{record: x, expr: up > 1, flapping: 4 in 10m}"),
            "f:4:41: invalid field 'flapping' in recording rule");
}

}  // namespace
}  // namespace tidemark::query::rules
