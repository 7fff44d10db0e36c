#include "query/run/turns.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "storage/base/background.h"
#include "storage/base/clock.h"

namespace tidemark::query::run {
namespace {

Status Never() { return {}; }

// Everything is long at once, in one place.
TurnOptions OnePlace(const Clock* clock) {
  return {.places_alone = 1, .places = 1, .grace_ns = 0, .turn_ns = 1000, .clock = clock};
}

// Returns once so many wait.
void AwaitWaiters(const Turns& turns, size_t count) {
  while (turns.stats().waiting < count) std::this_thread::yield();
}

TEST(TurnsTest, ShortQueriesNeverWait) {
  Turns turns({.places_alone = 1, .places = 1, .grace_ns = 1'000'000'000'000});
  Turn a(&turns);
  Turn b(&turns);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(a.Pass(Never).ok());
    EXPECT_TRUE(b.Pass(Never).ok());
  }
  EXPECT_EQ(turns.stats().long_queries, 0U);
  Turn free_of_all(nullptr);
  EXPECT_TRUE(free_of_all.Pass(Never).ok());
}

TEST(TurnsTest, LongOnesTakeTurns) {
  ManualClock clock(1'000'000);
  Turns turns(OnePlace(&clock));
  Turn first(&turns);
  ASSERT_TRUE(first.Pass(Never).ok());
  std::atomic<bool> second_runs{false};
  std::thread thread([&] {
    Turn second(&turns);
    EXPECT_TRUE(second.Pass(Never).ok());
    second_runs = true;
  });
  AwaitWaiters(turns, 1);
  // Not before its time is over.
  ASSERT_TRUE(first.Pass(Never).ok());
  EXPECT_EQ(turns.stats().waiting, 1U);
  EXPECT_FALSE(second_runs);
  clock.Advance(1000);
  // Lets the second go first, and comes back when it has ended.
  ASSERT_TRUE(first.Pass(Never).ok());
  EXPECT_TRUE(second_runs);
  thread.join();
  EXPECT_EQ(turns.stats().long_queries, 1U);
}

// All in one place at once, and each comes by again when its time is over: without memory pressure the one that has run
// goes behind the others, with it the oldest goes on.
std::vector<int> OrderOfEnds(const MemoryTotal* memory) {
  ManualClock clock(1'000'000);
  TurnOptions options = OnePlace(&clock);
  options.memory = memory;
  Turns turns(options);
  std::vector<int> ends;
  auto first = std::make_unique<Turn>(&turns);
  EXPECT_TRUE(first->Pass(Never).ok());
  std::vector<std::jthread> others;
  for (int i = 1; i <= 2; ++i) {
    others.emplace_back([&, i] {
      Turn turn(&turns);
      EXPECT_TRUE(turn.Pass(Never).ok());
      ends.push_back(i);  // one at a time has the place
    });
    AwaitWaiters(turns, static_cast<size_t>(i));
  }
  clock.Advance(1000);
  EXPECT_TRUE(first->Pass(Never).ok());
  ends.push_back(0);
  first.reset();
  others.clear();
  return ends;
}

TEST(TurnsTest, WhileMemoryIsShortTheOldestGoesOn) {
  MemoryTotal memory(1000);
  memory.TakeAnyway(400);
  EXPECT_EQ(OrderOfEnds(nullptr), (std::vector<int>{1, 2, 0}));
  EXPECT_EQ(OrderOfEnds(&memory), (std::vector<int>{1, 2, 0}));
  memory.TakeAnyway(200);
  EXPECT_EQ(OrderOfEnds(&memory), (std::vector<int>{0, 1, 2}));
}

TEST(TurnsTest, WhileMemoryIsShortClientsStillTakeTurns) {
  ManualClock clock(1'000'000);
  MemoryTotal memory(1000);
  memory.TakeAnyway(900);
  TurnOptions options = OnePlace(&clock);
  options.memory = &memory;
  Turns turns(options);
  Turn first(&turns, Turn::Work::kQuery, {}, 1);
  ASSERT_TRUE(first.Pass(Never).ok());
  std::atomic<bool> second_ran{false};
  std::jthread other([&] {
    Turn second(&turns, Turn::Work::kQuery, {}, 2);
    EXPECT_TRUE(second.Pass(Never).ok());
    second_ran = true;
  });
  AwaitWaiters(turns, 1);
  clock.Advance(1000);
  ASSERT_TRUE(first.Pass(Never).ok());
  EXPECT_TRUE(second_ran);
}

TEST(TurnsTest, RestGivesThePlaceAway) {
  ManualClock clock(1'000'000);
  Turns turns(OnePlace(&clock));
  Turn first(&turns, Turn::Work::kWriting);
  ASSERT_TRUE(first.Pass(Never).ok());
  first.Rest();
  std::thread([&] {
    Turn second(&turns);
    EXPECT_TRUE(second.Pass(Never).ok());
  }).join();
  ASSERT_TRUE(first.Pass(Never).ok());
}

// Returns once so many wait to be long.
void AwaitEntering(const Turns& turns, size_t count) {
  while (turns.stats().entering != count) std::this_thread::yield();
}

TurnOptions OneLong(const Clock* clock, size_t waiting_max) {
  TurnOptions options = OnePlace(clock);
  options.places_alone = 2;
  options.places = 2;
  options.long_queries_max = 1;
  options.waiting_max = waiting_max;
  return options;
}

// A query on a thread of its own: long at once, and at its end where it may go on.
class Asked {
 public:
  Asked(Turns* turns, uint64_t client, std::vector<uint64_t>* order = nullptr)
      : thread_([=, this] {
          Turn turn(turns, Turn::Work::kQuery, {}, client);
          status_ = turn.Pass(Never);
          if (order != nullptr) order->push_back(client);  // one at a time is long
        }) {}
  // Once it has ended.
  const Status& status() {
    if (thread_.joinable()) thread_.join();
    return status_;
  }

