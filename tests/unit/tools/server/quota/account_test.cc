#include "tools/server/quota/account.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "storage/base/clock.h"

namespace tidemark::server::quota {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kHourNs = 3'600 * kSecondNs;

class AccountTest : public testing::Test {
 protected:
  ManualClock clock_{1'700'000'000 * kSecondNs};
  query::run::MemoryTotal all_{1'000};
  Account account_{"the token \"a\"", &clock_, &all_};

  // Writes to a series that is there. Whether that may be.
  bool Writes(uint64_t series) {
    bool held = false;
    if (account_.AdmitSeries(series, &held)) return false;
    if (held) account_.KeepSeries({&series, 1});
    return true;
  }
  // Makes up to so many series. How many could be made.
  int Make(int wanted, uint64_t first = 1) {
    int made = 0;
    for (; made < wanted && !account_.AdmitNewSeries(); ++made) {
      account_.SeriesMade(first + static_cast<uint64_t>(made));
    }
    return made;
  }
};

TEST_F(AccountTest, WithoutLimitsEverythingIsAdmittedAndCounted) {
  EXPECT_FALSE(account_.AdmitPoints(1'000'000));
  EXPECT_FALSE(account_.AdmitBytes(1'000'000'000));
  account_.SettlePoints(1'000'000, 1'000'000);
  account_.SettleBytes(1'000'000'000, 1'000'000'000);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(account_.AdmitNewSeries());
  EXPECT_FALSE(account_.AdmitFields());
  EXPECT_TRUE(Writes(1));
  EXPECT_EQ(account_.usage().points, 1'000'000U);
  EXPECT_EQ(account_.usage().bytes, 1'000'000'000U);
  EXPECT_EQ(account_.usage().series, 0U);
}

TEST_F(AccountTest, ADebtIsPaidBeforeTheNextWrite) {
  account_.SetLimits({.points_per_s = 100});
  // A full bucket is two seconds' share; 500 leave a debt of 300, which takes three seconds and a moment.
  EXPECT_FALSE(account_.AdmitPoints(500));
  const std::optional<Refusal> refusal = account_.AdmitPoints(1);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->retry_s, 4);
  EXPECT_EQ(refusal->reason, "the quota of the token \"a\" is used up: 100 points a second; try again in 4 s");
  clock_.Advance(3 * kSecondNs);
  EXPECT_TRUE(account_.AdmitPoints(1)) << "an empty bucket is no credit";
  clock_.Advance(kSecondNs / 100);
  EXPECT_FALSE(account_.AdmitPoints(1));
  EXPECT_EQ(account_.usage().points, 0U) << "nothing was written yet";
  account_.SettlePoints(501, 501);
  EXPECT_EQ(account_.usage().points, 501U);
  EXPECT_EQ(account_.usage().refused_writes, 2U);
}

TEST_F(AccountTest, WhatWasNotUsedIsGivenBack) {
  account_.SetLimits({.points_per_s = 100, .bytes_per_s = 100});
  for (int i = 0; i < 10; ++i) {
    ASSERT_FALSE(account_.AdmitPoints(500)) << i;
    ASSERT_FALSE(account_.AdmitBytes(500)) << i;
    account_.SettlePoints(500, 0);
    account_.SettleBytes(500, 0);
  }
  EXPECT_EQ(account_.usage().points, 0U);
  EXPECT_EQ(account_.usage().bytes, 0U);
  // A part of it.
  ASSERT_FALSE(account_.AdmitPoints(500));
  account_.SettlePoints(500, 199);
  EXPECT_FALSE(account_.AdmitPoints(1)) << "one was left";
  EXPECT_TRUE(account_.AdmitPoints(1));
  // What comes back late fills no bucket beyond its two seconds.
  clock_.Advance(kHourNs);
  account_.SettlePoints(1'000'000, 0);
  EXPECT_FALSE(account_.AdmitPoints(200));
  EXPECT_TRUE(account_.AdmitPoints(1));
}

TEST_F(AccountTest, WhoWaitsAsLongAsHeIsToldIsAdmitted) {
  account_.SetLimits({.bytes_per_s = 7});
  for (const uint64_t bytes : {14U, 15U, 100U, 1'000U}) {
    EXPECT_FALSE(account_.AdmitBytes(bytes)) << bytes;
    const std::optional<Refusal> refusal = account_.AdmitBytes(1);
    ASSERT_TRUE(refusal) << bytes;
    clock_.Advance(refusal->retry_s * kSecondNs);
    EXPECT_FALSE(account_.AdmitBytes(1)) << bytes;
    clock_.Advance(kHourNs);
  }
}

TEST_F(AccountTest, TheMeanRateHolds) {
  account_.SetLimits({.points_per_s = 1'000});
  uint64_t taken = 0;
  for (int step = 0; step < 1'000; ++step) {
    if (!account_.AdmitPoints(333)) taken += 333;
    clock_.Advance(kSecondNs / 10);
  }
  EXPECT_GE(taken, 100U * 1'000);
  EXPECT_LE(taken, 102U * 1'000 + 333);
}

TEST_F(AccountTest, ANewLimitBeginsFullAndTheSameOneChangesNothing) {
  account_.SetLimits({.points_per_s = 10});
  EXPECT_FALSE(account_.AdmitPoints(1'000));
  account_.SetLimits({.points_per_s = 10});
  EXPECT_TRUE(account_.AdmitPoints(1)) << "a debt is not let off";
  account_.SetLimits({.points_per_s = 20});
  EXPECT_FALSE(account_.AdmitPoints(1));
  account_.SetLimits({});
  EXPECT_FALSE(account_.AdmitPoints(1'000'000));
  EXPECT_FALSE(account_.AdmitPoints(1'000'000));
}

TEST_F(AccountTest, NewSeriesAreTakenOneByOne) {
  account_.SetLimits({.new_series_per_s = 5});
  EXPECT_EQ(Make(100), 10);
  const std::optional<Refusal> refusal = account_.AdmitNewSeries();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, "the quota of the token \"a\" is used up: 5 new series a second; try again in 1 s");
  clock_.Advance(kSecondNs / 5);
  EXPECT_EQ(Make(100), 1);
  clock_.Advance(kHourNs);
  EXPECT_EQ(Make(100), 10) << "a bucket holds two seconds";
  EXPECT_EQ(account_.usage().new_series, 21U);
}

TEST_F(AccountTest, ManyWritersMakeNoMoreSeriesThanOne) {
  account_.SetLimits({.new_series_per_s = 500, .series = 900});
  std::atomic<int> made{0};
  std::atomic<uint64_t> next{1};
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < 16; ++writer) {
      writers.emplace_back([&] {
        for (int i = 0; i < 200; ++i) {
          if (account_.AdmitNewSeries()) continue;
          // Every fifth is refused by another.
          if (i % 5 == 0) {
            account_.ReturnNewSeries();
            continue;
          }
          account_.SeriesMade(next.fetch_add(1));
          made.fetch_add(1);
        }
      });
    }
  }
  EXPECT_EQ(made, 900) << "the series, before the thousand that two seconds give";
  EXPECT_EQ(account_.usage().series, 900U);
  account_.SetLimits({.new_series_per_s = 500});
  EXPECT_EQ(Make(1'000, 10'000), 100) << "what was given back is there";
}

TEST_F(AccountTest, FieldsCountAsSeriesDoAndMayLeaveADebt) {
  account_.SetLimits({.new_series_per_s = 5});
  EXPECT_FALSE(account_.AdmitFields());
  account_.FieldsMade(20);
  EXPECT_TRUE(account_.AdmitFields());
  EXPECT_TRUE(account_.AdmitNewSeries());
  clock_.Advance(2 * kSecondNs);
  EXPECT_TRUE(account_.AdmitFields()) << "a debt of ten is paid, and nothing is left";
  clock_.Advance(kSecondNs / 5);
  EXPECT_FALSE(account_.AdmitFields());
  EXPECT_EQ(account_.usage().new_fields, 20U);
}

TEST_F(AccountTest, SeriesOfARefusedWriteDoNotCount) {
  account_.SetLimits({.series = 2});
  bool held = false;
  ASSERT_FALSE(account_.AdmitSeries(1, &held));
  ASSERT_TRUE(held);
  ASSERT_FALSE(account_.AdmitSeries(2, &held));
  EXPECT_TRUE(account_.AdmitSeries(3, &held));
  EXPECT_TRUE(account_.AdmitNewSeries()) << "nor is there a place for one that would be made";
  const uint64_t both[] = {1, 2};
  account_.ReturnSeries(both);
  EXPECT_EQ(account_.usage().series, 0U);
  EXPECT_TRUE(Writes(3));
  // Held by two, of whom one writes and the other does not.
  for (const bool keep_first : {true, false}) {
    const uint64_t one[] = {keep_first ? 4U : 5U};
    account_.SetLimits({});
    account_.SetLimits({.series = 1});
    ASSERT_FALSE(account_.AdmitSeries(one[0], &held));
    ASSERT_FALSE(account_.AdmitSeries(one[0], &held));
    ASSERT_TRUE(held);
    if (keep_first) {
      account_.KeepSeries(one);
      account_.ReturnSeries(one);
    } else {
      account_.ReturnSeries(one);
      account_.KeepSeries(one);
    }
    EXPECT_EQ(account_.usage().series, 1U) << keep_first;
    ASSERT_FALSE(account_.AdmitSeries(one[0], &held));
    EXPECT_FALSE(held) << "it counts for good";
  }
}

TEST_F(AccountTest, SeriesAreCountedOnceAndForgottenAfterTwoHours) {
  account_.SetLimits({.series = 3});
  for (const uint64_t hash : {1U, 2U, 3U, 1U, 2U, 3U}) EXPECT_TRUE(Writes(hash)) << hash;
  EXPECT_FALSE(Writes(4));
  clock_.Advance(kHourNs);
  // Those of the hour before still count, and come back.
  EXPECT_FALSE(Writes(4));
  EXPECT_TRUE(Writes(1));
  EXPECT_EQ(account_.usage().series, 3U);
  clock_.Advance(kHourNs);
  // 2 and 3 were not seen for an hour.
  EXPECT_TRUE(Writes(4));
  EXPECT_TRUE(Writes(5));
  EXPECT_FALSE(Writes(6));
  clock_.Advance(2 * kHourNs);
  for (const uint64_t hash : {6U, 7U, 8U}) EXPECT_TRUE(Writes(hash)) << hash;
}

TEST_F(AccountTest, QueriesGiveTheirPlaceBack) {
  account_.SetLimits({.queries = 2});
  Refusal refusal;
  std::unique_ptr<Account::Running> first = account_.BeginQuery(&refusal);
  std::unique_ptr<Account::Running> second = account_.BeginQuery(&refusal);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(account_.BeginQuery(&refusal), nullptr);
  EXPECT_NE(refusal.reason.find("2 queries at once"), std::string::npos) << refusal.reason;
  first.reset();
  EXPECT_NE(account_.BeginQuery(&refusal), nullptr);
  EXPECT_EQ(account_.usage().running_queries, 1U);
  EXPECT_EQ(account_.usage().refused_queries, 1U);
}

TEST_F(AccountTest, MemoryIsTakenOfBothAndGivenBack) {
  account_.SetLimits({.query_memory_bytes = 600});
  EXPECT_TRUE(account_.memory()->Take(600));
  EXPECT_EQ(account_.memory()->TakeUnlessFull(1), account_.memory());
  EXPECT_EQ(all_.bytes(), 600U);
  account_.memory()->Give(600);
  EXPECT_TRUE(all_.Take(500));
  EXPECT_EQ(account_.memory()->TakeUnlessFull(501), &all_) << "all is full, not the part";
  EXPECT_EQ(account_.memory()->bytes(), 0U);
  EXPECT_TRUE(account_.memory()->Take(500));
}

}  // namespace
}  // namespace tidemark::server::quota
