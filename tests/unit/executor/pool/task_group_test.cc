#include "executor/pool/task_group.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include "tests/unit/executor/pool/busy_worker.h"

namespace tidemark::executor {
namespace {

size_t Fibonacci(ThreadPool& pool, size_t n) {
  if (n < 2) return n;
  size_t left = 0;
  TaskGroup group(pool, TaskKind::kQuery);
  group.Run([&, n] { left = Fibonacci(pool, n - 1); });
  const size_t right = Fibonacci(pool, n - 2);
  EXPECT_EQ(group.Wait(), TaskGroup::End::kDone);
  return left + right;
}

TEST(TaskGroup, ForkAndJoinFromOutsideAndFromAWorker) {
  ThreadPool pool({.workers = 3});
  EXPECT_EQ(Fibonacci(pool, 12), 144U);
  std::latch done(1);
  size_t result = 0;
  pool.Submit(TaskKind::kQuery, [&] {
    result = Fibonacci(pool, 18);
    done.count_down();
  });
  done.wait();
  EXPECT_EQ(result, 2'584U);
}

TEST(TaskGroup, AllHaveRunWhenWaitReturns) {
  for (const size_t workers : {1, 2, 4}) {
    ThreadPool pool({.workers = workers, .queue_capacity = 8});
    std::atomic<int> ran = 0;
    TaskGroup group(pool, TaskKind::kFlush);
    for (int round = 1; round <= 3; ++round) {
      for (int i = 0; i < 3'000; ++i) group.Run([&] { ran.fetch_add(1, std::memory_order_relaxed); });
      EXPECT_EQ(group.Wait(), TaskGroup::End::kDone);
      EXPECT_EQ(ran, round * 3'000) << workers << " workers";
    }
    pool.Stop();
    EXPECT_EQ(pool.stats().of(TaskKind::kFlush).tasks_finished, 9'000U);
    EXPECT_EQ(pool.stats().of(TaskKind::kFlush).tasks_submitted, 9'000U);
  }
}

TEST(TaskGroup, MoreThanADequeHoldsFromAWorker) {
  ThreadPool pool({.workers = 2});
  std::atomic<int> ran = 0;
  std::latch done(1);
  pool.Submit(TaskKind::kQuery, [&] {
    TaskGroup group(pool, TaskKind::kQuery);
    for (int i = 0; i < 10'000; ++i) group.Run([&] { ran.fetch_add(1, std::memory_order_relaxed); });
    group.Wait();
    EXPECT_EQ(ran, 10'000);
    done.count_down();
  });
  done.wait();
}

TEST(TaskGroup, AGroupEndsWhileItsThreadIsTheOnlyWorker) {
  // Nobody else is there to run the tasks.
  ThreadPool pool({.workers = 1});
  std::latch done(1);
  std::atomic<int> ran = 0;
  pool.Submit(TaskKind::kQuery, [&] {
    TaskGroup group(pool, TaskKind::kQuery);
    for (int i = 0; i < 100; ++i) group.Run([&] { ++ran; });
    group.Wait();
    done.count_down();
  });
  done.wait();
  EXPECT_EQ(ran, 100);
}

TEST(TaskGroup, AWaitingWorkerRunsNothingThatWasSubmittedOtherwise) {
  // The only worker waits for a group that another thread finishes, with a plain task in its deque.
  ThreadPool pool({.workers = 2});
  std::latch stolen(1);
  std::latch plain_done(1);
  std::latch done(1);
  std::atomic<bool> waiting = false;
  std::atomic<bool> ran_inside = false;
  pool.Submit(TaskKind::kQuery, [&] {
    TaskGroup group(pool, TaskKind::kQuery);
    const auto self = std::this_thread::get_id();
    std::latch other_began(1);
    group.Run([&] {
      // On the other worker: this one goes on only when it has begun.
      other_began.count_down();
      stolen.wait();
    });
    other_began.wait();
    pool.Submit(TaskKind::kQuery, [&, self] {
      if (waiting && std::this_thread::get_id() == self) ran_inside = true;
      plain_done.count_down();
    });
    waiting = true;
    // The other worker is let go from outside only, after this one has begun to wait.
    group.Wait();
    waiting = false;
    done.count_down();
  });
  while (!waiting) std::this_thread::yield();
  stolen.count_down();
  done.wait();
  plain_done.wait();
  EXPECT_FALSE(ran_inside);
}

TEST(TaskGroup, WhatHasNotBegunWhenItIsCancelledIsNotRun) {
  ThreadPool pool({.workers = 1});
  BusyWorker busy(pool);
  std::atomic<int> ran = 0;
  TaskGroup group(pool, TaskKind::kQuery);
  for (int i = 0; i < 10; ++i) group.Run([&] { ++ran; });
  group.Cancel();
  EXPECT_TRUE(group.stop_requested());
  busy.LetGo();
  EXPECT_EQ(group.Wait(), TaskGroup::End::kCancelled);
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(group.given_up(), 10U);
}

TEST(TaskGroup, WhatHasNotBegunAtTheDeadlineIsNotRun) {
  ManualClock clock(1'000);
  ThreadPool pool({.workers = 1, .clock = &clock});
  BusyWorker busy(pool);
  std::atomic<int> ran = 0;
  TaskGroup group(pool, TaskKind::kQuery, 2'000);
  group.Run([&] { ++ran; });
  EXPECT_FALSE(group.stop_requested());
  clock.Set(2'000);
  EXPECT_TRUE(group.stop_requested());
  busy.LetGo();
  EXPECT_EQ(group.Wait(), TaskGroup::End::kExpired);
  EXPECT_EQ(ran, 0);
}

TEST(TaskGroup, ATaskMayAddTasks) {
  ThreadPool pool({.workers = 3});
  std::atomic<int> ran = 0;
  TaskGroup group(pool, TaskKind::kQuery);
  for (int i = 0; i < 50; ++i) {
    group.Run([&] {
      for (int k = 0; k < 20; ++k) group.Run([&] { ++ran; });
    });
  }
  group.Wait();
  EXPECT_EQ(ran, 1'000);
}

TEST(TaskGroup, TheGroupMayGoAsSoonAsWaitReturns) {
  // Under a thread or address sanitizer this fails when the last task touches its group too late.
  ThreadPool pool({.workers = 4});
  std::atomic<int> ran = 0;
  for (int i = 0; i < 3'000; ++i) {
    auto group = std::make_unique<TaskGroup>(pool, TaskKind::kQuery);
    group->Run([&] { ++ran; });
    if (i % 3 == 0) std::this_thread::yield();
    group->Wait();
    group.reset();
  }
  EXPECT_EQ(ran, 3'000);
}

TEST(PoolLimits, ACancelledTaskIsGivenUp) {
  ThreadPool pool({.workers = 1});
  BusyWorker busy(pool);
  std::stop_source stop;
  std::vector<ThreadPool::GivenUp> given_up;  // by the only worker
  int ran = 0;
  for (int i = 0; i < 2; ++i) {
    pool.SubmitWithLimits(
        TaskKind::kRule, [&] { ++ran; }, {.stop = i == 0 ? stop.get_token() : std::stop_token()},
        [&](ThreadPool::GivenUp why) { given_up.push_back(why); });
  }
  stop.request_stop();
  busy.LetGo();
  pool.Stop();
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(given_up, std::vector{ThreadPool::GivenUp::kCancelled});
  EXPECT_EQ(pool.stats().of(TaskKind::kRule).tasks_given_up, 1U);
  EXPECT_EQ(pool.stats().of(TaskKind::kRule).tasks_finished, 2U);
}

TEST(PoolLimits, ALateTaskIsGivenUp) {
  ManualClock clock(100);
  ThreadPool pool({.workers = 1, .clock = &clock});
  BusyWorker busy(pool);
  std::vector<ThreadPool::GivenUp> given_up;
  int ran = 0;
  for (const int64_t deadline : {200, 201}) {
    pool.SubmitWithLimits(
        TaskKind::kQuery, [&] { ++ran; }, {.deadline_ns = deadline},
        [&](ThreadPool::GivenUp why) { given_up.push_back(why); });
  }
  pool.SubmitWithLimits(TaskKind::kQuery, [&] { ran += 100; }, {.deadline_ns = 150});
  clock.Set(200);
  busy.LetGo();
  pool.Stop();
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(given_up, std::vector{ThreadPool::GivenUp::kExpired});
  EXPECT_EQ(pool.stats().of(TaskKind::kQuery).tasks_given_up, 2U);
}

TEST(PoolLimits, AFullQueueRefusesAtOnce) {
  ThreadPool pool({.workers = 1, .queue_capacity = 4});
  BusyWorker busy(pool);
  int ran = 0;
  for (int i = 0; i < 4; ++i) {
    ThreadPool::Task task = [&] { ++ran; };
    EXPECT_TRUE(pool.TrySubmit(TaskKind::kQuery, task));
  }
  ThreadPool::Task task = [&] { ran += 100; };
  EXPECT_FALSE(pool.TrySubmit(TaskKind::kQuery, task));
  ASSERT_TRUE(static_cast<bool>(task)) << "the caller keeps what was refused";
  // Another kind has a queue of its own.
  ThreadPool::Task other = [&] { ++ran; };
  EXPECT_TRUE(pool.TrySubmit(TaskKind::kFlush, other));
  busy.LetGo();
  pool.Stop();
  EXPECT_EQ(ran, 5);
  EXPECT_FALSE(pool.TrySubmit(TaskKind::kQuery, task)) << "after Stop";
}

}  // namespace
}  // namespace tidemark::executor
