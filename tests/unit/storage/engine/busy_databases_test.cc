// Many databases share the memory of rows that are not in pages yet; none of them has much of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "store_fixture.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kNow = 1'700'000'000'000'000'000;
constexpr int64_t kSecond = 1'000'000'000;
constexpr int kDatabases = 60;
constexpr uint64_t kBudget = uint64_t{8} << 20;

class BusyDatabasesTest : public StoreFixture {
 protected:
  [[nodiscard]] StoreOptions Busy(bool background) {
    StoreOptions options = Options();
    options.staged_bytes = kBudget;
    options.background = background;
    options.journal_segment_bytes = 16 << 20;
    return options;
  }
  // Round `round` of the rows of one database, in a batch of its own.
  static void Fill(model::BatchBuilder* builder, int round) {
    constexpr int kRows = 2'000;
    builder->Clear();
    for (int i = round * kRows; i < (round + 1) * kRows; ++i) {
      builder->Row("cpu", {{"host", std::to_string(i % 10)}}, {kNow + i * kSecond}).Field("usage", i * 0.37);
    }
  }
  static std::string NameOf(int database) { return "busy" + std::to_string(database); }
};

TEST_F(BusyDatabasesTest, TheBudgetIsKeptWhereNoneHasAnEighthOfIt) {
  Open(Busy(false));
  model::BatchBuilder builder;
  uint64_t most = 0;
  for (int round = 0; round < 12; ++round) {
    Fill(&builder, round);
    for (int database = 0; database < kDatabases; ++database) {
      Write(builder.batch(), NameOf(database));
      most = std::max(most, store_->Stats().staged_bytes);
    }
  }
  // Heads are weighed each MiB or so; an empty set is not small.
  EXPECT_LT(most, 2 * kBudget);
  EXPECT_GT(store_->Stats().slab_bytes, 0U);
  EXPECT_EQ(Read({Equal("host", "3")}, {}, NameOf(17)).size(), 2'400U);
}

TEST_F(BusyDatabasesTest, AReplayKeepsItToo) {
  Open(Busy(false));
  model::BatchBuilder builder;
  for (int round = 0; round < 12; ++round) {
    Fill(&builder, round);
    for (int database = 0; database < kDatabases; ++database) Write(builder.batch(), NameOf(database));
  }
  Open(Busy(false));  // without Close: the journal has it all
  EXPECT_EQ(store_->Stats().recovered_points, 12U * 2'000 * kDatabases);
  EXPECT_LT(store_->Stats().staged_bytes, 2 * kBudget);
  EXPECT_EQ(Read({Equal("host", "3")}, {}, NameOf(59)).size(), 2'400U);
}

TEST_F(BusyDatabasesTest, LongStringsCountAsWhatTheyAre) {
  Open(Busy(false));
  const std::string text(512 << 10, 'x');
  uint64_t most = 0;
  for (int i = 0; i < 64; ++i) {
    model::BatchBuilder builder;
    builder.Row("log", {{"host", "a"}}, {kNow + i * kSecond}).Field("text", std::string_view(text));
    Write(builder.batch(), NameOf(i % kDatabases));
    most = std::max(most, store_->Stats().staged_bytes);
  }
  EXPECT_LT(most, 2 * kBudget);
}

// The wait is counted in rounds of the background, each of which makes an eighth of a budget into slabs or looks
// whether any are to be made: a writer that is held up until the next checkpoint, as all of them were here, waits for
// hundreds or for ever.
TEST_F(BusyDatabasesTest, NoWriterWaitsForACheckpoint) {
  Open(Busy(true));
  constexpr int kWriters = 4;
  std::atomic<int> failed = 0;
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      model::BatchBuilder builder;
      for (int round = 0; round < 12; ++round) {
        Fill(&builder, round);
        for (int database = writer; database < kDatabases; database += kWriters) {
          auto report = store_->Write(NameOf(database), builder.batch());
          if (!report.ok() || report->rows_rejected != 0) ++failed;
        }
      }
    });
  }
  writers.clear();
  EXPECT_EQ(failed.load(), 0);
  const StoreStats stats = store_->Stats();
  EXPECT_EQ(stats.checkpoints, 0U);
  EXPECT_LE(stats.longest_write_wait_rounds, 16U);
  EXPECT_EQ(Read({Equal("host", "3")}, {}, NameOf(17)).size(), 2'400U);
}

}  // namespace
}  // namespace tidemark::storage
