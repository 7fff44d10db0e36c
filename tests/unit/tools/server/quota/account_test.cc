#include "tools/server/quota/account.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <optional>

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
};

TEST_F(AccountTest, WithoutLimitsEverythingIsAdmittedAndCounted) {
  EXPECT_FALSE(account_.AdmitPoints(1'000'000));
  EXPECT_FALSE(account_.AdmitBytes(1'000'000'000));
  EXPECT_EQ(account_.NewSeriesLeft(), std::numeric_limits<uint64_t>::max());
  EXPECT_TRUE(account_.AdmitSeries(1));
  EXPECT_FALSE(account_.counts_series());
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
  EXPECT_EQ(account_.usage().points, 501U);
  EXPECT_EQ(account_.usage().refused_writes, 2U);
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

TEST_F(AccountTest, NewSeriesAreToldBeforeAndNotedAfter) {
  account_.SetLimits({.new_series_per_s = 5});
  EXPECT_EQ(account_.NewSeriesLeft(), 10U);
  account_.NoteNewSeries(10);
  EXPECT_EQ(account_.NewSeriesLeft(), 0U);
  clock_.Advance(kSecondNs / 5);
  EXPECT_EQ(account_.NewSeriesLeft(), 1U);
  clock_.Advance(kHourNs);
  EXPECT_EQ(account_.NewSeriesLeft(), 10U) << "a bucket holds two seconds";
  EXPECT_EQ(account_.usage().new_series, 10U);
}

TEST_F(AccountTest, SeriesAreCountedOnceAndForgottenAfterTwoHours) {
  account_.SetLimits({.series = 3});
  for (const uint64_t hash : {1U, 2U, 3U, 1U, 2U, 3U}) EXPECT_TRUE(account_.AdmitSeries(hash)) << hash;
  EXPECT_FALSE(account_.AdmitSeries(4));
  clock_.Advance(kHourNs);
  // Those of the hour before still count, and come back.
  EXPECT_FALSE(account_.AdmitSeries(4));
  EXPECT_TRUE(account_.AdmitSeries(1));
  EXPECT_EQ(account_.usage().series, 3U);
  clock_.Advance(kHourNs);
  // 2 and 3 were not seen for an hour.
  EXPECT_TRUE(account_.AdmitSeries(4));
  EXPECT_TRUE(account_.AdmitSeries(5));
  EXPECT_FALSE(account_.AdmitSeries(6));
  clock_.Advance(2 * kHourNs);
  for (const uint64_t hash : {6U, 7U, 8U}) EXPECT_TRUE(account_.AdmitSeries(hash)) << hash;
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
