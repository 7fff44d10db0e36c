// Rollup tiers must give what raw rows give, and spare reading them.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "query/engine/engine.h"
#include "query/promql/parser.h"
#include "tests/unit/query/engine/fake_view.h"

namespace tidemark::query::scan {
namespace {

using engine::Execute;
using engine::FakeView;
using frame::Frame;
using run::QueryStats;
using run::RangeSpec;
using run::Resolution;

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kHourNs = kHour * 1'000'000;

std::shared_ptr<const FakeView> TwoDays(int64_t trusted_hours, bool free_doubles = false) {
  FakeView::Builder builder;
  std::mt19937_64 random(5);
  for (int i = 0; i < 20; ++i) {
    const model::Labels labels{{"__name__", "m"}, {"n", std::to_string(i)}};
    std::vector<std::pair<int64_t, int64_t>> ints;
    std::vector<std::pair<int64_t, double>> doubles;
    for (int64_t ms = 0; ms <= 48 * kHour; ms += 60'000) {
      // Some series start late, some have holes.
      if ((i % 3 == 0 && ms < 30 * kHour) || (i % 4 == 1 && ms > 10 * kHour && ms < 13 * kHour)) continue;
      ints.emplace_back(ms, static_cast<int64_t>(random() % 1000));
      doubles.emplace_back(ms, static_cast<double>(random() % 1000) / 7);
    }
    if (free_doubles) {
      builder.AddFloats(labels, doubles);
    } else {
      builder.AddInts(labels, model::FieldType::kInt, ints);
    }
  }
  return builder.AddTier({.width_ns = kHourNs, .trusted_until_ns = trusted_hours * kHourNs}).Build();
}

struct Answer {
  Frame frame;
  QueryStats stats;
  uint64_t rows = 0;
};

Answer Ask(const std::shared_ptr<const FakeView>& view, const std::string& text, const RangeSpec& range,
           Resolution::Kind kind) {
  const auto expr = promql::Parse(text);
  EXPECT_TRUE(expr.ok());
  const uint64_t before = view->rows_scanned();
  auto result = Execute(**expr, range, {.view = view, .resolution = {.kind = kind, .tier_ns = kHourNs}});
  EXPECT_TRUE(result.ok()) << result.error().message;
  // Labels of the frame live in the arenas; compare values only.
  return {std::move(result->frame), result->stats, view->rows_scanned() - before};
}

void ExpectSame(const std::shared_ptr<const FakeView>& view, const std::string& function, const RangeSpec& range,
                const std::string& window, bool tier_expected) {
  const std::string text = function + "(m[" + window + "])";
  SCOPED_TRACE(text);
  const Answer raw = Ask(view, text, range, Resolution::Kind::kRaw);
  const Answer fast = Ask(view, text, range, Resolution::Kind::kAuto);
  ASSERT_EQ(fast.frame.size(), raw.frame.size());
  ASSERT_EQ(fast.frame.present, raw.frame.present);
  for (size_t i = 0; i < raw.frame.values.size(); ++i) {
    if (raw.frame.present[i] == 0) continue;
    ASSERT_EQ(fast.frame.values[i], raw.frame.values[i]) << "cell " << i;
  }
  EXPECT_EQ(fast.stats.tier_buckets > 0, tier_expected);
  if (tier_expected) {
    EXPECT_LT(fast.rows * 2, raw.rows);
  }
  EXPECT_EQ(raw.stats.resolution, "raw");
}

constexpr const char* kFunctions[] = {
    "sum_over_time",   "avg_over_time",  "min_over_time",     "max_over_time", "count_over_time",
    "first_over_time", "last_over_time", "present_over_time", "rate",          "increase"};

TEST(TierTest, InstantQueryOverUnalignedDay) {
  const auto view = TwoDays(48);
  const RangeSpec at{.start_ms = 0, .end_ms = 40 * kHour + 1'234'567, .step_ms = 0, .instant = true};
  for (const char* function : kFunctions) ExpectSame(view, function, at, "1d", true);
}

TEST(TierTest, AlignedStepsReadNoRawRows) {
  const auto view = TwoDays(48);
  const RangeSpec range{.start_ms = 6 * kHour, .end_ms = 48 * kHour, .step_ms = 2 * kHour, .instant = false};
  for (const char* function : kFunctions) ExpectSame(view, function, range, "6h", true);
  const Answer answer = Ask(view, "max_over_time(m[6h])", range, Resolution::Kind::kAuto);
  EXPECT_EQ(answer.rows, 0U);
  EXPECT_EQ(answer.stats.resolution, "1h");
}

TEST(TierTest, AnAlignedWindowOfOneBucketIsThatBucket) {
  const auto view = TwoDays(48);
  RangeSpec range{.start_ms = 6 * kHour, .end_ms = 40 * kHour, .step_ms = kHour, .instant = false};
  for (const char* function : kFunctions) ExpectSame(view, function, range, "1h", true);
  EXPECT_EQ(Ask(view, "max_over_time(m[1h])", range, Resolution::Kind::kAuto).rows, 0U);
  // A second later there is no whole bucket in any window.
  range.start_ms += 1000;
  for (const char* function : kFunctions) ExpectSame(view, function, range, "1h", false);
}

TEST(TierTest, UntrustedBucketsAreReadRaw) {
  const auto view = TwoDays(36);
  const RangeSpec at{.start_ms = 0, .end_ms = 40 * kHour + 777, .step_ms = 0, .instant = true};
  for (const char* function : kFunctions) ExpectSame(view, function, at, "38h", true);
  EXPECT_EQ(Ask(view, "sum_over_time(m[38h])", at, Resolution::Kind::kAuto).stats.resolution, "1h+raw");
}

TEST(TierTest, NothingTrustedFallsBackToRaw) {
  const auto view = TwoDays(0);
  const RangeSpec at{.start_ms = 0, .end_ms = 40 * kHour, .step_ms = 0, .instant = true};
  for (const char* function : kFunctions) ExpectSame(view, function, at, "1d", false);
}

TEST(TierTest, SmallStepsReadRawBecauseTheEndsCoverEverything) {
  const auto view = TwoDays(48);
  const RangeSpec range{.start_ms = 24 * kHour, .end_ms = 30 * kHour, .step_ms = 60'000, .instant = false};
  ExpectSame(view, "max_over_time", range, "3h", false);
}

// Each pass over rows opens their pages anew.
TEST(TierTest, RowsThatLieNearEachOtherAreReadInOnePass) {
  const auto view = TwoDays(48);
  // Seven heads an hour apart, and as many tails a day behind them.
  const RangeSpec range{
      .start_ms = 30 * kHour + 123'000, .end_ms = 36 * kHour + 123'000, .step_ms = kHour, .instant = false};
  for (const char* function : kFunctions) {
    ExpectSame(view, function, range, "1d", true);
    const uint64_t before = view->scans();
    const Answer answer = Ask(view, std::string(function) + "(m[1d])", range, Resolution::Kind::kAuto);
    EXPECT_EQ(view->scans() - before, 2U);
    // Those in between have no part in the answer.
    EXPECT_LT(answer.stats.samples, answer.rows);
  }
}

TEST(TierTest, SumsOfFreeDoublesStayRaw) {
  const auto view = TwoDays(48, true);
  const RangeSpec at{.start_ms = 0, .end_ms = 40 * kHour, .step_ms = 0, .instant = true};
  ExpectSame(view, "sum_over_time", at, "1d", false);
  ExpectSame(view, "avg_over_time", at, "1d", false);
  ExpectSame(view, "rate", at, "1d", false);
  ExpectSame(view, "max_over_time", at, "1d", true);
}

TEST(TierTest, OtherFunctionsStayRaw) {
  const auto view = TwoDays(48);
  const RangeSpec at{.start_ms = 0, .end_ms = 40 * kHour, .step_ms = 0, .instant = true};
  ExpectSame(view, "stddev_over_time", at, "1d", false);
  ExpectSame(view, "changes", at, "1d", false);
}

}  // namespace
}  // namespace tidemark::query::scan
