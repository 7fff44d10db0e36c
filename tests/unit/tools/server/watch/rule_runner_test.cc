// The threads that evaluate rules.
#include "tools/server/watch/rule_runner.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "query/engine/engine.h"
#include "tests/unit/query/api/memory_store.h"

namespace tidemark::server {
namespace {

constexpr int64_t kStartMs = 1'700'000'000'000;

// One group's query hangs for good; the other one goes on being evaluated by other threads, and is told of.
TEST(RuleRunner, AGroupThatHangsDelaysNoOther) {
  std::mutex mutex;
  std::condition_variable changed;
  bool hung = false;
  bool answer = false;
  int told = 0;
  MemoryStore store;
  ManualClock clock{kStartMs * 1'000'000};
  InlineScheduler scheduler;
  query::rules::Manager manager({.store = &store,
                                 .sink = &store,
                                 .scheduler = &scheduler,
                                 .clock = &clock,
                                 .execute =
                                     [&](const auto& expr, const auto& at, const auto& context) {
                                       if (query::promql::TryAs<query::promql::BinaryExpr>(expr) != nullptr) {
                                         std::unique_lock lock(mutex);
                                         hung = true;
                                         changed.notify_all();
                                         changed.wait(lock, [&] { return answer; });
                                       }
                                       return query::engine::Execute(expr, at, context);
                                     }},
                                {});
  manager.SetGroups(
      *query::rules::ParseRuleFile("{groups: [{name: slow, interval: 1s, rules: [{record: x, expr: vector(1) + 1}]},"
                                   " {name: quick, interval: 1s, rules: [{alert: Always, expr: vector(1)}]}]}",
                                   "rules.yml"));
  RuleRunner runner(&manager, &clock, "", {}, [&](const auto& alerts) {
    const std::lock_guard lock(mutex);
    for (const auto& alert : alerts) told += alert.labels == model::Labels{{"alertname", "Always"}} ? 1 : 0;
    changed.notify_all();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return hung && told == 1; });
  for (int round = 2; round < 5; ++round) {
    clock.Advance(1'000'000'000);
    changed.wait(lock, [&] { return told >= round; });
  }
  EXPECT_EQ(manager.Status().groups[0].evaluations, 0U) << "hangs";
  EXPECT_GE(manager.Status().groups[1].evaluations, 4U);
  answer = true;
  changed.notify_all();
  lock.unlock();
  runner.Stop();
  EXPECT_GE(manager.Status().groups[0].evaluations, 1U) << "Stop lets an evaluation finish; it may be due again before";
}

}  // namespace
}  // namespace tidemark::server
