// What a machine's clock that is set wrong does to points: nothing, until it is confirmed.
#include "store_fixture.h"
#include "tests/stepped_clock.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kNow = 1'700'000'000'000'000'000;
constexpr int64_t kMinute = 60'000'000'000;

class ClockTest : public StoreFixture {
 protected:
  void OpenWith(int64_t keep_ns, std::string boot = "one") {
    StoreOptions options = Options();
    options.clock = &machine_;
    options.boot_id = std::move(boot);
    options.new_database.retention_ns = keep_ns;
    options.new_database.partition_ns = kNsPerHour;
    Open(std::move(options));
  }
  // Background work of a while.
  void Work(int64_t for_ns) {
    for (int64_t passed_ns = 0; passed_ns < for_ns; passed_ns += kMinute) {
      machine_.Advance(kMinute);
      const auto done = store_->RunMaintenance();
      ASSERT_TRUE(done.ok()) << done.error().message;
    }
  }
  size_t Rows() { return Read({Equal("__name__", "cpu_usage")}).size(); }
  uint64_t Dropped() {
    const auto dropped = store_->ApplyRetention();
    EXPECT_TRUE(dropped.ok()) << dropped.error().message;
    return dropped.ok() ? *dropped : 0;
  }

  SteppedClock machine_{kNow};
};

TEST_F(ClockTest, FarAheadForAMinuteDropsHidesAndRefusesNothing) {
  OpenWith(30 * kNsPerDay);
  WriteDouble("a", kNow - kNsPerDay, 1);
  WriteDouble("a", kNow, 2);
  ASSERT_TRUE(store_->Checkpoint().ok());
  machine_.Step(400 * kNsPerDay);
  EXPECT_EQ(Rows(), 2U) << "before anybody has looked at the clock";
  EXPECT_EQ(Dropped(), 0U);
  Work(2 * kMinute);
  EXPECT_EQ(Rows(), 2U);
  EXPECT_EQ(Dropped(), 0U);
  WriteDouble("a", kNow - 2 * kNsPerDay, 3);
  EXPECT_EQ(Rows(), 3U);
  ASSERT_EQ(store_->Findings().size(), 1U);
  EXPECT_EQ(store_->Findings()[0].area, model::FindingArea::kClock);
  EXPECT_FALSE(store_->Findings()[0].stops_writes);
  // What is planned is what would be done.
  const auto plan = store_->PlanRetention("default", store_->Databases()[0].options);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->partitions, 0U);

  machine_.Step(-400 * kNsPerDay);
  Work(2 * kMinute);
  EXPECT_TRUE(store_->Findings().empty());
  EXPECT_EQ(Rows(), 3U);
}

TEST_F(ClockTest, WhatSomebodyConfirmsIsInForceAtOnceAndAfterARestart) {
  OpenWith(30 * kNsPerDay);
  WriteDouble("a", kNow, 1);
  ASSERT_TRUE(store_->Checkpoint().ok());
  Work(kMinute);
  machine_.Step(400 * kNsPerDay);
  Work(kMinute);
  EXPECT_TRUE(store_->ReadClock().jumped);
  const auto accepted = store_->AcceptClock();
  ASSERT_TRUE(accepted.ok()) << accepted.error().message;
  EXPECT_FALSE(store_->ReadClock().jumped);
  EXPECT_EQ(Rows(), 0U);
  EXPECT_EQ(Dropped(), 1U);
  model::BatchBuilder old;
  old.Row("cpu", {{"host", "a"}}, {kNow}).Field("usage", 1.0);
  const auto refused = store_->Write("", old.batch());
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->rows_rejected, 1U);
  // Killed: what was confirmed has been kept.
  store_.reset();
  OpenWith(30 * kNsPerDay, "two");
  EXPECT_FALSE(store_->ReadClock().jumped);
}

TEST_F(ClockTest, AJumpOutlivesAStopAndAPowerCut) {
  OpenWith(30 * kNsPerDay);
  WriteDouble("a", kNow, 1);
  Work(kMinute);
  ASSERT_TRUE(store_->Close().ok());
  machine_.Step(400 * kNsPerDay);
  OpenWith(30 * kNsPerDay, "two");
  EXPECT_TRUE(store_->ReadClock().jumped);
  EXPECT_EQ(Dropped(), 0U);
  EXPECT_EQ(Rows(), 1U);
  Work(kMinute);
  // Killed, and another boot.
  store_.reset();
  OpenWith(30 * kNsPerDay, "three");
  EXPECT_TRUE(store_->ReadClock().jumped);
  EXPECT_EQ(Rows(), 1U);
}

// By the machine's time rows are written, so they are not too old for it.
TEST_F(ClockTest, FarBehindRefusesNothing) {
  OpenWith(10 * kMinute);
  machine_.Step(-2 * kNsPerHour);
  WriteDouble("a", machine_.NowNs(), 1);
  Work(kMinute);
  WriteDouble("a", machine_.NowNs(), 2);
  EXPECT_EQ(Rows(), 2U);
  EXPECT_TRUE(store_->ReadClock().jumped);
  machine_.Step(2 * kNsPerHour);
  Work(kMinute);
  EXPECT_FALSE(store_->ReadClock().jumped);
  EXPECT_EQ(Rows(), 0U) << "older than ten minutes, by a time that is trusted";
}

TEST_F(ClockTest, SelectorsAndTiersGrowOldByIt) {
  StoreOptions options = Options();
  options.clock = &machine_;
  options.boot_id = "one";
  options.new_database.partition_ns = kNsPerHour;
  options.new_database.selectors.push_back({{Equal("__name__", "cpu_usage")}, kNsPerDay});
  options.new_database.tiers = {{.width_ns = 5 * kMinute, .keep_ns = 30 * kNsPerDay}};
  Open(std::move(options));
  WriteDouble("a", kNow - kNsPerHour, 1);
  machine_.Step(400 * kNsPerDay);
  EXPECT_EQ(Rows(), 1U);
  WriteDouble("a", kNow - kNsPerHour + 1, 2);
  Work(kMinute);
  EXPECT_EQ(Rows(), 2U);
  const auto compacted = store_->Compact("default", {}, [](const CompactionProgress&) {});
  ASSERT_TRUE(compacted.ok()) << compacted.error().message;
  EXPECT_EQ(Rows(), 2U);
  ASSERT_TRUE(store_->AcceptClock().ok());
  EXPECT_EQ(Rows(), 0U);
}

TEST_F(ClockTest, OneThatWasNeverSetCannotBeConfirmed) {
  machine_.Step(-kNow);
  OpenWith(30 * kNsPerDay);
  EXPECT_FALSE(store_->ReadClock().jumped);
  EXPECT_FALSE(store_->AcceptClock().ok());
  WriteDouble("a", machine_.NowNs(), 1);
  // The first time that was set is trusted as that of a first start is.
  machine_.Step(kNow);
  WriteDouble("a", machine_.NowNs(), 2);
  Work(kMinute);
  EXPECT_FALSE(store_->ReadClock().jumped);
  EXPECT_EQ(Rows(), 1U);
}

}  // namespace
}  // namespace tidemark::storage
