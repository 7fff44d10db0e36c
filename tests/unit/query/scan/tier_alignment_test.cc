// Windows at any time over buckets whose rows are gone: steady series are answered exactly, whatever the window, the
// bucket and the time.
#include <cmath>
#include <random>

#include "query/engine/engine.h"
#include "query/promql/parser.h"
#include "tests/test_seed.h"
#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::query::scan {
namespace {

using engine::Execute;
using run::QueryResult;
using run::RangeSpec;
using run::Resolution;
using storage::kNsPerDay;
using storage::kNsPerHour;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 1'699'920'000 * kSecond;  // a day begins
constexpr int64_t kStartMs = kStart / 1'000'000;
constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;

// Five days of a counter that rises by 3 each 30 s, of a gauge that is 1, and of one that is its place in time. Of the
// first four days no rows are left.
class TierAlignmentTest : public storage::StoreFixture {
 protected:
  void Fill(const std::vector<storage::RollupTier>& tiers) {
    clock_.Set(kStart + 5 * kNsPerDay);
    storage::StoreOptions options = Options();
    options.directory += std::to_string(tiers[0].width_ns);
    options.new_database.tiers = tiers;
    Open(options);
    model::BatchBuilder builder;
    for (int64_t i = 0; i < 5 * kNsPerDay / (30 * kSecond); ++i) {
      builder.Row("m", {{"host", "a"}}, {kStart + i * 30 * kSecond})
          .Field("total", 3 * i + 1'000'000)
          .Field("up", int64_t{1})
          .Field("free", std::sqrt(static_cast<double>(i)));
    }
    Write(builder.batch());
    ASSERT_TRUE(store_->Checkpoint().ok());
    storage::DatabaseOptions database = store_->Databases()[0].options;
    database.retention_ns = kNsPerDay;
    ASSERT_TRUE(store_->SetDatabaseOptions("default", database).ok());
    ASSERT_TRUE(store_->ApplyRetention().ok());
    view_ = *store_->OpenView("");
    ASSERT_EQ(view_->RawGoneIn({})->range.last.ns, kStart + 4 * kNsPerDay - 1);
  }

  QueryResult Ask(const std::string& text, int64_t first_ms, int64_t last_ms, int64_t step_ms,
                  Resolution resolution = {}) const {
    SCOPED_TRACE(text);
    auto expr = promql::Parse(text);
    EXPECT_TRUE(expr.ok());
    const RangeSpec range{
        .start_ms = kStartMs + first_ms, .end_ms = kStartMs + last_ms, .step_ms = step_ms, .instant = false};
    auto result = Execute(**expr, range, {.view = view_, .resolution = resolution});
    EXPECT_TRUE(result.ok()) << result.error().message;
    return std::move(result).value();
  }
  // Every step of the only series has this value.
  void ExpectEverywhere(const std::string& text, double expected, int64_t first_ms, int64_t last_ms,
                        int64_t step_ms) const {
    SCOPED_TRACE(text);
    const QueryResult result = Ask(text, first_ms, last_ms, step_ms);
    ASSERT_EQ(result.frame.size(), 1U);
    for (size_t step = 0; step < result.grid.count; ++step) {
      ASSERT_EQ(result.frame.RowPresent(0)[step], 1) << step;
      ASSERT_NEAR(result.frame.RowValues(0)[step], expected, 1e-9 * expected) << "at step " << step;
    }
  }

