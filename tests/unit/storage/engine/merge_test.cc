// Old partitions become longer ones: by a compaction, and by the background in its own time; readers see no difference.
#include <fmt/core.h>

#include <cmath>
#include <random>

#include "store_fixture.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStep = 300 * kSecond;
constexpr int64_t kDay = kNsPerDay;
// A target of 64 days begins; the clock of the fixture is past its end.
constexpr int64_t kFirstDay = 1'700'000'000 * kSecond / (64 * kDay) * 64 - 64;

class MergeTest : public StoreFixture {
 protected:
  void Open() { StoreFixture::Open(MergeOptions()); }
  [[nodiscard]] StoreOptions MergeOptions() {
    StoreOptions options = Options();
    options.small_epoch_bytes = small_epoch_bytes_;
    return options;
  }

  // A value each five minutes of the days [first, first + count), counted from kFirstDay on.
  void WriteDays(int64_t first, int64_t count, double base = 0, const std::string& host = "a") {
    model::BatchBuilder rows;
    for (int64_t at = (kFirstDay + first) * kDay; at < (kFirstDay + first + count) * kDay; at += kStep) {
      const double value = base + static_cast<double>(at / kStep % 977) / 8;
      rows.Row("cpu", {{"host", host}}, {at}).Field("usage", value);
      if (host == "a") expected_[at] = value;
    }
    Write(rows.batch());
  }
  void WriteOne(int64_t time_ns, double value) {
    WriteDouble("a", time_ns, value);
    expected_[time_ns] = value;
  }
  void Check() {
    const std::vector<ReadRow> rows = Read({Equal("host", "a")});
    ASSERT_EQ(rows.size(), expected_.size());
    size_t i = 0;
    for (const auto& [time, value] : expected_) {
      ASSERT_EQ(rows[i].time_ns, time) << i;
      ASSERT_EQ(rows[i].value, model::FieldValue(value)) << i;
      ++i;
    }
  }
  void Compact() {
    auto done = store_->Compact("default", {}, nullptr);
    ASSERT_TRUE(done.ok()) << done.error().message;
    EXPECT_EQ(done->partitions_done, done->partitions_total);
  }
  void Maintain() {
    auto done = store_->RunMaintenance();
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  // Lets the background come to rest.
  void Settle() {
    for (int i = 0; i < 40; ++i) {
      Maintain();
      clock_.Advance(700 * kSecond);
    }
  }
  std::vector<PartitionInfo> Partitions() {
    auto view = store_->OpenView("");
    EXPECT_TRUE(view.ok());
    return (*view)->Partitions();
  }

  uint64_t small_epoch_bytes_ = 0;
  std::map<int64_t, double> expected_;
};

TEST_F(MergeTest, ACompactionMergesWhatIsOld) {
  Open();
  WriteDays(0, 64);
  ASSERT_TRUE(store_->Checkpoint().ok());
  ASSERT_EQ(store_->Stats().partitions, 64U);
  Compact();
  const auto partitions = Partitions();
  ASSERT_EQ(partitions.size(), 1U);
  EXPECT_EQ(partitions[0].bounds.first.ns, kFirstDay * kDay);
  EXPECT_EQ(partitions[0].bounds.last.ns, (kFirstDay + 64) * kDay - 1);
  EXPECT_TRUE(partitions[0].sealed);
  EXPECT_EQ(partitions[0].row_count, expected_.size());
  EXPECT_EQ(store_->Stats().merges, 1U);
  EXPECT_EQ(store_->Stats().partitions_merged, 64U);
  EXPECT_GT(store_->Stats().fold_memory_peak_bytes, 0U);
  Check();
  // There is nothing more to do.
  Compact();
  EXPECT_EQ(store_->Stats().merges, 1U);
  CloseAndOpen();
  Check();
}

TEST_F(MergeTest, TheSameByTheBackgroundWhenItHasBeenQuiet) {
  Open();
  WriteDays(0, 64);
  ASSERT_TRUE(store_->Checkpoint().ok());
  Settle();
  EXPECT_EQ(store_->Stats().merges, 0U) << "64 partitions are sealed one after the other first";
  Settle();
  Settle();
  ASSERT_EQ(store_->Stats().partitions, 1U);
  Check();
  CloseAndOpen();
  Check();
}

TEST_F(MergeTest, NewRowsOfTheMergedTimeJoinIt) {
  Open();
  WriteDays(0, 16);
  ASSERT_TRUE(store_->Checkpoint().ok());
  Compact();
  ASSERT_EQ(store_->Stats().partitions, 1U);
  // Overwrites, and days that had nothing.
  WriteDays(3, 1, 1000);
  WriteDays(40, 1, 2000);
  Check();
  ASSERT_TRUE(store_->Checkpoint().ok());
  EXPECT_EQ(store_->Stats().partitions, 1U);
  Check();
  Compact();
  EXPECT_EQ(store_->Stats().epochs, 1U);
  Check();
}

TEST_F(MergeTest, WhatIsNotPastIsLeft) {
  clock_.Set((kFirstDay + 64) * kDay + kNsPerHour - kSecond);
  Open();
  WriteDays(0, 64);
  Compact();
  EXPECT_EQ(store_->Stats().merges, 7U) << "eight days each, and the last ones are not past for an hour";
  EXPECT_EQ(store_->Stats().partitions, 7U + 8U);
  clock_.Advance(2 * kSecond);
  Compact();
  EXPECT_EQ(store_->Stats().partitions, 1U);
  Check();
}

TEST_F(MergeTest, SmallOnesInMetaToo) {
  small_epoch_bytes_ = 1 << 20;
  Open();
  for (int64_t day = 0; day < 30; ++day) WriteOne((kFirstDay + day) * kDay + day, static_cast<double>(day));
  Compact();
  EXPECT_EQ(store_->Stats().partitions, 1U);
  Check();
  CloseAndOpen();
  Check();
}

TEST_F(MergeTest, AViewHeldOpenOverItKeepsItsPicture) {
  Open();
  WriteDays(0, 20);
  ASSERT_TRUE(store_->Checkpoint().ok());
  auto view = store_->OpenView("");
  ASSERT_TRUE(view.ok());
  const std::vector<ReadRow> before = Read(**view, {Equal("host", "a")});
  WriteDays(2, 1, 500);
  Compact();
  const std::vector<ReadRow> after = Read(**view, {Equal("host", "a")});
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) ASSERT_EQ(before[i].value, after[i].value) << i;
  Check();
}

