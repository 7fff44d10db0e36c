#include "tools/server/http/worker_set.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <string>
#include <string_view>
#include <thread>

namespace tidemark::http {
namespace {

// Keeps a worker busy until it is let go.
class Hold {
 public:
  WorkerSet::Task Task() {
    return [this] {
      began_.count_down();
      end_.wait();
    };
  }
  void AwaitBegin() { began_.wait(); }
  void LetGo() { end_.count_down(); }

 private:
  std::latch began_{1};
  std::latch end_{1};
};

TEST(WorkerSetTest, RunsEverythingBeforeItStops) {
  std::atomic<int> ran{0};
  {
    WorkerSet workers("test", 3, 1000);
    for (int i = 0; i < 1000; ++i) {
      while (!workers.TrySubmit([&] { ++ran; })) std::this_thread::yield();
    }
  }
  EXPECT_EQ(ran, 1000);
}

TEST(WorkerSetTest, RefusesWhatTheQueueDoesNotHold) {
  WorkerSet workers("test", 1, 2);
  Hold hold;
  ASSERT_TRUE(workers.TrySubmit(hold.Task()));
  hold.AwaitBegin();
  std::atomic<int> ran{0};
  EXPECT_TRUE(workers.TrySubmit([&] { ++ran; }));
  EXPECT_TRUE(workers.TrySubmit([&] { ++ran; }));
  EXPECT_FALSE(workers.TrySubmit([&] { ++ran; }));
  EXPECT_EQ(workers.queued(), 2U);
  hold.LetGo();
  workers.Stop();
  EXPECT_EQ(ran, 2);
  EXPECT_FALSE(workers.TrySubmit([&] { ++ran; }));
}

TEST(WorkerSetTest, SourcesWaitInTurns) {
  WorkerSet workers("turns", 1, 8);
  Hold hold;
  ASSERT_TRUE(workers.TrySubmit(hold.Task()));
  hold.AwaitBegin();
  std::string order;
  const auto submit = [&](char what, std::string_view source) {
    return workers.TrySubmit([&order, what] { order += what; }, source);
  };
  // One source alone gets half of the places.
  for (const char what : {'a', 'b', 'c', 'd'}) EXPECT_TRUE(submit(what, "many")) << what;
  EXPECT_FALSE(submit('e', "many"));
  // Others find places all the same, and are served in between.
  EXPECT_TRUE(submit('1', "few"));
  EXPECT_TRUE(submit('2', "few"));
  EXPECT_FALSE(submit('3', "few")) << "there are as few left as it has";
  EXPECT_TRUE(submit('x', "new"));
  EXPECT_TRUE(submit('y', "newer"));
  EXPECT_FALSE(submit('z', "newest")) << "all are taken";
  EXPECT_EQ(workers.queued(), 8U);
  hold.LetGo();
  workers.Stop();
  EXPECT_EQ(order, "a1xyb2cd");
}

TEST(WorkerSetTest, AddsThreadsWhileAllOfThoseThatAreKeptAreBusy) {
  WorkerSet workers("test", WorkerSet::Threads{.kept = 1, .most = 3}, 1);
  Hold holds[3];
  for (Hold& hold : holds) {
    ASSERT_TRUE(workers.TrySubmit(hold.Task()));
    hold.AwaitBegin();
  }
  EXPECT_EQ(workers.threads(), 3U);
  std::atomic<int> ran{0};
  EXPECT_TRUE(workers.TrySubmit([&] { ++ran; })) << "waits in the queue";
  EXPECT_FALSE(workers.TrySubmit([&] { ++ran; })) << "no fourth thread";
  for (Hold& hold : holds) hold.LetGo();
  workers.Stop();
  EXPECT_EQ(ran, 1);
}

// Reservations are for threads that stand by, whether or not they are kept.
TEST(WorkerSetTest, ThreadsThatWereAddedServeAgain) {
  WorkerSet workers("test", WorkerSet::Threads{.kept = 1, .most = 2}, 10);
  for (int round = 0; round < 50; ++round) {
    Hold first;
    Hold second;
    ASSERT_TRUE(workers.TrySubmit(first.Task()));
    ASSERT_TRUE(workers.TrySubmit(second.Task()));
    first.AwaitBegin();
    second.AwaitBegin();
    first.LetGo();
    second.LetGo();
    while (workers.idle() != 2) std::this_thread::yield();
    ASSERT_TRUE(workers.TryReserve());
    ASSERT_TRUE(workers.TryReserve());
    EXPECT_FALSE(workers.TryReserve());
    workers.CancelReservation();
    workers.CancelReservation();
  }
  EXPECT_EQ(workers.threads(), 2U);
}

TEST(WorkerSetTest, NowMeansThatAThreadIsFree) {
  WorkerSet workers("test", 2, 100);
  Hold first;
  Hold second;
  // Free threads are found even before they have begun to wait.
  ASSERT_TRUE(workers.TrySubmitNow(first.Task()));
  ASSERT_TRUE(workers.TrySubmitNow(second.Task()));
  first.AwaitBegin();
  second.AwaitBegin();
  EXPECT_FALSE(workers.TrySubmitNow([] {}));
  EXPECT_EQ(workers.queued(), 0U);
  first.LetGo();
  while (!workers.TrySubmitNow([] {})) std::this_thread::yield();
  second.LetGo();
}

TEST(WorkerSetTest, TheThreadThatBecameIdleLastGoesFirst) {
  WorkerSet workers("test", 4, 100);
  const auto await_idle = [&](size_t count) {
    while (workers.idle() != count) std::this_thread::yield();
  };
  await_idle(4);
  std::thread::id last;
  Hold hold;
  ASSERT_TRUE(workers.TrySubmit([&, task = hold.Task()]() mutable {
    last = std::this_thread::get_id();
    task();
  }));
  hold.AwaitBegin();
  await_idle(3);
  hold.LetGo();
  for (int i = 0; i < 20; ++i) {
    await_idle(4);
    std::thread::id used;
    ASSERT_TRUE(workers.TrySubmit([&] { used = std::this_thread::get_id(); }));
    await_idle(4);
    EXPECT_EQ(used, last);
  }
}

}  // namespace
}  // namespace tidemark::http
