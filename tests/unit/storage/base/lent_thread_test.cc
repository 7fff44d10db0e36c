#include "storage/base/lent_thread.h"

#include <gtest/gtest.h>

#include <thread>

namespace tidemark {
namespace {

class Owner : public LentThread {
 public:
  void TakeBack() override { ++taken_back; }
  int taken_back = 0;
};

TEST(LentThreadTest, IsTakenBackOnceAndOnlyWithinItsScope) {
  Owner owner;
  ThisThreadIsBusy();
  EXPECT_FALSE(ThisThreadIsLent());
  {
    LentThread::Scope scope(&owner);
    EXPECT_TRUE(ThisThreadIsLent());
    EXPECT_EQ(owner.taken_back, 0);
    ThisThreadIsBusy();
    EXPECT_FALSE(ThisThreadIsLent());
    ThisThreadIsBusy();
    EXPECT_EQ(owner.taken_back, 1);
  }
  {
    LentThread::Scope unused(&owner);
  }
  ThisThreadIsBusy();
  EXPECT_EQ(owner.taken_back, 1);
}

TEST(LentThreadTest, OtherThreadsAreNotLent) {
  Owner owner;
  LentThread::Scope scope(&owner);
  std::jthread([] {
    EXPECT_FALSE(ThisThreadIsLent());
    ThisThreadIsBusy();
  }).join();
  EXPECT_EQ(owner.taken_back, 0);
}

}  // namespace
}  // namespace tidemark
