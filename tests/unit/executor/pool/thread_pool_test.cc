#include "executor/pool/thread_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "tests/unit/executor/pool/busy_worker.h"

namespace tidemark::executor {
namespace {

TEST(ThreadPoolTest, RunsWhatIsSubmitted) {
  std::atomic<int> ran = 0;
  {
    ThreadPool pool({.workers = 3});
    for (int i = 0; i < 1000; ++i) pool.Submit(TaskKind::kFlush, [&] { ++ran; });
  }
  EXPECT_EQ(ran, 1000);
}

TEST(ThreadPoolTest, ZeroWorkersMeansAsManyAsMayRun) {
  ThreadPool pool;
  EXPECT_GE(pool.concurrency(), 1U);
  EXPECT_EQ(pool.stats().workers, pool.concurrency());
}

TEST(ThreadPoolTest, TasksFromOutsideStartNearlyInOrder) {
  std::vector<int> order;
  {
    ThreadPool pool({.workers = 1});
    for (int i = 0; i < 1000; ++i) pool.Submit(TaskKind::kRule, [&order, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 1000U);
  // A look from the other end, once in a while, lets a task overtake those that a worker has taken before it.
  for (int i = 0; i < 1000; ++i) EXPECT_NEAR(order[static_cast<size_t>(i)], i, 32);
}

TEST(ThreadPoolTest, UrgentKindsRunFirst) {
  std::vector<TaskKind> order;
  {
    ThreadPool pool({.workers = 1});
    BusyWorker busy(pool);
    for (const TaskKind kind : {TaskKind::kBackground, TaskKind::kRule, TaskKind::kFlush, TaskKind::kQuery}) {
      for (int i = 0; i < 3; ++i) pool.Submit(kind, [&order, kind] { order.push_back(kind); });
    }
    busy.LetGo();
  }
  ASSERT_EQ(order.size(), 12U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(ThreadPoolTest, NoKindStarves) {
  ThreadPool pool({.workers = 1});
  BusyWorker busy(pool);
  std::atomic<bool> background_ran = false;
  std::latch done(1);
  pool.Submit(TaskKind::kBackground, [&] { background_ran = true; });
  // A chain of queries that ends only once the background task has run.
  std::function<void()> chain = [&] {
    if (background_ran) {
      done.count_down();
    } else {
      pool.Submit(TaskKind::kQuery, [&] { chain(); });
    }
  };
  pool.Submit(TaskKind::kQuery, [&] { chain(); });
  busy.LetGo();
  done.wait();
  pool.Stop();
  EXPECT_TRUE(background_ran);
}

TEST(ThreadPoolTest, BackgroundWorkLeavesOneWorkerFree) {
  ThreadPool pool({.workers = 3});
  BusyWorker first(pool, TaskKind::kBackground);
  BusyWorker second(pool, TaskKind::kBackground);
  std::atomic<bool> third_ran = false;
  pool.Submit(TaskKind::kBackground, [&] { third_ran = true; });
  std::latch query_ran(1);
  pool.Submit(TaskKind::kQuery, [&] { query_ran.count_down(); });
  query_ran.wait();
  EXPECT_FALSE(third_ran);
  first.LetGo();
  second.LetGo();
  pool.Stop();
  EXPECT_TRUE(third_ran);
}

TEST(ThreadPoolTest, SubmitFromOutsideWaitsForRoom) {
  ThreadPool pool({.workers = 1, .queue_capacity = 2});
  BusyWorker busy(pool);
  std::atomic<int> submitted = 0, ran = 0;
  std::thread submitter([&] {
    for (int i = 0; i < 3; ++i) {
      pool.Submit(TaskKind::kFlush, [&] { ++ran; });
      ++submitted;
    }
  });
  // Two fit; the third has to wait as long as the worker is busy.
  while (submitted < 2) std::this_thread::yield();
  EXPECT_EQ(submitted, 2);
  // Queues are per kind: a full one does not hold up another.
  pool.Submit(TaskKind::kBackground, [&] { ++ran; });
  busy.LetGo();
  submitter.join();
  pool.Stop();
  EXPECT_EQ(ran, 4);
}

TEST(ThreadPoolTest, AWorkerWithFullQueuesRunsTheTaskItself) {
  std::atomic<int> ran = 0;
  {
    ThreadPool pool({.workers = 1, .queue_capacity = 1});
    pool.Submit(TaskKind::kFlush, [&] {
      for (int i = 0; i < 5000; ++i) pool.Submit(TaskKind::kFlush, [&] { ++ran; });
    });
  }
  EXPECT_EQ(ran, 5000);
}

TEST(ThreadPoolTest, StopRunsWhatTasksSubmitMeanwhile) {
  ThreadPool pool({.workers = 2});
  std::atomic<int> ran = 0;
  std::function<void(int)> grow = [&](int depth) {
    ++ran;
    if (depth == 0) return;
    for (int i = 0; i < 2; ++i) pool.Submit(TaskKind::kBackground, [&, depth] { grow(depth - 1); });
  };
  pool.Submit(TaskKind::kBackground, [&] { grow(10); });
  pool.Stop();
  EXPECT_EQ(ran, (1 << 11) - 1);
  pool.Stop();
}

TEST(ThreadPoolTest, StopLetsBlockedSubmittersGo) {
  ThreadPool pool({.workers = 1, .queue_capacity = 1});
  BusyWorker busy(pool);
  std::atomic<int> ran = 0;
  std::vector<std::thread> submitters;
  for (int i = 0; i < 4; ++i) submitters.emplace_back([&] { pool.Submit(TaskKind::kQuery, [&] { ++ran; }); });
  std::thread stopper([&] { pool.Stop(); });
  busy.LetGo();
  for (std::thread& submitter : submitters) submitter.join();
  stopper.join();
  EXPECT_EQ(ran, 4);
}

TEST(ThreadPoolTest, WorkSubmittedAfterStopRunsOnTheCaller) {
  ThreadPool pool({.workers = 2});
  pool.Stop();
  std::thread::id ran_on;
  pool.Submit(TaskKind::kQuery, [&] { ran_on = std::this_thread::get_id(); });
  EXPECT_EQ(ran_on, std::this_thread::get_id());
  std::atomic<int> iterations = 0;
  pool.ParallelFor(TaskKind::kQuery, 100, [&](size_t) { ++iterations; });
  EXPECT_EQ(iterations, 100);
  EXPECT_EQ(pool.stats().of(TaskKind::kQuery).tasks_finished, 1U);
}

TEST(ThreadPoolTest, ParallelForCallsEachIndexOnce) {
  ThreadPool pool({.workers = 4});
  for (const size_t count : {0UL, 1UL, 2UL, 3UL, 7UL, 255UL, 256UL, 257UL, 1000UL, 100'003UL}) {
    std::vector<std::atomic<int>> calls(count);
    pool.ParallelFor(TaskKind::kQuery, count, [&](size_t i) { ++calls[i]; });
    EXPECT_TRUE(std::all_of(calls.begin(), calls.end(), [](const auto& n) { return n == 1; })) << count;
  }
}

TEST(ThreadPoolTest, ParallelForRunsOnSeveralThreadsAtOnce) {
  ThreadPool pool({.workers = 3});
  ASSERT_EQ(pool.concurrency(), 3U);
  // Ends only if three threads are inside at the same time.
  std::latch together(3);
  pool.ParallelFor(TaskKind::kQuery, 3, [&](size_t) { together.arrive_and_wait(); });
  std::latch again(3);
  std::latch finished(1);
  pool.Submit(TaskKind::kQuery, [&] {
    pool.ParallelFor(TaskKind::kQuery, 3, [&](size_t) { again.arrive_and_wait(); });
    finished.count_down();
  });
  finished.wait();
}

TEST(ThreadPoolTest, ParallelForIsDoneByTheCallerWhenAllWorkersAreBusy) {
  ThreadPool pool({.workers = 2});
  BusyWorker first(pool);
  BusyWorker second(pool);
  size_t sum = 0;  // one thread only: no synchronisation needed
  pool.ParallelFor(TaskKind::kQuery, 1000, [&](size_t i) { sum += i; });
  EXPECT_EQ(sum, 499'500U);
  first.LetGo();
  second.LetGo();
}

TEST(ThreadPoolTest, NestedLoopsComplete) {
  ThreadPool pool({.workers = 4});
  std::atomic<size_t> calls = 0;
  pool.ParallelFor(TaskKind::kQuery, 8, [&](size_t) {
    pool.ParallelFor(TaskKind::kQuery, 8, [&](size_t) {
      pool.ParallelFor(TaskKind::kFlush, 8, [&](size_t) { calls.fetch_add(1, std::memory_order_relaxed); });
    });
  });
  EXPECT_EQ(calls, 512U);
}

TEST(ThreadPoolTest, AWaitingCallerHelpsWithTheLoopsOfItsIterations) {
  ThreadPool pool({.workers = 2});
  // One thread takes iteration 0 or 1 and starts a loop that ends only when two threads are inside it. Whichever
  // thread ends its own iteration early has to come and help.
  for (size_t round = 0; round < 200; ++round) {
    std::latch both_drawn(2);
    pool.ParallelFor(TaskKind::kQuery, 2, [&](size_t i) {
      both_drawn.arrive_and_wait();
      if (i != round % 2) return;
      std::latch together(2);
      pool.ParallelFor(TaskKind::kQuery, 2, [&](size_t) { together.arrive_and_wait(); });
    });
  }
}

TEST(ThreadPoolTest, AWaitingCallerDoesNotRunForeignWork) {
  ThreadPool pool({.workers = 2});
  // Each iteration holds a lock around a nested loop. Were other iterations or tasks run inside the wait, the same
  // thread would take its lock twice.
  std::mutex lock;
  std::atomic<int> ran = 0;
  for (int i = 0; i < 50; ++i) {
    pool.Submit(TaskKind::kQuery, [&] {
      const std::lock_guard guard(lock);
      pool.ParallelFor(TaskKind::kQuery, 16, [&](size_t) { ++ran; });
    });
  }
  pool.Stop();
  EXPECT_EQ(ran, 50 * 16);
}

size_t Fibonacci(ThreadPool& pool, size_t n) {
  if (n < 2) return n;
  std::array<size_t, 2> parts{};
  pool.ParallelFor(TaskKind::kQuery, 2, [&](size_t i) { parts[i] = Fibonacci(pool, n - 1 - i); });
  return parts[0] + parts[1];
}

TEST(ThreadPoolTest, DeepForkAndJoin) {
  ThreadPool pool({.workers = 4});
  EXPECT_EQ(Fibonacci(pool, 18), 2584U);
  size_t on_worker = 0;
  pool.Submit(TaskKind::kQuery, [&] { on_worker = Fibonacci(pool, 16); });
  pool.Stop();
  EXPECT_EQ(on_worker, 987U);
}

TEST(ThreadPoolTest, StressOfEverythingAtOnce) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  constexpr int kThreads = 4, kRounds = 300;
  std::atomic<uint64_t> expected = 0, counted = 0;
  {
    ThreadPool pool({.workers = 3, .queue_capacity = 8});
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(seed + static_cast<unsigned>(t));
        for (int round = 0; round < kRounds; ++round) {
          const auto kind = static_cast<TaskKind>(random() % kTaskKinds);
          const size_t size = random() % 40;
          switch (random() % 3) {
            case 0:
              expected += size;
              pool.ParallelFor(kind, size, [&](size_t) { ++counted; });
              break;
            case 1:
              expected += size;
              pool.Submit(kind, [&, kind, size] {
                for (size_t i = 0; i < size; ++i) pool.Submit(kind, [&] { ++counted; });
              });
              break;
            default:
              expected += size * 3;
              pool.Submit(kind, [&, kind, size] {
                pool.ParallelFor(kind, size, [&](size_t) {
                  pool.ParallelFor(TaskKind::kQuery, 2, [&](size_t) { ++counted; });
                  pool.Submit(TaskKind::kRule, [&] { ++counted; });
                });
              });
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    pool.Stop();
    const PoolStats stats = pool.stats();
    for (const KindStats& kind : stats.kinds) EXPECT_EQ(kind.tasks_submitted, kind.tasks_finished);
  }
  EXPECT_EQ(counted, expected);
}

TEST(ThreadPoolTest, ManyPoolsStartAndStop) {
  for (int i = 0; i < 100; ++i) {
    std::atomic<int> ran = 0;
    {
      ThreadPool pool({.workers = 4});
      for (int task = 0; task < i; ++task) pool.Submit(TaskKind::kQuery, [&] { ++ran; });
    }
    EXPECT_EQ(ran, i);
  }
}

TEST(ThreadPoolTest, WaitAndRunTimesAreCountedPerKind) {
  ManualClock clock(1'000);
  ThreadPool pool({.workers = 1, .clock = &clock});
  BusyWorker busy(pool);
  pool.Submit(TaskKind::kRule, [&] { clock.Advance(30); });
  pool.Submit(TaskKind::kRule, [&] { clock.Advance(5); });
  clock.Advance(100);
  busy.LetGo();
  pool.Stop();
  const PoolStats stats = pool.stats();
  EXPECT_EQ(stats.of(TaskKind::kQuery).run_ns, 100U);
  EXPECT_EQ(stats.of(TaskKind::kQuery).wait_ns, 0U);
  EXPECT_EQ(stats.of(TaskKind::kRule).tasks_submitted, 2U);
  EXPECT_EQ(stats.of(TaskKind::kRule).tasks_finished, 2U);
  EXPECT_EQ(stats.of(TaskKind::kRule).wait_ns, 100U + 130U);
  EXPECT_EQ(stats.of(TaskKind::kRule).wait_max_ns, 130U);
  EXPECT_EQ(stats.of(TaskKind::kRule).run_ns, 35U);
  EXPECT_EQ(stats.of(TaskKind::kBackground).tasks_submitted, 0U);

  pool.ParallelFor(TaskKind::kBackground, 4, [&](size_t) { clock.Advance(2); });
  EXPECT_EQ(pool.stats().of(TaskKind::kBackground).loops, 1U);
  EXPECT_EQ(pool.stats().of(TaskKind::kBackground).run_ns, 8U);
}

}  // namespace
}  // namespace tidemark::executor