 private:
  Status status_;
  std::jthread thread_;
};

TEST(TurnsTest, MoreLongOnesWaitUntilOneHasEnded) {
  ManualClock clock(1'000'000);
  Turns turns(OneLong(&clock, 10));
  auto first = std::make_unique<Turn>(&turns);
  ASSERT_TRUE(first->Pass(Never).ok());
  Asked second(&turns, 0);
  AwaitEntering(turns, 1);
  // Writing has begun its reply, and neither waits here nor is refused.
  std::thread([&] {
    Turn writing(&turns, Turn::Work::kWriting);
    EXPECT_TRUE(writing.Pass(Never).ok());
  }).join();
  EXPECT_EQ(turns.stats().long_queries, 1U);
  first.reset();
  EXPECT_TRUE(second.status().ok());
  EXPECT_EQ(turns.stats().refused, 0U);
  EXPECT_EQ(turns.stats().entering, 0U);
}

TEST(TurnsTest, ClientsTakeTurnsToBeLong) {
  ManualClock clock(1'000'000);
  Turns turns(OneLong(&clock, 10));
  std::vector<uint64_t> order;
  std::vector<std::unique_ptr<Asked>> asked;
  auto first = std::make_unique<Turn>(&turns);
  ASSERT_TRUE(first->Pass(Never).ok());
  for (const uint64_t client : {1, 1, 1, 1, 2, 3, 3}) {
    asked.push_back(std::make_unique<Asked>(&turns, client, &order));
    AwaitEntering(turns, asked.size());
  }
  first.reset();
  for (const auto& each : asked) EXPECT_TRUE(each->status().ok());
  EXPECT_EQ(order, (std::vector<uint64_t>{1, 2, 3, 1, 3, 1, 1}));
}

TEST(TurnsTest, WhenTheQueueIsFullTheClientThatWaitsForMostIsRefused) {
  ManualClock clock(1'000'000);
  Turns turns(OneLong(&clock, 3));
  auto first = std::make_unique<Turn>(&turns);
  ASSERT_TRUE(first->Pass(Never).ok());
  std::vector<std::unique_ptr<Asked>> greedy;
  for (size_t i = 1; i <= 3; ++i) {
    greedy.push_back(std::make_unique<Asked>(&turns, 1));
    AwaitEntering(turns, i);
  }
  // Of the same client: itself.
  Asked more(&turns, 1);
  ASSERT_FALSE(more.status().ok());
  EXPECT_EQ(more.status().error().code, ErrorCode::kResourceExhausted);
  EXPECT_NE(more.status().error().message.find("1 long queries run and 3 wait"), std::string::npos)
      << more.status().error().message;
  // Of another one: the last of the greedy one.
  Asked other(&turns, 2);
  ASSERT_FALSE(greedy.back()->status().ok());
  EXPECT_EQ(turns.stats().refused, 2U);
  first.reset();
  EXPECT_TRUE(other.status().ok());
  EXPECT_TRUE(greedy[0]->status().ok());
  EXPECT_TRUE(greedy[1]->status().ok());
}

TEST(TurnsTest, WhoWaitsUntilItsTimeoutIsToldThatTheServerIsBusy) {
  ManualClock clock(1'000'000);
  Turns turns(OneLong(&clock, 3));
  Turn first(&turns);
  ASSERT_TRUE(first.Pass(Never).ok());
  const auto refused_with = [&turns](ErrorCode code) {
    Status status;
    std::thread([&] {
      Turn second(&turns);
      status = second.Pass([code] { return Status(MakeError(code, "it is over")); });
    }).join();
    return status.error();
  };
  const Error late = refused_with(ErrorCode::kTimeout);
  EXPECT_EQ(late.code, ErrorCode::kResourceExhausted) << "503 with Retry-After: the query itself is not to blame";
  EXPECT_NE(late.message.find("waited for its turn until its timeout"), std::string::npos) << late.message;
  EXPECT_EQ(refused_with(ErrorCode::kCancelled).code, ErrorCode::kCancelled);
  EXPECT_EQ(turns.stats().entering, 0U);
}

TEST(TurnsTest, WhoeverIsInterruptedStopsWaiting) {
  ManualClock clock(1'000'000);
  Turns turns(OnePlace(&clock));
  Turn first(&turns);
  ASSERT_TRUE(first.Pass(Never).ok());
  std::thread([&] {
    Turn second(&turns);
    const Status status = second.Pass([] { return Status(MakeError(ErrorCode::kCancelled, "stopped")); });
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  }).join();
  EXPECT_EQ(turns.stats().waiting, 0U);
}

TEST(TurnsTest, HelpersNeverWaitAndLeaveWhenSomebodyDoes) {
  ManualClock clock(1'000'000);
  TurnOptions options = OnePlace(&clock);
  options.places_alone = 2;
  options.places = 1;
  Turns turns(options);
  // Nobody short has come for a while: two places.
  clock.Advance(options.quiet_ns);
  Turn turn(&turns);
  Turn::Place own(&turn);
  EXPECT_TRUE(own.MayGoOn());
  ASSERT_TRUE(turn.Pass(Never).ok());
  std::thread([&] {
    Turn::Place helper(&turn);
    EXPECT_TRUE(helper.MayGoOn());
    {
      Turn::Place third(&turn);
      EXPECT_FALSE(third.MayGoOn()) << "no third place";
    }
    std::thread other([&] {
      Turn waiting(&turns);
      EXPECT_TRUE(waiting.Pass(Never).ok());
    });
    AwaitWaiters(turns, 1);
    EXPECT_FALSE(helper.MayGoOn()) << "somebody waits";
    other.join();
    EXPECT_TRUE(helper.MayGoOn());
    // A short query ends: one place only.
    {
      const Turn brief(&turns);
    }
    EXPECT_FALSE(helper.MayGoOn());
  }).join();
  EXPECT_TRUE(own.MayGoOn()) << "the caller goes on, whatever happens";
}

// Its own thread and those of the pool, which all need to see that they should stop.
TEST(TurnsTest, WhatIsToldToStopLeavesTheBackground) {
  if (HowBackgroundWorks() != BackgroundMeans::kIdleClass) GTEST_SKIP() << "this process may not leave the idle class";
  ManualClock clock(1'000'000);
  TurnOptions options = OnePlace(&clock);
  options.places_alone = 2;
  options.places = 2;
  Turns turns(options);
  std::stop_source stop;
  const auto compute_until_out = [] {
    while (sched_getscheduler(0) == SCHED_IDLE) {
    }
  };
  Turn turn(&turns, Turn::Work::kQuery, {.deadline_ns = 0, .stop = stop.get_token()});
  // Made before this thread is in the background: a thread begins in the class of the one that makes it.
  std::atomic<bool> is_long{false};
  std::thread helping([&] {
    is_long.wait(false);
    Turn::Place helper(&turn);
    ASSERT_TRUE(helper.MayGoOn());
    stop.request_stop();
    compute_until_out();
  });
  ASSERT_TRUE(turn.Pass(Never).ok());
  is_long = true;
  is_long.notify_one();
  helping.join();
  compute_until_out();
}

// Many threads, places never overdrawn.
TEST(TurnsTest, NoMoreThanThereArePlaces) {
  Turns turns({.places_alone = 2, .places = 2, .grace_ns = 0, .turn_ns = 0});
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        Turn turn(&turns);
        ASSERT_TRUE(turn.Pass(Never).ok());
        const int now = ++running;
        int seen = most.load();
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        --running;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most.load(), 2);
  EXPECT_EQ(turns.stats().long_queries, 0U);
  EXPECT_EQ(turns.stats().waiting, 0U);
}

}  // namespace
}  // namespace tidemark::query::run
