#include "query/run/fair_queue.h"

#include <gtest/gtest.h>

#include <vector>

namespace tidemark::query::run {
namespace {

struct Waiter {
  int number = 0;
};

std::vector<int> Drain(FairQueue<Waiter>* queue) {
  std::vector<int> order;
  for (; !queue->empty(); queue->PopFront()) order.push_back(queue->front()->number);
  return order;
}

class FairQueueTest : public ::testing::Test {
 protected:
  void Push(uint64_t client, int number) {
    waiters_[number] = {number};
    queue_.Push(client, &waiters_[number]);
  }
  Waiter waiters_[16];
  FairQueue<Waiter> queue_;
};

TEST_F(FairQueueTest, ClientsTakeTurns) {
  for (const int number : {1, 2, 3}) Push(7, number);
  Push(8, 4);
  Push(9, 5);
  Push(8, 6);
  EXPECT_EQ(queue_.size(), 6U);
  EXPECT_EQ(Drain(&queue_), (std::vector{1, 4, 5, 2, 6, 3}));
  EXPECT_EQ(queue_.size(), 0U);
}

// As long queries do that take turns: one that comes back is behind those of others, not behind all of one client.
TEST_F(FairQueueTest, OneThatComesBackWaitsForEachClientOnce) {
  for (const int number : {1, 2, 3}) Push(7, number);
  Push(8, 4);
  queue_.PopFront();
  ASSERT_EQ(queue_.front()->number, 4);
  queue_.PopFront();
  Push(8, 4);
  EXPECT_EQ(Drain(&queue_), (std::vector{2, 4, 3}));
}

TEST_F(FairQueueTest, WhoLeavesIsForgotten) {
  for (const int number : {1, 2}) Push(7, number);
  Push(8, 3);
  queue_.Erase(&waiters_[1]);
  queue_.Erase(&waiters_[3]);
  queue_.Erase(&waiters_[3]);
  EXPECT_EQ(queue_.size(), 1U);
  EXPECT_EQ(Drain(&queue_), (std::vector{2}));
}

TEST_F(FairQueueTest, RoomIsMadeByTheOneThatWaitsForMost) {
  EXPECT_EQ(queue_.DropFor(7), nullptr);
  for (const int number : {1, 2, 3}) Push(7, number);
  Push(8, 4);
  EXPECT_EQ(queue_.DropFor(7), nullptr) << "its own";
  EXPECT_EQ(queue_.DropFor(9), &waiters_[3]);
  EXPECT_EQ(queue_.DropFor(8), nullptr) << "both would have two";
  EXPECT_EQ(Drain(&queue_), (std::vector{1, 4, 2}));
}

}  // namespace
}  // namespace tidemark::query::run