TEST_F(MergeTest, DeletionsBetweenTheEpochsHideWhatCameBefore) {
  Open();
  WriteDays(0, 8);
  ASSERT_TRUE(store_->Checkpoint().ok());
  DeleteRequest request;
  request.selectors.push_back({Equal("host", "a")});
  request.range = {{(kFirstDay + 2) * kDay}, {(kFirstDay + 12) * kDay - 1}};
  ASSERT_TRUE(store_->Delete("", request).ok());
  expected_.erase(expected_.lower_bound(request.range.first.ns), expected_.upper_bound(request.range.last.ns));
  // Written after it, in days that it has touched and in others.
  WriteDays(6, 1, 100);
  WriteDays(10, 10, 200);
  ASSERT_TRUE(store_->Checkpoint().ok());
  Check();
  Compact();
  EXPECT_EQ(store_->Stats().partitions, 1U);
  Check();
  CloseAndOpen();
  Check();
  request.range = {{(kFirstDay + 6) * kDay}, {(kFirstDay + 11) * kDay - 1}};
  ASSERT_TRUE(store_->Delete("", request).ok());
  expected_.erase(expected_.lower_bound(request.range.first.ns), expected_.upper_bound(request.range.last.ns));
  Check();
  Compact();
  Check();
}

TEST_F(MergeTest, RetentionBoundsIt) {
  Open();
  DatabaseOptions options;
  clock_.Set((kFirstDay + 70) * kDay);
  options.retention_ns = 100 * kDay;  // an eighth is more than eight days
  ASSERT_TRUE(store_->CreateDatabase("default", options).ok());
  WriteDays(0, 64);
  Compact();
  EXPECT_EQ(store_->Stats().partitions, 8U);
  Check();
  // Readers' floor falls inside one: it is split, and what is before goes.
  clock_.Set((kFirstDay + 104) * kDay);
  expected_.erase(expected_.begin(), expected_.lower_bound((kFirstDay + 4) * kDay));
  Check();
  ASSERT_TRUE(store_->ApplyRetention().ok());
  EXPECT_EQ(store_->Stats().splits, 1U);
  EXPECT_EQ(store_->Stats().partitions, 7U + 4U);
  EXPECT_EQ(Partitions().front().bounds.first.ns, (kFirstDay + 4) * kDay);
  Check();
  // It stays so: nothing is merged that would be split again.
  Compact();
  EXPECT_EQ(store_->Stats().partitions, 7U + 4U);
  CloseAndOpen();
  Check();
  clock_.Set((kFirstDay + 109) * kDay);
  ASSERT_TRUE(store_->ApplyRetention().ok());
  EXPECT_EQ(store_->Stats().partitions, 6U + 7U);
  EXPECT_EQ(Partitions().front().bounds.first.ns, (kFirstDay + 9) * kDay);
  expected_.erase(expected_.begin(), expected_.lower_bound((kFirstDay + 9) * kDay));
  Check();
}

