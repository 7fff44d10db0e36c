#include "query/plan/rollup_choice.h"

#include <gtest/gtest.h>

namespace tidemark::query::plan {
namespace {

TEST(RollupChoiceTest, SplitsAWindowIntoHeadBucketsAndTail) {
  const SplitWindow split = Split({25, 78}, 10);
  EXPECT_EQ(split.head, (Interval{25, 30}));
  EXPECT_EQ(split.buckets, (Interval{30, 70}));
  EXPECT_EQ(split.tail, (Interval{70, 78}));
}

TEST(RollupChoiceTest, AlignedWindowsHaveNoEnds) {
  const SplitWindow split = Split({-20, 30}, 10);
  EXPECT_EQ(split.head.length_ns(), 0);
  EXPECT_EQ(split.buckets, (Interval{-20, 30}));
  EXPECT_EQ(split.tail.length_ns(), 0);
}

TEST(RollupChoiceTest, WindowsWithoutAWholeBucketStayWhole) {
  const SplitWindow split = Split({25, 38}, 10);
  EXPECT_EQ(split.head, (Interval{25, 38}));
  EXPECT_EQ(split.buckets.length_ns(), 0);
  EXPECT_EQ(Split({INT64_MIN, INT64_MAX}, 10).buckets.length_ns(), 0);
}

TEST(RollupChoiceTest, JoinsWhatTouches) {
  EXPECT_EQ(Join({{10, 20}, {0, 5}, {20, 30}, {25, 27}, {7, 7}}), (std::vector<Interval>{{0, 5}, {10, 30}}));
}

TEST(RollupChoiceTest, TakesTheWidestTierThatSavesHalf) {
  const int64_t widths[] = {10, 100};
  const Interval aligned[] = {{0, 400}};
  EXPECT_EQ(ChooseTier(aligned, widths), 100);
  const Interval unaligned[] = {{95, 305}};  // two of 100 and 10 raw
  EXPECT_EQ(ChooseTier(unaligned, widths), 100);
  const Interval small[] = {{30, 170}};  // none of 100
  EXPECT_EQ(ChooseTier(small, widths), 10);
  // Steps so short that the ends of the windows cover everything.
  std::vector<Interval> sliding;
  for (int64_t i = 0; i < 300; ++i) sliding.push_back({i, i + 250});
  EXPECT_EQ(ChooseTier(sliding, widths), std::nullopt);
}

}  // namespace
}  // namespace tidemark::query::plan
