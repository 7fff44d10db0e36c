#include "executor/pool/work_deque.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace tidemark::executor {
namespace {

TEST(WorkDequeTest, OwnerTakesTheYoungestThievesTheOldest) {
  WorkDeque<int, 8> deque;
  std::vector<int> items{1, 2, 3};
  for (int& item : items) EXPECT_TRUE(deque.Push(&item));
  EXPECT_EQ(deque.Bottom(), &items[2]);
  EXPECT_EQ(deque.Steal(), &items[0]);
  EXPECT_EQ(deque.Pop(), &items[2]);
  EXPECT_FALSE(deque.empty());
  EXPECT_EQ(deque.Pop(), &items[1]);
  EXPECT_TRUE(deque.empty());
  EXPECT_EQ(deque.Pop(), nullptr);
  EXPECT_EQ(deque.Steal(), nullptr);
  EXPECT_EQ(deque.Bottom(), nullptr);
}

TEST(WorkDequeTest, RefusesWhenFullAndWrapsAround) {
  WorkDeque<int, 4> deque;
  int item = 0;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(deque.Push(&item));
    EXPECT_FALSE(deque.Push(&item));
    EXPECT_EQ(deque.Steal(), &item);
    EXPECT_TRUE(deque.Push(&item));
    for (int i = 0; i < 4; ++i) EXPECT_EQ(deque.Pop(), &item);
    EXPECT_EQ(deque.Pop(), nullptr);
  }
}

TEST(WorkDequeTest, EveryItemIsTakenOnceUnderThieves) {
  constexpr size_t kItems = 100'000;
  WorkDeque<std::atomic<int>, 64> deque;
  std::vector<std::atomic<int>> taken(kItems);
  std::atomic<bool> ended = false;
  std::vector<std::thread> thieves;
  for (int i = 0; i < 3; ++i) {
    thieves.emplace_back([&] {
      while (!ended || !deque.empty()) {
        if (std::atomic<int>* item = deque.Steal(); item != nullptr) ++*item;
      }
    });
  }
  for (size_t i = 0; i < kItems; ++i) {
    while (!deque.Push(&taken[i])) {
      if (std::atomic<int>* item = deque.Pop(); item != nullptr) ++*item;
    }
    if (i % 3 == 0) {
      if (std::atomic<int>* item = deque.Pop(); item != nullptr) ++*item;
    }
  }
  ended = true;
  for (std::thread& thief : thieves) thief.join();
  for (size_t i = 0; i < kItems; ++i) ASSERT_EQ(taken[i], 1) << i;
}

}  // namespace
}  // namespace tidemark::executor
