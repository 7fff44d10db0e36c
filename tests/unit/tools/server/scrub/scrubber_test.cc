// The scrub: its rate, its place over restarts, what it remembers of damage.
#include "tools/server/scrub/scrubber.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::server {
namespace {

constexpr int64_t kDayMs = 86'400'000;

class ScrubberTest : public storage::StoreFixture {
 protected:
  void SetUp() override {
    Open();
    model::BatchBuilder builder;
    for (int i = 0; i < 20'000; ++i) {
      builder.Row("cpu", {{"host", std::to_string(i % 7)}}, {clock_.NowNs() - int64_t{i} * 1'000'000'000})
          .Field("usage", static_cast<double>((i * 7919) % 10'007) / 8);
    }
    Write(builder.batch());
    ASSERT_TRUE(store_->Checkpoint().ok());
  }
  // One bit in the middle of the largest table.
  void Damage() {
    std::filesystem::path largest;
    for (const auto& entry : std::filesystem::directory_iterator(Options().directory + "/rocksdb")) {
      if (entry.path().extension() != ".sst") continue;
      if (largest.empty() || entry.file_size() > std::filesystem::file_size(largest)) largest = entry.path();
    }
    std::fstream file(largest, std::ios::in | std::ios::out | std::ios::binary);
    const auto at = static_cast<std::streamoff>(std::filesystem::file_size(largest) / 4);
    file.seekg(at);
    char byte = 0;
    file.get(byte);
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 1));
  }
};

TEST_F(ScrubberTest, GoesThroughAllPagesAndBeginsAnewAfterItsInterval) {
  Scrubber scrubber(store_.get(), &clock_, {.bytes_per_second = 1 << 20, .interval_ms = kDayMs});
  uint64_t bytes = 0;
  while (const uint64_t read = scrubber.Step(0.001)) bytes += read;
  EXPECT_EQ(scrubber.state().rounds, 1U);
  EXPECT_EQ(scrubber.state().round_bytes, bytes);
  EXPECT_GT(scrubber.state().round_pages, 1U);
  EXPECT_EQ(scrubber.Step(1), 0U) << "the next is not due";
  clock_.Advance(kDayMs * 1'000'000);
  EXPECT_GT(scrubber.Step(100), 0U);
  EXPECT_EQ(scrubber.state().rounds, 2U);
}

TEST_F(ScrubberTest, GoesOnWhereItStoodAfterARestart) {
  storage::ScrubPlace place;
  {
    Scrubber scrubber(store_.get(), &clock_, {.bytes_per_second = 1 << 20, .interval_ms = kDayMs});
    scrubber.Step(0.001);
    place = scrubber.state().place;
    EXPECT_NE(place, storage::ScrubPlace());
    ASSERT_TRUE(scrubber.SetPaused(true, "ada").ok());
  }
  CloseAndOpen();
  Scrubber scrubber(store_.get(), &clock_, {.bytes_per_second = 1 << 20, .interval_ms = kDayMs});
  EXPECT_EQ(scrubber.state().place, place);
  EXPECT_EQ(scrubber.Step(1), 0U) << "it is paused still";
  ASSERT_TRUE(scrubber.SetPaused(false, "ada").ok());
  EXPECT_GT(scrubber.Step(100), 0U);
  EXPECT_EQ(scrubber.state().rounds, 1U);
}

TEST_F(ScrubberTest, DamageIsAFindingAlsoAfterARestart) {
  ASSERT_TRUE(store_->Close().ok());
  Damage();
  Open();
  {
    Scrubber scrubber(store_.get(), &clock_, {.bytes_per_second = 100 << 20, .interval_ms = kDayMs});
    EXPECT_TRUE(store_->Findings().empty()) << "an open does not read pages";
    scrubber.Step(10);
    EXPECT_EQ(scrubber.state().rounds, 1U);
    ASSERT_FALSE(scrubber.state().damaged.empty());
    ASSERT_FALSE(store_->Findings().empty());
    const model::Finding finding = store_->Findings().front();
    EXPECT_EQ(finding.area, model::FindingArea::kPages);
    EXPECT_FALSE(finding.stops_writes);
    EXPECT_TRUE(finding.place.contains("database default")) << finding.place;
  }
  CloseAndOpen();
  EXPECT_TRUE(store_->Findings().empty());
  Scrubber scrubber(store_.get(), &clock_, {.bytes_per_second = 1, .interval_ms = kDayMs});
  scrubber.LookAtDamaged();
  EXPECT_FALSE(store_->Findings().empty()) << "what was damaged is read first";
}

TEST(ScrubState, IsReadAsItWasPrinted) {
  const ScrubState state{.place = {1, 2, 3},
                         .round_begun_ns = 4,
                         .last_begun_ns = 5,
                         .last_ended_ns = 6,
                         .round_pages = 7,
                         .round_bytes = 8,
                         .rounds = 9,
                         .paused = true,
                         .damaged = {{1, 2, 3}, {4, 5, 6}}};
  EXPECT_EQ(ReadScrubState(PrintScrubState(state)).value(), state);
  EXPECT_EQ(ReadScrubState("{}").error().code, ErrorCode::kCorruption);
  EXPECT_EQ(ReadScrubState("").error().code, ErrorCode::kCorruption);
}

}  // namespace
}  // namespace tidemark::server
