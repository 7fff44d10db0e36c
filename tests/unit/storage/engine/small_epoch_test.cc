// Scattered old rows: few bytes in many partitions do not make a file for each.
#include <gmock/gmock.h>

#include <filesystem>

#include "storage/rocks/rocks_store.h"
#include "store_fixture.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNow = 1'700'000'000'000'000'000;

class SmallEpochTest : public StoreFixture {
 protected:
  [[nodiscard]] StoreOptions Small() {
    StoreOptions options = Options();
    options.small_epoch_bytes = 64 << 10;
    options.max_epochs = 2;
    return options;
  }
  [[nodiscard]] size_t Files() const {
    size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path() + "/data/rocksdb")) {
      files += entry.path().extension() == ".sst" ? 1 : 0;
    }
    return files;
  }
  // Those of pages; nobody has the store open.
  [[nodiscard]] size_t DataFiles() const {
    auto rocks = rocks::RocksStore::Open({.directory = directory_.path() + "/data/rocksdb",
                                          .file_system = nullptr,
                                          .cache_bytes = 1 << 20,
                                          .read_only = true,
                                          .on_error = nullptr});
    EXPECT_TRUE(rocks.ok());
    return rocks.ok() ? (*rocks)->DataFiles()->size() : 0;
  }
  void Scatter(int partitions, double value) {
    model::BatchBuilder builder;
    for (int i = 0; i < partitions; ++i) {
      builder.Row("cpu", {{"host", "a"}}, {kNow - i * 10 * kNsPerDay}).Field("usage", value);
    }
    Write(builder.batch());
  }
};

TEST_F(SmallEpochTest, AThousandPartitionsMakeNoFiles) {
  Open(Small());
  Scatter(1000, 1.5);
  ASSERT_TRUE(store_->Checkpoint().ok());
  EXPECT_EQ(store_->Stats().epochs, 1000U);
  EXPECT_EQ(store_->Stats().partitions, 1000U);
  EXPECT_GT(store_->Stats().disk_bytes, 0U);
  EXPECT_LE(Files(), 4U);  // of index and meta, from the making of the store and from the checkpoint
  // And hold no journal back.
  EXPECT_EQ(store_->Stats().journal_live_bytes, 0U);
  const auto check = [&] {
    const auto rows = Read({Equal("host", "a")});
    ASSERT_EQ(rows.size(), 1000U);
    EXPECT_EQ(rows.front().time_ns, kNow - 999 * 10 * kNsPerDay);
    EXPECT_EQ(rows.front().value, model::FieldValue(1.5));
  };
  check();
  Open(Small());
  EXPECT_EQ(store_->Stats().recovered_points, 0U);
  check();
  // Dropping them leaves nothing behind.
  auto view = store_->OpenView("").value();
  DatabaseOptions options;
  options.retention_ns = kNsPerDay;
  ASSERT_TRUE(store_->SetDatabaseOptions("", options).ok());
  ASSERT_EQ(*store_->ApplyRetention(), 999U);
  EXPECT_EQ(Read(*view, {Equal("host", "a")}).size(), 1000U);
  view.reset();
  ASSERT_TRUE(store_->RunMaintenance().ok());
  EXPECT_EQ(Read({Equal("host", "a")}).size(), 1U);
  EXPECT_EQ(store_->Stats().epochs, 1U);
}

TEST_F(SmallEpochTest, WhatGrowsGetsAFile) {
  Open(Small());
  const size_t before = Files();
  uint64_t seed = 1;
  int64_t time = kNow / kNsPerDay * kNsPerDay;
  for (int round = 0; round < 6; ++round) {
    model::BatchBuilder builder;
    for (int i = 0; i < 3000; ++i) {
      seed = seed * 6364136223846793005U + 1442695040888963407U;
      builder.Row("cpu", {{"host", "a"}}, {time += kSecond}).Field("usage", static_cast<double>(seed >> 11) * 0.7);
    }
    Write(builder.batch());
    ASSERT_TRUE(store_->Checkpoint().ok());
    if (round == 0) {
      EXPECT_LT(store_->Stats().disk_bytes, 64U << 10);
      EXPECT_LE(Files(), before + 2);  // of index and meta
    }
    ASSERT_TRUE(store_->RunMaintenance().ok());
  }
  ASSERT_TRUE(store_->Compact("", {}, nullptr).ok());
  EXPECT_EQ(store_->Stats().epochs, 1U);
  EXPECT_GT(store_->Stats().disk_bytes, 64U << 10);
  EXPECT_EQ(Read({Equal("host", "a")}).size(), 18'000U);
  ASSERT_TRUE(store_->Close().ok());
  EXPECT_EQ(DataFiles(), 1U);
  Open();
  EXPECT_EQ(Read({Equal("host", "a")}).size(), 18'000U);
}

TEST_F(SmallEpochTest, DeletionsAndOverwritesMeetThemAsTheyMeetOthers) {
  StoreOptions options = Small();
  options.longest_merge_ns = 0;  // five partitions stay five
  Open(options);
  Scatter(20, 1);
  ASSERT_TRUE(store_->Checkpoint().ok());
  ASSERT_TRUE(store_->Delete("", {.selectors = {{Equal("host", "a")}}, .range = {{0}, {kNow - kSecond}}}).ok());
  EXPECT_EQ(Read({Equal("host", "a")}).size(), 1U);
  Scatter(5, 2);
  ASSERT_TRUE(store_->Checkpoint().ok());
  Open(options);
  EXPECT_EQ(Read({Equal("host", "a")}).size(), 5U);
  ASSERT_TRUE(store_->Compact("", {}, nullptr).ok());
  const auto rows = Read({Equal("host", "a")});
  ASSERT_EQ(rows.size(), 5U);
  for (const ReadRow& row : rows) EXPECT_EQ(row.value, model::FieldValue(2.0));
  EXPECT_EQ(store_->Stats().epochs, 5U);
}

}  // namespace
}  // namespace tidemark::storage
