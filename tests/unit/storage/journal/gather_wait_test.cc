#include "storage/journal/gather_wait.h"

#include <gtest/gtest.h>

namespace tidemark::journal {
namespace {

constexpr int64_t kMs = 1'000'000;

TEST(GatherWaitTest, WhoIsAloneWaitsForNobody) {
  GatherWait wait;
  EXPECT_EQ(wait.Begin(1), 0);
  wait.Written(1, 0, 5 * kMs);
  EXPECT_EQ(wait.Begin(1), 0);
}

TEST(GatherWaitTest, AsManyAreWaitedForAsWereThere) {
  GatherWait wait;
  for (int i = 0; i < 10; ++i) wait.Written(8, 8, 3 * kMs);
  EXPECT_EQ(wait.expected(), 16U);
  EXPECT_EQ(wait.Begin(16), 0);
  EXPECT_NEAR(static_cast<double>(wait.Begin(8)), 1e6, 1e4) << "a third of a sync";
}

TEST(GatherWaitTest, AWaitIsNeitherLongNorTooShort) {
  GatherWait wait;
  for (int i = 0; i < 30; ++i) wait.Written(8, 8, 1'000 * kMs);
  EXPECT_EQ(wait.Begin(8), 2 * kMs);
  for (int i = 0; i < 30; ++i) wait.Written(8, 8, kMs / 20);
  EXPECT_EQ(wait.Begin(8), 0) << "a sync takes next to nothing";
}

TEST(GatherWaitTest, WhoWaitsInVainTriesItEverMoreSeldom) {
  GatherWait wait;
  int waited = 0;
  for (int i = 0; i < 10'000; ++i) {
    wait.Written(1, 1, 3 * kMs);
    if (wait.Begin(1) == 0) continue;
    ++waited;
    wait.Ended(1);
  }
  EXPECT_GT(waited, 10);
  EXPECT_LT(waited, 60) << "each at most a third of a sync: less than a five-hundredth of them all";
  // Once they come it is done each time.
  for (int i = 0; i < 1'000 && wait.Begin(1) == 0; ++i) wait.Written(1, 1, 3 * kMs);
  wait.Ended(2);
  for (int i = 0; i < 10; ++i) {
    wait.Written(1, 1, 3 * kMs);
    EXPECT_GT(wait.Begin(1), 0) << i;
    wait.Ended(2);
  }
}

}  // namespace
}  // namespace tidemark::journal
