#include "storage/database/change_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

model::TimeRange Seconds(int64_t first, int64_t last) { return {{first * kSecond}, {last * kSecond}}; }

bool Has(const std::vector<model::TimeRange>& ranges, int64_t ns) {
  return std::ranges::any_of(ranges, [ns](const model::TimeRange& range) { return range.Contains({ns}); });
}

void Note(database::ChangeLog* log, model::TimeRange range) {
  const database::ChangeLog::Change change = log->Begin(range);
}

TEST(ChangeLogTest, NothingHasChangedSinceNow) {
  database::ChangeLog log;
  EXPECT_TRUE(log.Since(log.number()).empty());
  Note(&log, Seconds(1, 2));
  EXPECT_TRUE(log.Since(log.number()).empty());
  EXPECT_TRUE(Has(log.Since(0), kSecond));
}

TEST(ChangeLogTest, LogsHaveIdsOfTheirOwn) {
  const database::ChangeLog a;
  const database::ChangeLog b;
  EXPECT_NE(a.id(), 0U);
  EXPECT_NE(a.id(), b.id());
}

TEST(ChangeLogTest, AChangeCountsWhileItLastsAndGetsItsNumberAtTheEnd) {
  database::ChangeLog log;
  const uint64_t before = log.number();
  {
    const database::ChangeLog::Change change = log.Begin(Seconds(10, 10));
    EXPECT_EQ(log.number(), before);
    EXPECT_TRUE(Has(log.Since(before), 10 * kSecond));
    Note(&log, Seconds(50, 50));
    // A reader that begins now has perhaps not seen the change, whatever number it starts from.
    EXPECT_TRUE(Has(log.Since(log.number()), 10 * kSecond));
    EXPECT_FALSE(Has(log.Since(log.number()), 50 * kSecond));
  }
  EXPECT_TRUE(Has(log.Since(before + 1), 10 * kSecond));
  EXPECT_FALSE(Has(log.Since(before + 1), 50 * kSecond));
}

TEST(ChangeLogTest, ANewerChangeLeavesWhatItDoesNotCover) {
  database::ChangeLog log;
  Note(&log, Seconds(0, 99));
  const uint64_t mark = log.number();
  Note(&log, Seconds(40, 59));
  const auto since = log.Since(mark);
  ASSERT_EQ(since.size(), 1U);
  EXPECT_EQ(since[0].first.ns, 40 * kSecond);
  EXPECT_EQ(since[0].last.ns, 60 * kSecond - 1);
  ASSERT_EQ(log.Since(0).size(), 1U);
  EXPECT_EQ(log.Since(0)[0].first.ns, 0);
  EXPECT_EQ(log.Since(0)[0].last.ns, 100 * kSecond - 1);
}

TEST(ChangeLogTest, TheEndsOfTime) {
  database::ChangeLog log;
  Note(&log, {});
  const auto since = log.Since(0);
  ASSERT_EQ(since.size(), 1U);
  EXPECT_EQ(since[0], model::TimeRange{});
  const uint64_t mark = log.number();
  Note(&log, {model::kMinTime, model::kMinTime});
  Note(&log, {model::kMaxTime, model::kMaxTime});
  EXPECT_TRUE(Has(log.Since(mark), model::kMinTime.ns));
  EXPECT_TRUE(Has(log.Since(mark), model::kMaxTime.ns));
  EXPECT_FALSE(Has(log.Since(mark), 0));
}

TEST(ChangeLogTest, WhatIsHiddenNeverHolds) {
  database::ChangeLog log;
  EXPECT_FALSE(Has(log.Since(log.number()), 5 * kSecond));
  log.NoteHidden(7 * kSecond);
  log.NoteHidden(6 * kSecond);  // the clock went back
  EXPECT_TRUE(Has(log.Since(log.number()), 7 * kSecond));
  EXPECT_FALSE(Has(log.Since(log.number()), 7 * kSecond + 1));
}

