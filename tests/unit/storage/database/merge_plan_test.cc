// Which partitions are merged: PlanMerges.
#include "storage/database/merge_plan.h"

#include <gtest/gtest.h>

#include <vector>

namespace tidemark::storage::database {
namespace {

constexpr int64_t kDay = kNsPerDay;

// Of days counted from 1970.
MergePart DayPart(int64_t day, int64_t days = 1) { return {.id = {day * kDay, days * kDay}, .bytes = 1000}; }

std::vector<MergePart> DayParts(int64_t first, int64_t count) {
  std::vector<MergePart> parts;
  for (int64_t day = first; day < first + count; ++day) parts.push_back(DayPart(day));
  return parts;
}

class MergePlanTest : public ::testing::Test {
 protected:
  std::vector<Merge> Plan(const std::vector<MergePart>& parts) {
    return PlanMerges(parts, options_, limits_, [this](const PartitionId&) { return rows_; });
  }

  DatabaseOptions options_;
  MergeLimits limits_{.now_ns = 1000 * kDay, .grace_ns = kNsPerHour, .longest_ns = 64 * kDay};
  uint64_t rows_ = 288;
};

TEST_F(MergePlanTest, DaysBecomeSixtyFourOfThem) {
  const auto merges = Plan(DayParts(128, 64));
  ASSERT_EQ(merges.size(), 1U);
  EXPECT_EQ(merges[0].result, PartitionId(128 * kDay, 64 * kDay));
  EXPECT_EQ(merges[0].parts.size(), 64U);
  EXPECT_EQ(merges[0].parts.front(), PartitionId(128 * kDay, kDay));
}

TEST_F(MergePlanTest, ItIsAlignedFrom1970AlsoBefore) {
  const auto merges = Plan({DayPart(-60), DayPart(-3), DayPart(-1), DayPart(0), DayPart(63), DayPart(64)});
  ASSERT_EQ(merges.size(), 2U);
  EXPECT_EQ(merges[0].result, PartitionId(-64 * kDay, 64 * kDay));
  EXPECT_EQ(merges[0].parts.size(), 3U);
  EXPECT_EQ(merges[1].result, PartitionId(0, 64 * kDay));
}

TEST_F(MergePlanTest, WhatIsNotPastYetIsMergedToEightDaysOrNotAtAll) {
  limits_.now_ns = (128 + 20) * kDay + 2 * kNsPerHour;
  const auto merges = Plan(DayParts(128, 20));
  ASSERT_EQ(merges.size(), 2U);
  EXPECT_EQ(merges[0].result, PartitionId(128 * kDay, 8 * kDay));
  EXPECT_EQ(merges[1].result, PartitionId(136 * kDay, 8 * kDay));
  // Until the grace is over nothing is past.
  limits_.now_ns = 144 * kDay + kNsPerHour - 1;
  EXPECT_EQ(Plan(DayParts(128, 20)).size(), 1U);
}

TEST_F(MergePlanTest, MergedOnesAreMergedOnceMore) {
  EXPECT_EQ(Plan({DayPart(128, 8), DayPart(136, 8), DayPart(150)}).size(), 1U);
  // And then stay.
  EXPECT_TRUE(Plan({DayPart(128, 64), DayPart(192, 64)}).empty());
}

TEST_F(MergePlanTest, OneAloneIsLeft) {
  EXPECT_TRUE(Plan({DayPart(128), DayPart(200)}).empty());
  EXPECT_TRUE(Plan({}).empty());
}

TEST_F(MergePlanTest, LongFramesAreLeft) {
  rows_ = kLongColumn - 1;
  EXPECT_EQ(Plan(DayParts(128, 8)).size(), 1U);
  rows_ = kLongColumn;
  EXPECT_TRUE(Plan(DayParts(128, 8)).empty());
}

TEST_F(MergePlanTest, WhatIsNotReadyHoldsBackOnlyWhatItIsIn) {
  std::vector<MergePart> parts = DayParts(128, 64);
  parts[20].ready = false;
  const auto merges = Plan(parts);
  ASSERT_EQ(merges.size(), 7U);
  for (const Merge& merge : merges) EXPECT_EQ(merge.result.second, 8 * kDay);
}

TEST_F(MergePlanTest, KindsAreNotMixed) {
  std::vector<MergePart> parts = DayParts(128, 16);
  for (size_t i = 0; i < 8; ++i) parts[i].reduced = true;
  const auto merges = Plan(parts);
  ASSERT_EQ(merges.size(), 2U);
  EXPECT_EQ(merges[0].result.second, 8 * kDay);
}

TEST_F(MergePlanTest, OneThatReachesOverTheBordersHoldsItBack) {
  // Of another length: days 126 to 132, and 190 to 196.
  EXPECT_TRUE(Plan({DayPart(126, 7), DayPart(133)}).empty());
  EXPECT_EQ(Plan({DayPart(126, 7), DayPart(133), DayPart(140), DayPart(141)}).size(), 1U);
  EXPECT_TRUE(Plan({DayPart(189), DayPart(190, 7)}).empty());
}

TEST_F(MergePlanTest, RetentionsBoundTheLength) {
  limits_.now_ns = 192 * kDay + 2 * kNsPerHour;
  options_.retention_ns = 8 * 8 * kDay - 1;
  EXPECT_TRUE(Plan(DayParts(128, 64)).empty());
  options_.retention_ns = 8 * 8 * kDay;
  EXPECT_EQ(Plan(DayParts(128, 64)).size(), 7U) << "the first eight begin with what is too old";
  options_.retention_ns = 8 * 8 * kDay + kDay;
  EXPECT_EQ(Plan(DayParts(128, 64)).size(), 8U);
  options_.retention_ns = 8 * 64 * kDay;
  EXPECT_EQ(Plan(DayParts(128, 64)).size(), 1U);
  options_.tiers = {{.width_ns = kNsPerHour, .keep_ns = 0}};
  EXPECT_EQ(Plan(DayParts(128, 64)).size(), 1U);
  options_.tiers = {{.width_ns = kNsPerHour, .keep_ns = 70 * kDay}};
  EXPECT_EQ(Plan(DayParts(128, 64)).size(), 8U);
  options_.tiers = {};
  options_.selectors = {{.matchers = {}, .keep_ns = 10 * kDay}};
  EXPECT_TRUE(Plan(DayParts(128, 64)).empty());
}

TEST_F(MergePlanTest, WhatWouldBeSplitAgainIsNotMerged) {
  std::vector<MergePart> parts = DayParts(128, 128);
  EXPECT_EQ(Plan(parts).size(), 2U);
  // By age: day 128 is too old at noon of the day on which it is.
  limits_.now_ns = 1128 * kDay + kDay / 2;
  options_.retention_ns = 1000 * kDay;
  ASSERT_EQ(Plan(parts).size(), 8U) << "sixty-four, and seven times eight";
  EXPECT_EQ(Plan(parts).front().result, PartitionId(136 * kDay, 8 * kDay));
  limits_.now_ns = 1128 * kDay;
  EXPECT_EQ(Plan(parts).size(), 2U);
  // By bytes: of the oldest only, and only where the limit is near.
  options_ = {};
  for (MergePart& part : parts) part.bytes = 10;
  options_.max_bytes = 128 * 10 * 16;
  EXPECT_EQ(Plan(parts).size(), 2U);
  for (MergePart& part : parts) part.bytes = 1000;
  MergePart large = DayPart(5000);
  large.bytes = 128'000 * 15;
  parts.push_back(large);
  options_.max_bytes = 128'000 * 16;
  EXPECT_EQ(Plan(parts).size(), 8U);
}

TEST_F(MergePlanTest, BytesBoundTheSize) {
  options_.max_bytes = 16 * 64'000;
  EXPECT_EQ(Plan(DayParts(128, 64)).size(), 1U);
  options_.max_bytes = 16 * 64'000 - 16;
  EXPECT_EQ(Plan(DayParts(128, 64)).size(), 8U);
  options_.max_bytes = 16 * 7999;
  EXPECT_TRUE(Plan(DayParts(128, 64)).empty());
}

TEST_F(MergePlanTest, TheLongestIsWhatTheStoreSays) {
  limits_.longest_ns = 63 * kDay;
  EXPECT_EQ(Plan(DayParts(128, 64)).size(), 8U);
  limits_.longest_ns = 0;
  EXPECT_TRUE(Plan(DayParts(128, 64)).empty());
  limits_.longest_ns = 64 * kDay;
  options_.partition_ns = kNsPerHour;
  const auto merges = Plan({{.id = {0, kNsPerHour}}, {.id = {kNsPerHour, kNsPerHour}}});
  ASSERT_EQ(merges.size(), 1U);
  EXPECT_EQ(merges[0].result.second, 64 * kNsPerHour);
}

TEST_F(MergePlanTest, TooManyEpochsForOneMergeAreMergedInSmallerOnes) {
  std::vector<MergePart> parts = DayParts(128, 64);
  for (MergePart& part : parts) part.epochs = 5;
  EXPECT_EQ(Plan(parts).size(), 8U);
}

TEST_F(MergePlanTest, RowsAreAskedForOnceAndOnlyWhereAllElseFits) {
  std::map<PartitionId, int> asked;
  const auto ask = [&](const PartitionId& id) -> uint64_t { return ++asked[id], 5000; };
  EXPECT_TRUE(PlanMerges(DayParts(128, 64), options_, limits_, ask).empty());
  for (const auto& [id, times] : asked) EXPECT_EQ(times, 1) << id.first;
  asked.clear();
  limits_.now_ns = 0;
  EXPECT_TRUE(PlanMerges(DayParts(128, 64), options_, limits_, ask).empty());
  EXPECT_TRUE(asked.empty());
}

}  // namespace
}  // namespace tidemark::storage::database
