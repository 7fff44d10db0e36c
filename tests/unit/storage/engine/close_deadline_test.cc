// A close that has only so much time: what it does not bring into pages stays in the journal.
#include <gmock/gmock.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "store_fixture.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kNow = 1'700'000'000'000'000'000;
constexpr int64_t kHour = 3'600'000'000'000;
constexpr int kDatabases = 5;
constexpr int kPartitions = 8;

// From Begin on each look at it takes a nanosecond: what time is left is how many looks are left.
class CountedClock final : public Clock {
 public:
  [[nodiscard]] int64_t NowNs() const override { return kNow; }
  [[nodiscard]] int64_t SteadyNs() const override { return counts_ ? looks_.fetch_add(1) : looks_.load(); }
  void Begin() { counts_ = true; }
  void End() { counts_ = false; }

 private:
  std::atomic<bool> counts_ = false;
  mutable std::atomic<int64_t> looks_ = 0;
};

class CloseDeadlineTest : public StoreFixture {
 protected:
  [[nodiscard]] StoreOptions Counted() {
    StoreOptions options = Options();
    options.clock = &counted_;
    options.new_database.partition_ns = kHour;
    return options;
  }
  void WriteAll() {
    for (int database = 0; database < kDatabases; ++database) {
      for (int partition = 0; partition < kPartitions; ++partition) {
        WriteDouble("a", kNow - partition * kHour, partition, NameOf(database));
      }
    }
  }
  void ExpectAll() {
    for (int database = 0; database < kDatabases; ++database) {
      EXPECT_EQ(Read({Equal("host", "a")}, {}, NameOf(database)).size(), static_cast<size_t>(kPartitions));
    }
  }
  // Closes with `looks` looks at the clock left. Returns how many it took.
  int64_t CloseWithin(int64_t looks) {
    const int64_t began = counted_.SteadyNs();
    counted_.Begin();
    auto closed = store_->Close(began + looks);
    counted_.End();
    EXPECT_TRUE(closed.ok()) << closed.error().message;
    return counted_.SteadyNs() - began;
  }
  static std::string NameOf(int database) { return "db" + std::to_string(database); }

  CountedClock counted_;
};

TEST_F(CloseDeadlineTest, WhereverTimeEndsNothingIsLostAndItStopsSoon) {
  constexpr uint64_t kAll = kDatabases * kPartitions;
  // Looks that are taken after the last: of other things than the checkpoint, and of each piece of a step, which looks
  // for itself.
  constexpr int64_t kOthers = 20 + 3 * kDatabases * kPartitions;
  uint64_t given_up = 0;
  uint64_t done = 0;
  for (int64_t looks = 0; done == 0; looks += 3) {
    SCOPED_TRACE(looks);
    ASSERT_LT(looks, 1'000) << "it never came to its end";
    Open(Counted());
    WriteAll();
    EXPECT_LE(CloseWithin(looks), looks + kOthers);
    Open(Counted());
    ExpectAll();
    // All or nothing: a checkpoint is one change of meta.
    const uint64_t replayed = store_->Stats().recovered_points;
    if (replayed == 0) {
      ++done;
    } else {
      EXPECT_GE(replayed, kAll);
      EXPECT_EQ(store_->Stats().epochs, 0U);
      ++given_up;
    }
    ASSERT_TRUE(store_->Close().ok());
    store_.reset();
    std::filesystem::remove_all(Counted().directory);
  }
  EXPECT_GT(given_up, 10U);
}

TEST_F(CloseDeadlineTest, ACloseWithTimeTakesACheckpoint) {
  Open(Counted());
  WriteAll();
  ASSERT_TRUE(store_->Close().ok());
  Open(Counted());
  EXPECT_EQ(store_->Stats().recovered_points, 0U);
  ExpectAll();
}

}  // namespace
}  // namespace tidemark::storage
