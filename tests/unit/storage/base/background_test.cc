#include "storage/base/background.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>

#include "storage/base/background_watch.h"
#include "storage/base/clock.h"

namespace tidemark {
namespace {

int ClassOf(pid_t thread) { return sched_getscheduler(thread); }
int ClassOfThread() { return ClassOf(0); }

// Returns once a thread is in `wanted`: on a busy machine one that starves is taken out of the background for a while.
void AwaitClass(pid_t thread, int wanted) {
  while (ClassOf(thread) != wanted) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

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
    AwaitClass(0, background);
    {
      BackgroundScope inner;
      AwaitClass(0, background);
    }
    AwaitClass(0, background);
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

// What holds a thread back in the tests that follow: one that computes on the same core until it is told to end.
class BusyCore {
 public:
  // Also binds the calling thread to the core.
  BusyCore() {
    BindToOneCore();
    busy_ = std::jthread([this](const std::stop_token& stop) {
      BindToOneCore();
      while (!stop.stop_requested()) {
      }
    });
  }

  static void BindToOneCore() {
    cpu_set_t all;
    CPU_ZERO(&all);
    ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
    int core = 0;
    while (!CPU_ISSET(core, &all)) ++core;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  }

 private:
  std::jthread busy_;
};

// A thread in the background that computes beside a busy one, without ever looking at a clock or a stop token.
class Computing {
 public:
  explicit Computing(const BackgroundLimits& limits) {
    thread_ = std::jthread([this, limits](const std::stop_token& stop) {
      BusyCore::BindToOneCore();
      id_ = static_cast<pid_t>(syscall(SYS_gettid));
      const BackgroundScope scope(limits);
      inside_ = true;
      inside_.notify_one();
      while (!stop.stop_requested()) {
      }
    });
    inside_.wait(false);
  }
  [[nodiscard]] pid_t id() const { return id_; }

 private:
  std::atomic<pid_t> id_{0};
  std::atomic<bool> inside_{false};
  std::jthread thread_;
};

// Without the escape the idle class would get a three-hundredth of the core.
TEST(BackgroundTest, WhoStarvesGoesBackToItsOwnClassWithoutAsking) {
  if (HowBackgroundWorks() != BackgroundMeans::kIdleClass) GTEST_SKIP() << "this process may not leave the idle class";
  uint64_t escapes = 0;
  std::jthread([&escapes] {
    const BusyCore busy;
    {
      const BackgroundScope scope;
      const int64_t began_ns = ThreadCpuNs();
      while (ThreadCpuNs() - began_ns < 50'000'000) {
      }
    }
    escapes = BackgroundEscapes();
  }).join();
  EXPECT_GT(escapes, 0U);
}

TEST(BackgroundTest, WhoIsToldToStopLeavesForGood) {
  if (HowBackgroundWorks() != BackgroundMeans::kIdleClass) GTEST_SKIP() << "this process may not leave the idle class";
  std::stop_source stop;
  const Computing computing({.deadline_ns = 0, .stop = stop.get_token()});
  AwaitClass(computing.id(), SCHED_IDLE);
  stop.request_stop();
  AwaitClass(computing.id(), SCHED_OTHER);
}

TEST(BackgroundTest, WhoseDeadlineIsNearLeavesForGood) {
  if (HowBackgroundWorks() != BackgroundMeans::kIdleClass) GTEST_SKIP() << "this process may not leave the idle class";
  const Computing computing({.deadline_ns = SystemClock::Get().SteadyNs()});
  AwaitClass(computing.id(), SCHED_OTHER);
}

constexpr int64_t kLook = BackgroundStay::kLookEveryNs;

// One look after the other at a thread in the background, by hand.
class StayTest : public ::testing::Test {
 protected:
  // Whether it may stay after a look at which it has run `ran_ns` more, and all together `all_ran_ns`.
  bool Look(int64_t ran_ns, int64_t all_ran_ns, bool runnable = true) {
    now_ns_ += kLook;
    sample_.ran_ns += ran_ns;
    sample_.runnable = runnable;
    return stay_.Decide(now_ns_, sample_, all_ran_ns);
  }

  int64_t now_ns_ = 1'000'000'000;
  ThreadSample sample_{.ran_ns = 5'000'000, .runnable = true};
  std::stop_source stop_;
  BackgroundStay stay_{{.deadline_ns = 3'000'000'000, .stop = stop_.get_token()}, now_ns_, sample_};
};

TEST_F(StayTest, WhoRunsStays) {
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(Look(kLook, kLook));
  EXPECT_EQ(stay_.escapes(), 0U);
}

TEST_F(StayTest, WhoSleepsDoesNotStarve) {
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(Look(0, 0, /*runnable=*/false));
  EXPECT_EQ(stay_.escapes(), 0U);
}

TEST_F(StayTest, WhenNoneOfThemRunsOneLookIsEnough) {
  EXPECT_FALSE(Look(0, 0));
  EXPECT_FALSE(Look(kLook / 3, kLook / 3)) << "it stays out for a while";
  EXPECT_TRUE(Look(kLook / 3, kLook / 3));
  EXPECT_FALSE(Look(0, 0));
  EXPECT_EQ(stay_.escapes(), 2U);
}

TEST_F(StayTest, OneThatTakesTurnsWithOthersWaitsLonger) {
  EXPECT_TRUE(Look(0, kLook));
  EXPECT_TRUE(Look(0, kLook));
  EXPECT_TRUE(Look(kLook / 2, kLook)) << "its turn";
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Look(0, kLook));
  EXPECT_FALSE(Look(0, kLook)) << "a lock that it holds may keep others waiting: it has to move";
}

TEST_F(StayTest, TheDeadlineAndTheStopAreForGood) {
  EXPECT_TRUE(Look(kLook, kLook));
  now_ns_ = 3'000'000'000 - BackgroundStay::kNearDeadlineNs;
  EXPECT_FALSE(Look(kLook, kLook));
  now_ns_ += 10'000'000'000;
  EXPECT_FALSE(Look(kLook, kLook));

  BackgroundStay other({.deadline_ns = 0, .stop = stop_.get_token()}, now_ns_, sample_);
  EXPECT_TRUE(other.Decide(now_ns_ + kLook, sample_, kLook));
  stop_.request_stop();
  EXPECT_FALSE(other.Decide(now_ns_ + 2 * kLook, sample_, kLook));
  EXPECT_FALSE(other.Decide(now_ns_ + 3 * kLook, sample_, kLook));
}

}  // namespace
}  // namespace tidemark
