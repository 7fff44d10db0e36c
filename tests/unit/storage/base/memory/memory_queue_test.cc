#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "storage/base/memory/budget.h"
#include "tests/unit/storage/base/memory/sizes.h"

namespace tidemark::memory {
namespace {

constexpr uint64_t kQueueLimit = 1000 * kMiB;

class MemoryQueueTest : public testing::Test {
 protected:
  // All that requests may have.
  uint64_t Fill() {
    const uint64_t bytes = budget_.limit_bytes(Class::kRequests);
    EXPECT_TRUE(budget_.TryTake(Class::kRequests, bytes));
    return bytes;
  }
  void UntilWaiting(uint64_t count) {
    while (budget_.usage().classes[static_cast<size_t>(Class::kRequests)].waiting < count) std::this_thread::yield();
  }
  WaitTerms Terms(uint64_t client) { return {.deadline_ns = 100, .client = client, .what = "a query"}; }

  ManualClock clock_{1};
  Budget budget_{kQueueLimit, &clock_};
};

TEST_F(MemoryQueueTest, DoesNotWaitWhereThereIsRoom) {
  Result<Lease> lease = budget_.Wait(Class::kRequests, kMiB, {.deadline_ns = 0});
  ASSERT_TRUE(lease.ok());
  EXPECT_EQ(lease->bytes(), kMiB);
  EXPECT_EQ(budget_.used_bytes(Class::kRequests), kMiB);
  lease->Release();
  EXPECT_EQ(budget_.total_bytes(), 0U);
}

TEST_F(MemoryQueueTest, ClientsTakeTurns) {
  const uint64_t all = Fill();
  Mutex mutex;
  std::vector<uint64_t> order;
  std::vector<std::jthread> threads;
  // Client 1 was there first with three, then 2 and 3 came with one each.
  uint64_t waiting = 0;
  for (const uint64_t client : {1, 1, 1, 2, 3}) {
    threads.emplace_back([&, client] {
      // As much as there is: one at a time.
      Result<Lease> lease = budget_.Wait(Class::kRequests, all, Terms(client));
      ASSERT_TRUE(lease.ok());
      MutexLock lock(mutex);
      order.push_back(client);
    });
    UntilWaiting(++waiting);
  }
  budget_.Give(Class::kRequests, all);
  threads.clear();
  EXPECT_EQ(order, (std::vector<uint64_t>{1, 2, 3, 1, 1}));
  EXPECT_EQ(budget_.total_bytes(), 0U);
}

TEST_F(MemoryQueueTest, ALateSmallOneDoesNotPassALargeOne) {
  const uint64_t all = Fill();
  budget_.Give(Class::kRequests, kMiB);
  std::atomic<bool> large_had = false;
  std::jthread large([&] {
    Result<Lease> lease = budget_.Wait(Class::kRequests, all, Terms(1));
    ASSERT_TRUE(lease.ok());
    large_had = true;
  });
  UntilWaiting(1);
  std::jthread small([&] {
    Result<Lease> lease = budget_.Wait(Class::kRequests, 1, Terms(2));
    ASSERT_TRUE(lease.ok());
    EXPECT_TRUE(large_had.load());
  });
  UntilWaiting(2);
  // Who runs already passes them.
  EXPECT_TRUE(budget_.TryTake(Class::kRequests, kMiB / 2));
  budget_.Give(Class::kRequests, all - kMiB / 2);
}

TEST_F(MemoryQueueTest, TheDeadlineEndsTheWaitWithAReason) {
  const uint64_t all = Fill();
  std::jthread late([&] {
    const Result<Lease> lease = budget_.Wait(Class::kRequests, kMiB, Terms(1));
    ASSERT_FALSE(lease.ok());
    EXPECT_EQ(lease.error().code, ErrorCode::kResourceExhausted);
    EXPECT_NE(lease.error().message.find("there is no memory for a query: none was free in time"), std::string::npos)
        << lease.error().message;
  });
  UntilWaiting(1);
  clock_.Set(100);
  late.join();
  const ClassUsage usage = budget_.usage().classes[static_cast<size_t>(Class::kRequests)];
  EXPECT_EQ(usage.waiting, 0U);
  EXPECT_EQ(usage.refusals[static_cast<size_t>(Refusal::kDeadline)], 1U);
  budget_.Give(Class::kRequests, all);
}

TEST_F(MemoryQueueTest, ACancelledOneLeaves) {
  Fill();
  std::stop_source source;
  std::jthread waiter([&] {
    WaitTerms terms = Terms(1);
    terms.stop = source.get_token();
    const Result<Lease> lease = budget_.Wait(Class::kRequests, kMiB, terms);
    ASSERT_FALSE(lease.ok());
    EXPECT_EQ(lease.error().code, ErrorCode::kCancelled);
  });
  UntilWaiting(1);
  source.request_stop();
}

TEST_F(MemoryQueueTest, WhatCanNeverFitIsToldAtOnce) {
  const Result<Lease> lease = budget_.Wait(Class::kRequests, kQueueLimit, Terms(1));
  ASSERT_FALSE(lease.ok());
  EXPECT_NE(lease.error().message.find("alone"), std::string::npos);
}

TEST_F(MemoryQueueTest, MemoryThatOtherClassesGiveBackIsNoticed) {
  // The process is full, though requests have nothing.
  budget_.TakeAnyway(Class::kStaged, kQueueLimit);
  std::jthread waiter([&] {
    const Result<Lease> lease = budget_.Wait(Class::kRequests, kMiB, Terms(1));
    EXPECT_TRUE(lease.ok());
  });
  UntilWaiting(1);
  budget_.Give(Class::kStaged, kQueueLimit);
}

}  // namespace
}  // namespace tidemark::memory