TEST_F(MergeTest, ASplitIsBoundedByWhatItCosts) {
  Open();
  DatabaseOptions options;
  clock_.Set((kFirstDay + 70) * kDay);
  options.retention_ns = 520 * kDay;
  ASSERT_TRUE(store_->CreateDatabase("default", options).ok());
  WriteDays(0, 64);
  Compact();
  ASSERT_EQ(store_->Stats().partitions, 1U);
  // Each day the retention goes on by one, and at no time is there more than a day of what is too old.
  uint64_t splits = 0;
  for (int64_t day = 0; day < 20; ++day) {
    clock_.Set((kFirstDay + 520 + day) * kDay + kNsPerHour);
    ASSERT_TRUE(store_->ApplyRetention().ok());
    EXPECT_GE(Partitions().front().bounds.first.ns, (kFirstDay + day) * kDay);
    expected_.erase(expected_.begin(), expected_.lower_bound((kFirstDay + day) * kDay + kNsPerHour));
    Check();
    splits = store_->Stats().splits;
    if (day == 0) {
      EXPECT_EQ(store_->Stats().partitions, 1U) << "of a day a part only is too old";
    }
  }
  EXPECT_EQ(splits, 1U + 3U) << "into eight, and three of these";
}

TEST_F(MergeTest, BytesAreKeptToADay) {
  Open();
  // What cannot be made smaller, so that a day takes as much alone as in a merged partition.
  std::mt19937_64 random(7);
  for (int64_t day = 0; day < 65; ++day) {
    model::BatchBuilder rows;
    for (int64_t at = (kFirstDay + day) * kDay; at < (kFirstDay + day + 1) * kDay; at += kStep) {
      const double value = std::ldexp(static_cast<double>(random()), -70);
      rows.Row("cpu", {{"host", "a"}}, {at}).Field("usage", value);
      expected_[at] = value;
    }
    Write(rows.batch());
  }
  clock_.Set((kFirstDay + 70) * kDay);
  Compact();
  ASSERT_EQ(store_->Stats().partitions, 2U);
  DatabaseOptions options = store_->Databases()[0].options;
  const uint64_t day = store_->Stats().disk_bytes / 64;
  options.max_bytes = store_->Stats().disk_bytes - 1;
  ASSERT_TRUE(store_->SetDatabaseOptions("default", options).ok());
  ASSERT_TRUE(store_->ApplyRetention().ok());
  EXPECT_LE(store_->Stats().disk_bytes, options.max_bytes);
  const int64_t first_ns = Partitions().front().bounds.first.ns;
  // A file takes as much as the rows of a day here, so that the split itself takes some days.
  EXPECT_LE(first_ns, (kFirstDay + 8) * kDay) << day;
  expected_.erase(expected_.begin(), expected_.lower_bound(first_ns));
  Check();
  // Less and less of it, and never much less than may be.
  for (int i = 2; i < 5; ++i) {
    options.max_bytes -= 3 * day;
    ASSERT_TRUE(store_->SetDatabaseOptions("default", options).ok());
    ASSERT_TRUE(store_->ApplyRetention().ok());
    EXPECT_LE(store_->Stats().disk_bytes, options.max_bytes);
    EXPECT_GT(store_->Stats().disk_bytes + 2 * day, options.max_bytes);
    expected_.erase(expected_.begin(), expected_.lower_bound(Partitions().front().bounds.first.ns));
    Check();
  }
}

TEST_F(MergeTest, TiersAnswerAsTheRowsDo) {
  Open();
  DatabaseOptions options;
  options.tiers = {{.width_ns = kNsPerHour, .keep_ns = 0}};
  ASSERT_TRUE(store_->CreateDatabase("default", options).ok());
  WriteDays(0, 64);
  Compact();
  auto view = store_->OpenView("");
  ASSERT_TRUE(view.ok());
  auto refs = (*view)->Select(std::vector<model::Matcher>{Equal("host", "a")}, {}, {});
  ASSERT_TRUE(refs.ok());
  const model::TimeRange range{{kFirstDay * kDay + 1}, {(kFirstDay + 64) * kDay}};
  auto cursor = (*view)->ScanTier(*refs, range, kNsPerHour);
  TierColumn column;
  auto more = cursor->Next(&column);
  ASSERT_TRUE(more.ok() && *more);
  ASSERT_EQ(column.buckets, 64U * 24U);
  uint64_t rows = 0;
  for (size_t i = 0; i < column.buckets; ++i) {
    EXPECT_TRUE(column.trusted[i]) << i;
    rows += column.count[i];
  }
  EXPECT_EQ(rows, expected_.size() - 1) << "the row at the very beginning is of the bucket before";
}

TEST_F(MergeTest, NoneIsLongerThanTheStoreSays) {
  StoreOptions options = MergeOptions();
  options.longest_merge_ns = 8 * kDay;
  StoreFixture::Open(options);
  WriteDays(0, 64);
  Compact();
  EXPECT_EQ(store_->Stats().partitions, 8U);
  options.longest_merge_ns = 0;
  options.directory += "-none";
  StoreFixture::Open(options);
  expected_.clear();
  WriteDays(0, 16);
  Compact();
  EXPECT_EQ(store_->Stats().partitions, 16U);
  Check();
}

}  // namespace
}  // namespace tidemark::storage
