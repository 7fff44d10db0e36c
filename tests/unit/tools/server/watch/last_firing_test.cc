#include "tools/server/watch/last_firing.h"

#include <gtest/gtest.h>

#include "tests/unit/query/rules/manager_fixture.h"

namespace tidemark::server {
namespace {

class LastFiringTest : public query::rules::ManagerTest {
 protected:
  static constexpr int64_t kStart = query::rules::kStart;
  static constexpr int64_t kMinute = query::rules::kMinute;
};

TEST_F(LastFiringTest, OneThatWasFiringIsToldApartFromOneOfWhichTheEndWasFound) {
  Load("groups: [{name: g, interval: 1m, rules: [{alert: Down, expr: up == 0}]}]");
  down_until_ms_ = kStart + 2 * kMinute;
  Run(kStart);
  Run(kStart + kMinute);
  const model::Labels down{{"alertname", "Down"}, {"job", "a"}};
  auto last = ReadLastFiring(store_, "", kStart - kMinute, kStart + kMinute);
  ASSERT_TRUE(last.ok());
  ASSERT_EQ(last->size(), 1U);
  EXPECT_EQ(last->at(down).last_ms, kStart + kMinute);
  EXPECT_FALSE(last->at(down).ended);
  Run(kStart + 2 * kMinute);
  last = ReadLastFiring(store_, "", kStart, kStart + 2 * kMinute);
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(last->at(down).last_ms, kStart + kMinute);
  EXPECT_TRUE(last->at(down).ended);
}

TEST_F(LastFiringTest, OfADatabaseThatIsNotThereNothingIsKnown) {
  const auto last = ReadLastFiring(store_, "none", kStart, kStart);
  ASSERT_TRUE(last.ok());
  EXPECT_TRUE(last->empty());
}

}  // namespace
}  // namespace tidemark::server
