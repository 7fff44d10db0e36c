#include "query/run/turns.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

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

TEST(TurnsTest, TooManyAreRefused) {
  ManualClock clock(1'000'000);
  TurnOptions options = OnePlace(&clock);
  options.places_alone = 2;
  options.places = 2;
  options.long_queries_max = 1;
  Turns turns(options);
  Turn first(&turns);
  ASSERT_TRUE(first.Pass(Never).ok());
  std::thread([&] {
    {
      Turn second(&turns);
      const Status status = second.Pass(Never);
      ASSERT_FALSE(status.ok());
      EXPECT_EQ(status.error().code, ErrorCode::kResourceExhausted);
      EXPECT_NE(status.error().message.find("1 long queries run already"), std::string::npos) << status.error().message;
    }
    // Writing has begun its reply and cannot be refused.
    Turn writing(&turns, Turn::Work::kWriting);
    EXPECT_TRUE(writing.Pass(Never).ok());
  }).join();
  EXPECT_EQ(turns.stats().refused, 1U);
  EXPECT_EQ(turns.stats().long_queries, 1U);
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
