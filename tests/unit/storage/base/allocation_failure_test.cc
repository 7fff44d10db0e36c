#include "storage/base/allocation_failure.h"

#include <gtest/gtest.h>

#include <new>
#include <thread>

namespace tidemark {
namespace {

TEST(AllocationFailureDeathTest, OneLineAndTheExitCodeAreAllThatIsLeft) {
  EXPECT_EXIT(
      {
        EndOnAllocationFailure();
        std::get_new_handler()();
      },
      ::testing::ExitedWithCode(70), "^E an allocation of memory failed; the process ends, and [^\n]*\n$");
}

TEST(AllocationFailureDeathTest, ItEndsTheProcessFromAnyThread) {
  EXPECT_EXIT(
      {
        EndOnAllocationFailure();
        std::jthread([] { std::get_new_handler()(); }).join();
      },
      ::testing::ExitedWithCode(kAllocationFailureExit), "an allocation of memory failed");
}

TEST(AllocationFailureDeathTest, MemoryFromElsewhereEndsItTheSameWay) {
  EXPECT_EXIT(
      {
        EndOnAllocationFailure();
        AllocationFailed();
      },
      ::testing::ExitedWithCode(kAllocationFailureExit), "an allocation of memory failed");
}

TEST(AllocationFailureTest, AProgramThatDoesNotAskForItKeepsTheStandardBehaviour) {
  EXPECT_EQ(std::get_new_handler(), nullptr);
  EXPECT_THROW(AllocationFailed(), std::bad_alloc);
}

}  // namespace
}  // namespace tidemark
