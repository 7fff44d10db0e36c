#include "storage/base/background.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <time.h>

#include <atomic>
#include <thread>

namespace tidemark {
namespace {

int ClassOfThread() { return sched_getscheduler(0); }

int64_t ThreadCpuNs() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// The class that a thread has inside of a scope.
int BackgroundClass() { return HowBackgroundWorks() == BackgroundMeans::kIdleClass ? SCHED_IDLE : ClassOfThread(); }

TEST(BackgroundTest, AScopeChangesItsThreadAndNoOther) {
  const int own = ClassOfThread();
  const int background = BackgroundClass();
  {
    BackgroundScope scope;
    EXPECT_EQ(ClassOfThread(), background);
    {
      BackgroundScope inner;
      EXPECT_EQ(ClassOfThread(), background);
    }
    EXPECT_EQ(ClassOfThread(), background);
  }
  EXPECT_EQ(ClassOfThread(), own);
  std::atomic<bool> inside{false};
  std::atomic<bool> seen{false};
  std::jthread other([&] {
    BackgroundScope scope;
    inside = true;
    inside.notify_one();
    seen.wait(false);
  });
  inside.wait(false);
  EXPECT_EQ(ClassOfThread(), own);
  seen = true;
  seen.notify_one();
}

TEST(BackgroundTest, TickOutsideOfAScopeDoesNothing) {
  const int own = ClassOfThread();
  for (int i = 0; i < 1000; ++i) BackgroundTick();
  EXPECT_EQ(ClassOfThread(), own);
  EXPECT_EQ(BackgroundEscapes(), 0U);
}

// Without the escape the idle class would get a three-hundredth of the core.
TEST(BackgroundTest, WhoStarvesGoesBackToItsOwnClass) {
  if (HowBackgroundWorks() != BackgroundMeans::kIdleClass) GTEST_SKIP() << "this process may not leave the idle class";
  std::atomic<bool> done{false};
  std::atomic<uint64_t> escapes{0};
  const auto on_one_core = [] {
    cpu_set_t all;
    CPU_ZERO(&all);
    ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
    int core = 0;
    while (!CPU_ISSET(core, &all)) ++core;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  };
  std::atomic<bool> is_busy{false};
  std::jthread busy([&] {
    on_one_core();
    is_busy = true;
    is_busy.notify_one();
    while (!done.load(std::memory_order_relaxed)) {
    }
  });
  std::jthread starving([&] {
    on_one_core();
    is_busy.wait(false);
    BackgroundScope scope;
    const int64_t began_ns = ThreadCpuNs();
    while (ThreadCpuNs() - began_ns < 50'000'000) BackgroundTick();
    escapes = BackgroundEscapes();
    done = true;
  });
  starving.join();
  EXPECT_GT(escapes, 0U);
}

}  // namespace
}  // namespace tidemark
