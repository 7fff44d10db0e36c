// The dead man's ping: called while alerts are evaluated and told of, and not otherwise.
#include "tools/server/watch/watchdog.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "query/engine/engine.h"
#include "query/rules/manager.h"
#include "tests/unit/query/api/memory_store.h"
#include "tools/server/watch/rule_notices.h"

namespace tidemark::server {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

class WatchdogTest : public ::testing::Test {
 protected:
  // One interval later.
  uint64_t CallsAfter(int64_t seconds, bool heard) {
    clock_.Advance(seconds * kSecondNs);
    if (heard) watchdog_.Heard();
    const int before = called_;
    watchdog_.Round();
    return static_cast<uint64_t>(called_ - before);
  }

  ManualClock clock_{1'700'000'000 * kSecondNs};
  WatchdogFacts facts_;
  Result<void> answer_;
  int called_ = 0;
  Watchdog watchdog_{&clock_, 60 * kSecondNs, [this] { return facts_; },
                     [this](const std::atomic<bool>*) {
                       ++called_;
                       return answer_;
                     }};
};

TEST_F(WatchdogTest, IsCalledWhileTheRuleIsHeardOf) {
  EXPECT_EQ(CallsAfter(0, false), 0U) << "nothing has been evaluated yet";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(CallsAfter(30, true), 1U);
  EXPECT_EQ(CallsAfter(59, false), 1U);
  EXPECT_EQ(CallsAfter(1, false), 0U);
  EXPECT_EQ(watchdog_.Stats().held_for, "the rule that always fires has not been heard of for 60 s");
  EXPECT_EQ(CallsAfter(60, false), 0U);
  EXPECT_EQ(CallsAfter(60, true), 1U) << "it works again";
  EXPECT_EQ(watchdog_.Stats().held_for, "");
  EXPECT_EQ(watchdog_.Stats().calls, 7U);
  EXPECT_EQ(watchdog_.Stats().held, 3U);
}

TEST_F(WatchdogTest, IsNotCalledWhileAReceiverTakesNothing) {
  facts_.failing = {"pager"};
  EXPECT_EQ(CallsAfter(60, true), 1U) << "a failure passes by";
  facts_.failing = {};
  EXPECT_EQ(CallsAfter(60, true), 1U);
  facts_.failing = {"pager"};
  EXPECT_EQ(CallsAfter(60, true), 1U);
  EXPECT_EQ(CallsAfter(60, true), 1U) << "the time begins anew";
  facts_.failing = {"mail", "pager"};
  EXPECT_EQ(CallsAfter(60, true), 0U);
  EXPECT_EQ(watchdog_.Stats().held_for, "pager has not taken what is sent for 120 s");
  facts_.failing = {"mail"};
  EXPECT_EQ(CallsAfter(30, true), 1U);
}

TEST_F(WatchdogTest, IsNotCalledWhileAlertsCannotBeStored) {
  facts_.fault = "alerts cannot be stored: the disk is full";
  EXPECT_EQ(CallsAfter(60, true), 0U);
  EXPECT_EQ(watchdog_.Stats().held_for, facts_.fault);
}

TEST_F(WatchdogTest, ACallThatFailsIsCountedAndTheNextIsMade) {
  answer_ = MakeError(ErrorCode::kUnavailable, "it answered 500");
  EXPECT_EQ(CallsAfter(60, true), 1U);
  EXPECT_EQ(watchdog_.Stats().failed, 1U);
  answer_ = {};
  EXPECT_EQ(CallsAfter(60, true), 1U);
  EXPECT_EQ(watchdog_.Stats().calls, 1U);
}

// The rule itself, through evaluation and what is told of it.
TEST_F(WatchdogTest, TheRuleAlwaysFiresUnlessItCannotBeEvaluated) {
  MemoryStore store;
  InlineScheduler scheduler;
  query::rules::Manager manager(
      {.store = &store, .sink = &store, .scheduler = &scheduler, .clock = &clock_, .execute = &query::engine::Execute},
      {});
  manager.SetGroups(*query::rules::ParseRuleFile(WatchdogRuleText(), "tidemark"));
  RuleNotices notices;
  const auto heard = [&] {
    clock_.Advance(15 * kSecondNs);
    manager.RunDue();
    int count = 0;
    for (const auto& alert : notices.Since(manager.Status(), clock_.NowNs() / 1'000'000)) {
      count += alert.labels == model::Labels{{"alertname", std::string(kWatchdogAlert)}} ? 1 : 0;
    }
    return count;
  };
  for (int i = 0; i < 5; ++i) EXPECT_EQ(heard(), 1) << i;
  EXPECT_EQ(WatchdogRuleFault(manager.Status()), "");
  store.fail_with = MakeError(ErrorCode::kUnavailable, "the disk is full");
  heard();
  EXPECT_EQ(WatchdogRuleFault(manager.Status()), "the rule that always fires cannot be evaluated: the disk is full");
  EXPECT_EQ(WatchdogRuleFault({}), "the rule that always fires is not in force");
}

// Its own thread, by the clock of the test.
TEST_F(WatchdogTest, RunsByItselfUntilItIsStopped) {
  std::atomic<int> calls = 0;
  Watchdog watchdog(
      &clock_, kSecondNs, [] { return WatchdogFacts(); },
      [&](const std::atomic<bool>*) {
        ++calls;
        return Result<void>();
      });
  watchdog.Start();
  while (calls < 2) {
    watchdog.Heard();
    clock_.Advance(kSecondNs);
    std::this_thread::yield();
  }
  watchdog.Stop();
  const int made = calls;
  clock_.Advance(10 * kSecondNs);
  watchdog.Stop();
  EXPECT_EQ(calls, made);
}

}  // namespace
}  // namespace tidemark::server
