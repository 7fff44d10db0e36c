#include "query/scan/windows.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "query/frame/time_math.h"

namespace tidemark::query::scan {
namespace {

using frame::MsToNs;

constexpr int64_t kSecond = 1'000'000'000;

// Rows of each window by looking at every row.
void ExpectWindows(const WindowSpec& spec, const model::Times& times) {
  Windows windows(spec);
  windows.Fill(times);
  uint64_t total = 0;
  for (size_t step = 0; step < spec.grid.count; ++step) {
    const int64_t last = MsToNs(spec.EndMs(step));
    const int64_t after = MsToNs(spec.EndMs(step) - spec.length_ms);
    uint32_t begin = 0;
    uint32_t end = 0;
    for (size_t row = 0; row < times.size; ++row) {
      if (times[row] <= after) ++begin;
      if (times[row] <= last) ++end;
    }
    ASSERT_EQ(windows.begin(step), begin) << "step " << step;
    ASSERT_EQ(windows.end(step), end) << "step " << step;
    total += end - begin;
  }
  EXPECT_EQ(windows.total_rows(), total);
}

TEST(WindowsTest, LeftOpenRightClosed) {
  const WindowSpec spec{
      .grid = {.start_ms = 30'000, .step_ms = 10'000, .count = 2}, .reference = {}, .length_ms = 20'000};
  const std::vector<int64_t> times{10 * kSecond, 20 * kSecond, 30 * kSecond, 40 * kSecond};
  Windows windows(spec);
  windows.Fill({.size = 4, .explicit_ns = times.data()});
  EXPECT_EQ(windows.begin(0), 1U);  // 10 s is outside of (10 s, 30 s]
  EXPECT_EQ(windows.end(0), 3U);
  EXPECT_EQ(windows.begin(1), 2U);
  EXPECT_EQ(windows.end(1), 4U);
}

TEST(WindowsTest, AgreesWithCountingOnRandomTimelines) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  const auto pick = [&](int64_t from, int64_t to) {
    return from + static_cast<int64_t>(random() % static_cast<uint64_t>(to - from + 1));
  };
  for (int round = 0; round < 300; ++round) {
    const WindowSpec spec{.grid = {.start_ms = pick(-50'000, 50'000),
                                   .step_ms = pick(1, 4) == 1 ? pick(1, 9'999) : 1000 * pick(1, 30),
                                   .count = static_cast<size_t>(pick(1, 40))},
                          .reference = {.at_ms = std::nullopt, .offset_ms = pick(-5'000, 5'000)},
                          .length_ms = pick(1, 60'000)};
    const auto rows = static_cast<size_t>(pick(0, 60));
    const int64_t first = pick(-100, 100) * kSecond / 2;
    const int64_t row_step = kSecond * pick(1, 12) + (pick(0, 3) == 0 ? 7 : 0);
    ExpectWindows(spec, {.size = rows, .first_ns = first, .step_ns = rows > 1 ? row_step : 0});
    std::vector<int64_t> times;
    int64_t at = first;
    for (size_t i = 0; i < rows; ++i) times.push_back(at += pick(1, 20 * kSecond));
    ExpectWindows(spec, {.size = rows, .explicit_ns = times.data()});
    if (HasFatalFailure()) return;
  }
}

TEST(WindowsTest, FixedTimeGivesTheSameRowsAtEveryStep) {
  const WindowSpec spec{.grid = {.start_ms = 0, .step_ms = 10'000, .count = 5},
                        .reference = {.at_ms = 35'000, .offset_ms = 5'000},
                        .length_ms = 15'000};
  ExpectWindows(spec, {.size = 10, .first_ns = 0, .step_ns = 10 * kSecond});
}

TEST(WindowsTest, RefillsWhenTheTimelineChanges) {
  const WindowSpec spec{
      .grid = {.start_ms = 60'000, .step_ms = 10'000, .count = 3}, .reference = {}, .length_ms = 30'000};
  Windows windows(spec);
  windows.Fill({.size = 10, .first_ns = 0, .step_ns = 10 * kSecond});
  EXPECT_EQ(windows.end(0), 7U);
  windows.Fill({.size = 5, .first_ns = 0, .step_ns = 10 * kSecond});
  EXPECT_EQ(windows.end(0), 5U);
  windows.Fill({.size = 10, .first_ns = 0, .step_ns = 10 * kSecond});
  EXPECT_EQ(windows.end(0), 7U);
}

TEST(WindowsTest, EndsOfTime) {
  const WindowSpec spec{
      .grid = {.start_ms = INT64_MAX / 2, .step_ms = INT64_MAX / 8, .count = 3}, .reference = {}, .length_ms = 1000};
  Windows windows(spec);
  windows.Fill({.size = 3, .first_ns = 0, .step_ns = kSecond});
  for (size_t step = 0; step < 3; ++step) EXPECT_EQ(windows.begin(step), windows.end(step));
  windows.Fill({});
  EXPECT_EQ(windows.longest(), 0U);
}

}  // namespace
}  // namespace tidemark::query::scan
