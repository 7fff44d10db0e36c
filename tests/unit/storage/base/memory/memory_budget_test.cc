#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/base/memory/budget.h"
#include "tests/unit/storage/base/memory/sizes.h"

namespace tidemark::memory {
namespace {

// Of which 1,000 MiB are shared out.
constexpr uint64_t kLimit = 1000 * kMiB + kCachesFloorBytes + kReserveBytes;

uint64_t Refusals(const Budget& budget, Class id, Refusal why) {
  return budget.usage().classes[static_cast<size_t>(id)].refusals[static_cast<size_t>(why)];
}

class FakeCache : public Cache {
 public:
  explicit FakeCache(uint64_t bytes) : bytes_(bytes) {}
  [[nodiscard]] uint64_t bytes() const override { return bytes_; }
  void SetCapacity(uint64_t bytes) override {
    capacity = bytes;
    bytes_ = std::min(bytes_, bytes);
  }
  uint64_t capacity = 0;

 private:
  uint64_t bytes_;
};

TEST(MemoryBudgetTest, ClassesHaveTheirShareAndSayWhyNotMore) {
  Budget budget(kLimit);
  EXPECT_EQ(budget.limit_bytes(Class::kNames), 450 * kMiB);
  EXPECT_EQ(budget.limit_bytes(Class::kStaged), 250 * kMiB);
  EXPECT_EQ(budget.limit_bytes(Class::kWork), 100 * kMiB);
  EXPECT_TRUE(budget.TryTake(Class::kNames, 450 * kMiB));
  EXPECT_FALSE(budget.NamesAdmitted());
  EXPECT_FALSE(budget.TryTake(Class::kNames, 1));
  EXPECT_EQ(budget.used_bytes(Class::kNames), 450 * kMiB);
  EXPECT_EQ(Refusals(budget, Class::kNames, Refusal::kShare), 1U);
  const Error error = budget.Refused(Class::kNames, "a new series");
  EXPECT_EQ(error.code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(
      error.message,
      "there is no memory for a new series: of the 450 MiB that names may have, 450 MiB are in use; known series are "
      "taken; delete series, shorten retention, or raise memory.limit");
  budget.Give(Class::kNames, kMiB);
  EXPECT_TRUE(budget.NamesAdmitted());
  EXPECT_TRUE(budget.TryTake(Class::kNames, kMiB));
}

TEST(MemoryBudgetTest, WhatNobodyAccountsForCountsAsOther) {
  Budget budget(kLimit);
  budget.TakeAnyway(Class::kStaged, 100 * kMiB);
  EXPECT_EQ(budget.Look(90 * kMiB), Level::kEasy);
  EXPECT_EQ(budget.usage().other_bytes, 0U);
  EXPECT_EQ(budget.total_bytes(), 100 * kMiB);
  EXPECT_EQ(budget.Look(kLimit / 100 * 95), Level::kRefuse);
  EXPECT_EQ(budget.total_bytes(), kLimit / 100 * 95);
  EXPECT_FALSE(budget.NamesAdmitted());
  EXPECT_FALSE(budget.TryTake(Class::kNames, 1));
  EXPECT_FALSE(budget.TryTake(Class::kRequests, 1));
  EXPECT_EQ(Refusals(budget, Class::kRequests, Refusal::kLevel), 1U);
  EXPECT_NE(budget.Refused(Class::kRequests, "a body").message.find("that this process may have"), std::string::npos);
  // Health and the like have theirs.
  EXPECT_TRUE(budget.TryTake(Class::kReserve, kReserveBytes));
  EXPECT_FALSE(budget.TryTake(Class::kReserve, 1));
  EXPECT_EQ(budget.Look(0), Level::kEasy);
}

TEST(MemoryBudgetTest, EachLevelBeginsWhereTheTableSays) {
  for (const LevelRow& row : kLevels) {
    Budget budget(1000 * kMiB);
    budget.TakeAnyway(Class::kStaged, 10 * kMiB * row.from);
    EXPECT_EQ(budget.level(), row.id) << row.name;
    if (row.from == 0) continue;
    budget.Give(Class::kStaged, 1);
    EXPECT_LT(budget.level(), row.id) << row.name;
  }
}

TEST(MemoryBudgetTest, RequestsBorrowWhatCachesHaveAndGiveItBack) {
  Budget budget(kLimit);
  FakeCache blocks(700 * kMiB);
  FakeCache results(100 * kMiB);
  budget.AddCache(&blocks, 700 * kMiB);
  budget.AddCache(&results, 100 * kMiB);
  EXPECT_EQ(blocks.capacity, 700 * kMiB);
  EXPECT_EQ(budget.used_bytes(Class::kCaches), 800 * kMiB);
  EXPECT_EQ(budget.limit_bytes(Class::kRequests),
            kLimit / 100 * 80 + kCachesFloorBytes - kCachesFloorBytes - kCachesFloorBytes);
  // Above its share of 200 MiB.
  EXPECT_TRUE(budget.TryTake(Class::kRequests, 600 * kMiB));
  EXPECT_LE(budget.total_bytes(), kLimit / 100 * 80);
  EXPECT_EQ(budget.used_bytes(Class::kCaches), blocks.bytes() + results.bytes());
  EXPECT_NEAR(static_cast<double>(blocks.capacity), 7.0 * static_cast<double>(results.capacity), 1e6);
  EXPECT_FALSE(budget.TryTake(Class::kRequests, 250 * kMiB));
  budget.Give(Class::kRequests, 600 * kMiB);
  budget.Look(0);
  EXPECT_EQ(blocks.capacity, 700 * kMiB);
  EXPECT_EQ(results.capacity, 100 * kMiB);
  // Never below their floor, whatever else there is.
  budget.TakeAnyway(Class::kStaged, 2 * kLimit);
  budget.Look(0);
  EXPECT_NEAR(static_cast<double>(blocks.capacity + results.capacity), static_cast<double>(kCachesFloorBytes), 4.0);
  budget.RemoveCache(&blocks);
  budget.RemoveCache(&results);
}

TEST(MemoryBudgetTest, OnePieceOfWorkAlwaysGoesOn) {
  Budget budget(kLimit);
  budget.TakeAnyway(Class::kStaged, kLimit);
  EXPECT_TRUE(budget.TryTake(Class::kWork, 300 * kMiB));
  EXPECT_FALSE(budget.TryTake(Class::kWork, 1));
}

TEST(MemoryBudgetTest, TheLargestHolderIsToldToEndAndThenTheNext) {
  ManualClock clock(1);
  Budget budget(kLimit, &clock);
  Holder small;
  Holder large;
  Holder middle;
  small.Add(10);
  large.Add(100);
  middle.Add(50);
  for (Holder* holder : {&small, &large, &middle}) budget.AddHolder(holder);
  budget.Look(kLimit / 100 * 97);
  EXPECT_FALSE(large.told_to_end());
  budget.Look(kLimit);
  EXPECT_TRUE(large.told_to_end());
  EXPECT_FALSE(middle.told_to_end() || small.told_to_end());
  // It gets a second to end in.
  clock.Advance(999'999'999);
  budget.Look(kLimit);
  EXPECT_FALSE(middle.told_to_end());
  clock.Advance(1);
  budget.Look(kLimit);
  EXPECT_TRUE(middle.told_to_end());
  EXPECT_FALSE(small.told_to_end());
  budget.RemoveHolder(&large);
  budget.RemoveHolder(&middle);
  budget.Look(kLimit);
  EXPECT_TRUE(small.told_to_end());
  EXPECT_EQ(budget.usage().cancelled, 3U);
  budget.RemoveHolder(&small);
}

TEST(MemoryLeaseTest, TakesGrainsAndGivesAllBack) {
  Budget budget(kLimit);
  {
    Lease lease(&budget, Class::kRequests);
    EXPECT_EQ(budget.used_bytes(Class::kRequests), 0U);
    ASSERT_TRUE(lease.Grow(1));
    EXPECT_EQ(budget.used_bytes(Class::kRequests), Lease::kGrainBytes);
    ASSERT_TRUE(lease.Grow(Lease::kGrainBytes - 1));
    EXPECT_EQ(budget.used_bytes(Class::kRequests), Lease::kGrainBytes);
    ASSERT_TRUE(lease.Grow(1));
    EXPECT_EQ(budget.used_bytes(Class::kRequests), 2 * Lease::kGrainBytes);
    EXPECT_EQ(lease.bytes(), Lease::kGrainBytes + 1);
    ASSERT_TRUE(lease.Resize(10 * Lease::kGrainBytes));
    EXPECT_EQ(budget.used_bytes(Class::kRequests), 10 * Lease::kGrainBytes);
    lease.Shrink(9 * Lease::kGrainBytes);
    EXPECT_EQ(budget.used_bytes(Class::kRequests), 2 * Lease::kGrainBytes);
    Lease moved = std::move(lease);
    EXPECT_EQ(moved.bytes(), Lease::kGrainBytes);
    lease = Lease(&budget, Class::kNames);
    ASSERT_TRUE(lease.Grow(5));
  }
  EXPECT_EQ(budget.total_bytes(), 0U);
}

TEST(MemoryLeaseTest, TheLastBytesAreHadToo) {
  Budget budget(kLimit);
  ASSERT_TRUE(budget.TryTake(Class::kNames, 450 * kMiB - 100));
  Lease other(&budget, Class::kNames);
  EXPECT_FALSE(other.Grow(101));
  EXPECT_EQ(other.bytes(), 0U);
  EXPECT_TRUE(other.Grow(100));
  EXPECT_EQ(budget.used_bytes(Class::kNames), 450 * kMiB);
  EXPECT_EQ(Refusals(budget, Class::kNames, Refusal::kShare), 1U);
}

TEST(MemoryLeaseTest, WithoutABudgetItOnlyCounts) {
  Lease lease;
  EXPECT_TRUE(lease.Grow(uint64_t{1} << 50));
  lease.Shrink(1);
  EXPECT_EQ(lease.bytes(), (uint64_t{1} << 50) - 1);
}

TEST(MemoryLeaseTest, ManyThreadsLeaveNothingBehind) {
  Budget budget(kLimit);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&budget] {
      for (uint64_t round = 0; round < 2000; ++round) {
        Lease lease(&budget, Class::kRequests);
        for (uint64_t n = 0; n < 20; ++n) static_cast<void>(lease.Grow(round * n * 100));
        lease.Shrink(lease.bytes() / 2);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(budget.total_bytes(), 0U);
}

}  // namespace
}  // namespace tidemark::memory