TEST(ChangeLogTest, RowsInTheOrderOfTimeNeedOneIntervalASecond) {
  database::ChangeLog log;
  for (int64_t ms = 0; ms < 100'000; ++ms) Note(&log, {{ms * 1'000'000}, {ms * 1'000'000}});
  const uint64_t mark = log.number() - 1000;
  const auto since = log.Since(mark);
  ASSERT_EQ(since.size(), 1U);
  EXPECT_EQ(since[0].first.ns, 99 * kSecond);
}

TEST(ChangeLogTest, ForgottenChangesCountAsAllTime) {
  database::ChangeLog log;
  const auto some = static_cast<int64_t>(database::ChangeLog::kMaxIntervals) + 1;
  for (int64_t i = 0; i < some; ++i) Note(&log, Seconds(2 * i, 2 * i));
  EXPECT_EQ(log.Since(0), (std::vector<model::TimeRange>{model::TimeRange{}}));
  // What came last is remembered.
  const auto since = log.Since(log.number() - 10);
  ASSERT_EQ(since.size(), 10U);
  EXPECT_EQ(since[0].first.ns, 2 * (some - 10) * kSecond);
}

TEST(ChangeLogTest, AgreesWithAPlainList) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto below = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); };
    database::ChangeLog log;
    constexpr size_t kSeconds = 60;
    std::array<uint64_t, kSeconds> newest{};
    for (int i = 0; i < 60; ++i) {
      const size_t first = below(kSeconds);
      const size_t last = std::min(first + below(12), kSeconds - 1);
      Note(&log, Seconds(static_cast<int64_t>(first), static_cast<int64_t>(last)));
      for (size_t s = first; s <= last; ++s) newest[s] = log.number();
      const uint64_t mark = below(log.number() + 1);
      const auto since = log.Since(mark);
      for (size_t s = 0; s < kSeconds; ++s) {
        ASSERT_EQ(Has(since, static_cast<int64_t>(s) * kSecond + 1), newest[s] > mark) << "second " << s;
      }
      for (size_t r = 1; r < since.size(); ++r) ASSERT_GT(since[r].first.ns, since[r - 1].last.ns + 1);
    }
  }
}

TEST(TouchedRangesTest, LateRowsDoNotDragInWhatLiesBetween) {
  EXPECT_TRUE(database::TouchedRanges({}).empty());
  std::vector<model::ResolvedRow> rows(3);
  rows[0].time = {3600 * kSecond};
  rows[1].time = {0};
  rows[2].time = {3590 * kSecond};
  const auto ranges = database::TouchedRanges(rows);
  EXPECT_TRUE(Has(ranges, 0));
  EXPECT_TRUE(Has(ranges, 3590 * kSecond));
  EXPECT_TRUE(Has(ranges, 3600 * kSecond));
  EXPECT_FALSE(Has(ranges, 1800 * kSecond));
}

TEST(TouchedRangesTest, AllOfTime) {
  std::vector<model::ResolvedRow> rows(2);
  rows[0].time = model::kMaxTime;
  rows[1].time = model::kMinTime;
  const auto ranges = database::TouchedRanges(rows);
  EXPECT_TRUE(Has(ranges, model::kMinTime.ns));
  EXPECT_TRUE(Has(ranges, model::kMaxTime.ns));
}

// What views say of changes, for everything that changes what they show.
class ChangedSinceTest : public StoreFixture {
 protected:
  static constexpr int64_t kStart = 1'700'000'000 * kSecond;

  [[nodiscard]] std::shared_ptr<const View> OpenView() {
    auto view = store_->OpenView({});
    EXPECT_TRUE(view.ok());
    return *view;
  }
  // What has changed since `view`, as a view of now sees it.
  std::vector<model::TimeRange> Since(const View& view) { return OpenView()->ChangedSince(view.Changes()); }
};

