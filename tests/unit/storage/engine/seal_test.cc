// Sealing: partitions that are past become one small epoch by themselves, in their own time.
#include <gmock/gmock.h>

#include "store_fixture.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kDay = 1'699'920'000'000'000'000;  // a day begins

class SealTest : public StoreFixture {
 protected:
  StoreOptions SealOptions() {
    StoreOptions options = Options();
    options.seal_grace_ns = kNsPerHour;
    options.seal_quiet_ns = 600 * kSecond;
    return options;
  }
  // `rows` rows 10 s apart from `start` on: a walk.
  void WriteWalk(int64_t start_ns, int rows, int64_t value) {
    model::BatchBuilder builder;
    for (int i = 0; i < rows; ++i) {
      value += (i * 7 + i / 3) % 3 - 1;
      builder.Row("cpu", {{"host", "a"}}, {start_ns + i * 10 * kSecond}).Field("busy", value);
    }
    Write(builder.batch());
    ASSERT_TRUE(store_->Checkpoint().ok());
  }
  void Maintain() {
    auto done = store_->RunMaintenance();
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
};

TEST_F(SealTest, APartitionIsSealedWhenItIsPastAndQuiet) {
  clock_.Set(kDay + kNsPerDay);
  Open(SealOptions());
  WriteWalk(kDay, 4000, 50);
  WriteWalk(kDay + 4000 * 10 * kSecond, 4000, 50);
  const uint64_t before = store_->Stats().disk_bytes;
  const std::vector<ReadRow> rows = Read({});
  Maintain();
  clock_.Advance(2 * kNsPerHour);
  // Past now, and seen so; but nobody knows yet for how long it has been quiet.
  Maintain();
  EXPECT_EQ(store_->Stats().sealed_epochs, 0U);
  clock_.Advance(601 * kSecond);
  Maintain();
  StoreStats stats = store_->Stats();
  EXPECT_EQ(stats.seals, 1U);
  EXPECT_EQ(stats.sealed_epochs, 1U);
  EXPECT_EQ(stats.epochs, 1U);
  EXPECT_EQ(stats.seal_queue, 0U);
  EXPECT_EQ(stats.seal_bytes_read, before);
  EXPECT_EQ(stats.seal_bytes_written, stats.disk_bytes);
  EXPECT_LT(stats.disk_bytes, before);
  const std::vector<ReadRow> sealed = Read({});
  ASSERT_EQ(sealed.size(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(sealed[i].value, rows[i].value) << i;
  // Once is enough, also after a restart.
  CloseAndOpen();
  Maintain();
  clock_.Advance(kNsPerHour);
  Maintain();
  EXPECT_EQ(store_->Stats().seals, 0U);
  EXPECT_EQ(store_->Stats().sealed_epochs, 1U);
}

TEST_F(SealTest, LateDataIsSealedAnewOnlyWhenItIsWorthIt) {
  clock_.Set(kDay + 2 * kNsPerDay);
  Open(SealOptions());
  WriteWalk(kDay, 4000, 50);
  Maintain();
  clock_.Advance(601 * kSecond);
  Maintain();
  ASSERT_EQ(store_->Stats().seals, 1U);
  const auto settle = [&] {
    Maintain();
    clock_.Advance(601 * kSecond);
    Maintain();
  };
  WriteWalk(kDay + 5 * kSecond, 10, 7);
  settle();
  EXPECT_EQ(store_->Stats().seals, 1U);
  EXPECT_EQ(store_->Stats().epochs, 2U);
  // One row in twenty.
  WriteWalk(kDay + 20'005 * kSecond, 200, 7);
  settle();
  EXPECT_EQ(store_->Stats().seals, 2U);
  EXPECT_EQ(store_->Stats().epochs, 1U);
  // Few rows, but many epochs.
  for (int i = 0; i < 3; ++i) WriteWalk(kDay + (2 + i) * kSecond, 1, 9);
  settle();
  EXPECT_EQ(store_->Stats().seals, 3U);
  EXPECT_EQ(store_->Stats().epochs, 1U);
  EXPECT_EQ(Read({}).size(), 4000U + 10 + 200 + 3);
}

TEST_F(SealTest, SealingKeepsToItsRate) {
  clock_.Set(kDay + 10 * kNsPerDay);
  StoreOptions options = SealOptions();
  options.seal_bytes_per_second = 1;
  Open(options);
  WriteWalk(kDay, 4000, 50);
  WriteWalk(kDay + kNsPerDay, 4000, 50);
  Maintain();
  clock_.Advance(601 * kSecond);
  Maintain();
  Maintain();
  StoreStats stats = store_->Stats();
  EXPECT_EQ(stats.seals, 1U);
  EXPECT_EQ(stats.seal_queue, 1U);
  clock_.Advance(static_cast<int64_t>(stats.seal_bytes_read) * kSecond);
  Maintain();
  EXPECT_EQ(store_->Stats().seals, 2U);
}

TEST_F(SealTest, CompactSealsTheWholeDatabase) {
  clock_.Set(kDay + 100 * kSecond);
  Open(SealOptions());
  WriteWalk(kDay, 2000, 50);
  auto done = store_->Compact("", {}, nullptr);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->partitions_done, 1U);
  EXPECT_EQ(store_->Stats().sealed_epochs, 1U);
  done = store_->Compact("", {}, nullptr);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->partitions_total, 0U);
}

}  // namespace
}  // namespace tidemark::storage