  std::shared_ptr<const storage::View> view_;
};

TEST_F(TierAlignmentTest, ASteadyCounterHasItsRateAtEveryTime) {
  Fill({{300 * kSecond, 0}});
  // Times that are no multiple of anything, within what is gone, over its border and behind it.
  for (const auto& [text, expected] : std::vector<std::pair<std::string, double>>{
           {"rate(m_total[10m])", 0.1},
           {"rate(m_total[90s])", 0.1},
           {"rate(m_total[1h])", 0.1},
           {"increase(m_total[7m])", 42},
           {"count_over_time(m_up[10m])", 20},
           {"count_over_time(m_up[2m])", 4},
           {"sum_over_time(m_up[1h])", 120},
           {"avg_over_time(m_up[2m])", 1},
       }) {
    ExpectEverywhere(text, expected, kHourMs + 1'234, kDayMs, 247'111);
    ExpectEverywhere(text, expected, 4 * kDayMs - kHourMs + 77, 4 * kDayMs + 2 * kHourMs, 7'001);
    ExpectEverywhere(text, expected, 2 * kDayMs, 2 * kDayMs + kHourMs, 60'000);
  }
}

TEST_F(TierAlignmentTest, AWindowAsLongAsABucketHasItsIncrease) {
  Fill({{kNsPerHour, 0}});
  ExpectEverywhere("increase(m_total[1h])", 360, 2 * kHourMs, 2 * kDayMs, 11 * 60'000);
  ExpectEverywhere("increase(m_total[1h])", 360, 4 * kDayMs - 2 * kHourMs, 4 * kDayMs + 2 * kHourMs, 61'000);
}

TEST_F(TierAlignmentTest, NothingCountsTwiceOnTheBorder) {
  for (const int64_t width_ns : {300 * kSecond, kNsPerHour, 2 * kNsPerDay}) {
    SCOPED_TRACE(width_ns);
    Fill({{width_ns, 0}});
    ExpectEverywhere("count_over_time(m_up[1h])", 120, 4 * kDayMs - kHourMs, 4 * kDayMs + 2 * kHourMs, 13'000);
    ExpectEverywhere("sum_over_time(m_up[1d])", 2880, 3 * kDayMs + kHourMs, 5 * kDayMs - 60'000, 1'800'007);
  }
}

TEST_F(TierAlignmentTest, AbsentIsWhatIsNotPresent) {
  const uint64_t seed = TestSeed();
  std::mt19937_64 random(seed);
  Fill({{kNsPerHour, 0}});
  for (int i = 0; i < 200; ++i) {
    const std::string window = std::to_string(31'000 + random() % (2 * kHourMs)) + "ms]";
    const int64_t at = static_cast<int64_t>(random() % (6 * kDayMs)) - kDayMs / 2;
    SCOPED_TRACE(window + " at " + std::to_string(at));
    for (const char* name : {"m_up", "m_nothing"}) {
      const std::string range = std::string(name) + "[" + window;
      const bool present = Ask("present_over_time(" + range + ")", at, at, 1000).frame.size() != 0;
      const bool absent = Ask("absent_over_time(" + range + ")", at, at, 1000).frame.size() != 0;
      EXPECT_NE(present, absent) << name;
    }
    const bool absent = Ask("absent_over_time(m_up[" + window + ")", at, at, 1000).frame.size() != 0;
    if (at >= 60'000 && at <= 4 * kDayMs) {
      EXPECT_FALSE(absent);
    }
  }
  // Nobody knows with raw rows alone.
  const QueryResult unsure = Ask("absent_over_time(m_up[10m])", kDayMs, kDayMs, 1000, {.kind = Resolution::Kind::kRaw});
  EXPECT_EQ(unsure.frame.size(), 0U);
  EXPECT_EQ(unsure.warnings.size(), 1U);
}

TEST_F(TierAlignmentTest, WhatIsCutMuchIsSaid) {
  Fill({{300 * kSecond, 0}, {kNsPerHour, 0}});
  const auto warnings = [&](const std::string& text, int64_t at_ms) {
    return Ask(text, at_ms, at_ms, 1000).warnings.size();
  };
  EXPECT_EQ(warnings("sum_over_time(m_up[1h])", 30 * kHourMs), 0U);
  EXPECT_EQ(warnings("sum_over_time(m_up[1h])", 30 * kHourMs + 1000), 1U);
  EXPECT_EQ(warnings("sum_over_time(m_up[3h])", 30 * kHourMs + 1000), 0U) << "two buckets of 5 m are 5 % of it";
  EXPECT_EQ(warnings("last_over_time(m_up[1h])", 30 * kHourMs + 1000), 0U) << "rows that are known are real";
  EXPECT_EQ(warnings("m_up", 30 * kHourMs + 1000), 0U);
  // The wide tier answers where it is not cut much.
  EXPECT_EQ(Ask("sum_over_time(m_up[3h])", 30 * kHourMs, 30 * kHourMs, 1000).stats.resolution, "1h");
  EXPECT_EQ(Ask("sum_over_time(m_up[3h])", 30 * kHourMs + 1000, 30 * kHourMs + 1000, 1000).stats.resolution, "5m");
}

TEST_F(TierAlignmentTest, ARateThatRowsMayHaveHadIsNotLeftOutInSilence) {
  clock_.Set(kStart + 6 * kNsPerHour);
  storage::StoreOptions options = Options();
  options.new_database.partition_ns = kNsPerHour;
  options.new_database.tiers = {{300 * kSecond, 0}};
  Open(options);
  // Of four rows three are late in their bucket, where rows spaced evenly have one.
  model::BatchBuilder builder;
  for (const int64_t second : {10, 200, 210, 220}) {
    builder.Row("m", {{"host", "a"}}, {kStart + second * kSecond}).Field("total", second);
  }
  Write(builder.batch());
  ASSERT_TRUE(store_->Checkpoint().ok());
  storage::DatabaseOptions database = store_->Databases()[0].options;
  database.retention_ns = 2 * kNsPerHour;
  ASSERT_TRUE(store_->SetDatabaseOptions("default", database).ok());
  ASSERT_TRUE(store_->ApplyRetention().ok());
  view_ = *store_->OpenView("");
  // The window is much longer than the bucket that it cuts.
  for (const char* text : {"rate(m_total[2h])", "increase(m_total[2h])"}) {
    const auto at = [&](int64_t start_ms) { return Ask(text, start_ms + 2 * kHourMs, start_ms + 2 * kHourMs, 1000); };
    EXPECT_EQ(at(190'000).frame.size(), 0U) << text;
    EXPECT_EQ(at(190'000).warnings.size(), 1U) << text;
    EXPECT_EQ(at(100'000).frame.size(), 1U) << text;
    EXPECT_EQ(at(100'000).warnings.size(), 0U) << text;
    EXPECT_EQ(at(220'000).warnings.size(), 0U) << text << ": there can be no row";
  }
}

}  // namespace
}  // namespace tidemark::query::scan