TEST_F(ChangedSinceTest, Writes) {
  Open();
  WriteDouble("a", kStart, 1);
  const auto view = OpenView();
  EXPECT_NE(view->Changes().history, 0U);
  EXPECT_TRUE(Since(*view).empty());
  WriteDouble("a", kStart - 3600 * kSecond, 2);
  EXPECT_TRUE(Has(Since(*view), kStart - 3600 * kSecond));
  EXPECT_FALSE(Has(Since(*view), kStart));
}

TEST_F(ChangedSinceTest, ADryRunChangesNothingAndADeletionItsRange) {
  Open();
  WriteDouble("a", kStart, 1);
  const auto view = OpenView();
  DeleteRequest request{.selectors = {{Equal("host", "a")}}, .range = Seconds(0, 10), .fields = {}, .dry_run = true};
  ASSERT_TRUE(store_->Delete({}, request).ok());
  EXPECT_TRUE(Since(*view).empty());
  request.dry_run = false;
  ASSERT_TRUE(store_->Delete({}, request).ok());
  EXPECT_TRUE(Has(Since(*view), 5 * kSecond));
  EXPECT_FALSE(Has(Since(*view), 12 * kSecond));
}

TEST_F(ChangedSinceTest, ARetentionThatDropsPartitions) {
  Open();
  WriteDouble("a", kStart - 10 * kNsPerDay, 1);
  WriteDouble("a", kStart, 1);
  ASSERT_TRUE(store_->Checkpoint().ok());
  DatabaseOptions options;
  options.retention_ns = 2 * kNsPerDay;
  ASSERT_TRUE(store_->SetDatabaseOptions("default", options).ok());
  // What is no longer kept is hidden from the first look on, before its partition goes.
  const auto view = OpenView();
  EXPECT_TRUE(Has(Since(*view), kStart - 10 * kNsPerDay));
  EXPECT_FALSE(Has(Since(*view), kStart));
  auto dropped = store_->ApplyRetention();
  ASSERT_TRUE(dropped.ok());
  ASSERT_EQ(*dropped, 1U);
  EXPECT_TRUE(Has(Since(*view), kStart - 10 * kNsPerDay));
  EXPECT_FALSE(Has(Since(*view), kStart));
}

TEST_F(ChangedSinceTest, ARetentionOfSelectorsMovesOn) {
  Open();
  WriteDouble("a", kStart, 1);
  const auto before = OpenView();
  DatabaseOptions options;
  options.selectors.push_back({.matchers = {Equal("host", "a")}, .keep_ns = 3600 * kSecond});
  ASSERT_TRUE(store_->SetDatabaseOptions("default", options).ok());
  EXPECT_TRUE(Has(Since(*before), kStart));
  const auto view = OpenView();
  clock_.Advance(7200 * kSecond);
  const auto since = Since(*view);
  EXPECT_TRUE(Has(since, kStart + 3599 * kSecond));
  EXPECT_FALSE(Has(since, kStart + 3601 * kSecond));
}

TEST_F(ChangedSinceTest, WorkThatMovesRowsChangesNothing) {
  Open();
  for (int i = 0; i < 20; ++i) WriteDouble("a", kStart + i * kSecond, i);
  const auto view = OpenView();
  ASSERT_TRUE(store_->Checkpoint().ok());
  ASSERT_TRUE(store_->Compact("default", {}, [](const CompactionProgress&) {}).ok());
  EXPECT_TRUE(Since(*view).empty());
}

TEST_F(ChangedSinceTest, ADatabaseOfTheSameNameIsAnother) {
  Open();
  WriteDouble("a", kStart, 1);
  const auto view = OpenView();
  ASSERT_TRUE(store_->DropDatabase("default").ok());
  WriteDouble("a", kStart, 2);
  EXPECT_EQ(Since(*view), (std::vector<model::TimeRange>{model::TimeRange{}}));
}

}  // namespace
}  // namespace tidemark::storage
