// tm_forecast_*, tm_time_until_* and tm_pooled_quantile through the engine.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "query/engine/engine.h"
#include "query/frame/quantile.h"
#include "tests/unit/query/engine/ask.h"
#include "tests/unit/query/engine/fake_view.h"

namespace tidemark::query::functions {
namespace {

using engine::At;
using engine::FakeView;
using engine::Query;
using run::QueryContext;
using run::RangeSpec;

constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

// The only value at `ms`, NaN when there is none.
double One(const std::string& text, int64_t ms, const std::shared_ptr<const FakeView>& view) {
  const auto result = Query(text, At(ms), {.view = view});
  EXPECT_TRUE(result.ok()) << text << ": " << result.error().message;
  return result.ok() && result->frame.size() == 1 ? result->frame.values[0] : std::nan("");
}

// A disk that fills: 10 to 34 within a day, a sample a minute, some of them missing, with or without noise.
std::shared_ptr<const FakeView> Disk(double noise) {
  std::mt19937_64 random(11);
  std::normal_distribution<double> scatter(0, 1);
  std::vector<std::pair<int64_t, double>> rows;
  for (int64_t i = 0; i <= 1440; ++i) {
    if (i % 50 < 7) continue;
    rows.emplace_back(i * kMinute, 10 + static_cast<double>(i) / 60 + noise * scatter(random));
  }
  FakeView::Builder builder;
  builder.AddFloats({{"__name__", "disk"}}, rows);
  return builder.Build();
}

TEST(ForecastTest, TheMiddleIsWhatPredictLinearSays) {
  const auto view = Disk(2);
  const RangeSpec range{.start_ms = 6 * kHour, .end_ms = kDay, .step_ms = 17 * kMinute};
  const auto ours = Query("tm_forecast_linear(disk[5h], 3600)", range, {.view = view});
  const auto theirs = Query("predict_linear(disk[5h], 3600)", range, {.view = view});
  ASSERT_TRUE(ours.ok() && theirs.ok());
  ASSERT_EQ(ours->frame.present, theirs->frame.present);
  for (size_t i = 0; i < ours->frame.values.size(); ++i) {
    EXPECT_NEAR(ours->frame.values[i], theirs->frame.values[i], 1e-6);
  }
}

TEST(ForecastTest, TheBandIsOrderedAndWidens) {
  const auto view = Disk(2);
  double width = 0;
  for (const char* ahead : {"1h", "1d", "1w"}) {
    const std::string head = std::string("tm_forecast_linear(disk[1d], ") + ahead;
    const double low = One(head + ", 0.05)", kDay, view);
    const double middle = One(head + ", 0.5)", kDay, view);
    const double high = One(head + ", 0.95)", kDay, view);
    EXPECT_NEAR(high - middle, middle - low, 1e-9);
    EXPECT_GT(high - low, width);
    width = high - low;
  }
}

TEST(ForecastTest, WhenItIsFull) {
  // 34 at the end of the day, 1 more each hour.
  EXPECT_NEAR(One("tm_time_until_above(disk[1d], 100)", kDay, Disk(0)), 66 * 3600, 1e-3);
  EXPECT_EQ(One("tm_time_until_above(disk[1d], 30)", kDay, Disk(0)), 0);
  EXPECT_EQ(One("tm_time_until_below(disk[1d], 0)", kDay, Disk(0)), std::numeric_limits<double>::infinity());
  const auto noisy = Disk(2);
  const double early = One("tm_time_until_above(disk[1d], 100, 0.05)", kDay, noisy);
  const double middle = One("tm_time_until_above(disk[1d], 100, 0.5)", kDay, noisy);
  const double late = One("tm_time_until_above(disk[1d], 100, 0.95)", kDay, noisy);
  EXPECT_LT(early, middle);
  EXPECT_LT(middle, late);
  EXPECT_NEAR(middle, 66 * 3600, 3 * 3600);
  // The forecast at that time is the threshold again.
  const std::string back = "tm_forecast_linear(disk[1d], " + std::to_string(early) + ", 0.95)";
  EXPECT_NEAR(One(back, kDay, noisy), 100, 1e-3);
}

TEST(ForecastTest, TooLittleGivesNoValue) {
  FakeView::Builder builder;
  builder.AddFloats({{"__name__", "two"}}, {{0, 1}, {kMinute, 2}});
  builder.AddFloats({{"__name__", "holey"}}, {{0, 1}, {kMinute, std::nan("")}, {2 * kMinute, 2}, {3 * kMinute, 2}});
  const auto view = builder.Build();
  for (const char* name : {"two", "holey"}) {
    for (const char* call : {"tm_forecast_linear(N[1h], 60)", "tm_time_until_above(N[1h], 60)",
                             "tm_time_until_below(N[1h], 60)", "tm_forecast_seasonal(N[1h], 600, 60)"}) {
      std::string text = call;
      text.replace(text.find('N'), 1, name);
      const auto result = Query(text, At(4 * kMinute), {.view = view});
      ASSERT_TRUE(result.ok()) << result.error().message;
      EXPECT_EQ(result->frame.size(), 0U) << text;
    }
  }
}

TEST(ForecastTest, ProbabilitiesOutsideAreWarnedOf) {
  const auto result = Query("tm_forecast_linear(disk[1d], 60, 2)", At(kDay), {.view = Disk(1)});
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->warnings.size(), 1U);
  EXPECT_EQ(result->warnings[0],
            "PromQL warning: the probability of a forecast should be between 0 and 1, got 2 (1:34)");
  EXPECT_EQ(result->frame.values[0], std::numeric_limits<double>::infinity());
}

TEST(ForecastTest, SeasonsRepeat) {
  FakeView::Builder builder;
  std::vector<std::pair<int64_t, double>> rows;
  // Two weeks; the value is the hour of the day, and one more each day.
  for (int64_t at = 0; at < 14 * kDay; at += 10 * kMinute) {
    rows.emplace_back(at, static_cast<double>(at % kDay / kHour + at / kDay));
  }
  builder.AddFloats({{"__name__", "load"}}, rows);
  const auto view = builder.Build();
  const auto result =
      Query("tm_forecast_seasonal(load[2w], 1d, 36h)",
            {.start_ms = 13 * kDay, .end_ms = 14 * kDay - kHour, .step_ms = 47 * kMinute}, {.view = view});
  ASSERT_TRUE(result.ok()) << result.error().message;
  ASSERT_EQ(result->frame.size(), 1U);
  for (size_t step = 0; step < result->grid.count; ++step) {
    const int64_t at = result->grid.TimeMs(step) + 36 * kHour;
    EXPECT_NEAR(result->frame.values[step], static_cast<double>(at % kDay / kHour + at / kDay), 1e-9) << at;
  }
  for (const char* season : {"0", "-1", "NaN", "Inf"}) {
    const auto refused =
        Query(std::string("tm_forecast_seasonal(load[2w], ") + season + ", 60)", At(14 * kDay), {.view = view});
    ASSERT_FALSE(refused.ok()) << season;
    EXPECT_NE(refused.error().message.find("must be a positive number of seconds"), std::string::npos);
  }
}

// Random series in groups, with their samples kept aside.
struct Pool {
  std::shared_ptr<const FakeView> view;
  std::map<std::string, std::vector<std::pair<int64_t, double>>> samples;  // by region
};

Pool RandomPool(uint64_t seed) {
  std::mt19937_64 random(seed);
  Pool pool;
  FakeView::Builder builder;
  for (int host = 0; host < 90; ++host) {
    const std::string region = "r" + std::to_string(host % 3);
    std::vector<std::pair<int64_t, double>> rows;
    int64_t at = static_cast<int64_t>(random() % 60'000);
    const size_t count = random() % 200;
    for (size_t i = 0; i < count; ++i) {
      at += static_cast<int64_t>(random() % 30'000) + 1;
      rows.emplace_back(at, std::exp(static_cast<double>(random() % 1000) / 100));
    }
    builder.AddFloats({{"__name__", "latency"}, {"host", std::to_string(host)}, {"region", region}}, rows);
    auto& all = pool.samples[region];
    all.insert(all.end(), rows.begin(), rows.end());
  }
  pool.view = builder.Build();
  return pool;
}

TEST(PooledQuantileTest, IsTheQuantileOfAllSamplesTogether) {
  const uint64_t seed = std::random_device()();
  const Pool pool = RandomPool(seed);
  for (const int64_t step : {7'000, 300'000}) {
    const RangeSpec range{.start_ms = 0, .end_ms = 2'000'000, .step_ms = step};
    const auto result = Query("tm_pooled_quantile(0.95, latency[2m], \"region\")", range, {.view = pool.view});
    ASSERT_TRUE(result.ok()) << result.error().message;
    ASSERT_EQ(result->frame.size(), 3U);
    for (size_t row = 0; row < 3; ++row) {
      const std::string region(result->frame.rows[row].labels.Get("region"));
      EXPECT_EQ(result->frame.rows[row].labels.size(), 1U);
      for (size_t i = 0; i < result->grid.count; ++i) {
        const int64_t at = result->grid.TimeMs(i);
        std::vector<double> window;
        for (const auto& [time, value] : pool.samples.at(region)) {
          if (time > at - 120'000 && time <= at) window.push_back(value);
        }
        std::ranges::sort(window);
        ASSERT_EQ(result->frame.RowPresent(row)[i] != 0, !window.empty()) << "seed " << seed << " at " << at;
        if (window.empty()) continue;
        const double rank = 0.95 * static_cast<double>(window.size() - 1);
        const auto low = static_cast<size_t>(rank);
        const double weight = rank - std::floor(rank);
        const double want = window[low] * (1 - weight) + window[std::min(low + 1, window.size() - 1)] * weight;
        EXPECT_DOUBLE_EQ(result->frame.RowValues(row)[i], want) << "seed " << seed << " at " << at;
      }
    }
  }
}

TEST(PooledQuantileTest, OneGroupManyGroupsSubqueries) {
  const Pool pool = RandomPool(3);
  const auto all = Query("tm_pooled_quantile(0.5, latency[10m])", At(600'000), {.view = pool.view});
  ASSERT_TRUE(all.ok()) << all.error().message;
  ASSERT_EQ(all->frame.size(), 1U);
  EXPECT_EQ(all->frame.rows[0].labels.size(), 0U);
  // A group of one series is that series.
  const auto one = Query("tm_pooled_quantile(0.5, latency{host=\"7\"}[10m], \"host\", \"region\")", At(600'000),
                         {.view = pool.view});
  const auto plain = Query("quantile_over_time(0.5, latency{host=\"7\"}[10m])", At(600'000), {.view = pool.view});
  ASSERT_TRUE(one.ok() && plain.ok());
  EXPECT_EQ(one->frame.values, plain->frame.values);
  // The median of the values at steps, of all hosts.
  const auto subquery =
      Query("tm_pooled_quantile(0, (latency * 2)[10m:1m], \"nothing\")", At(600'000), {.view = pool.view});
  const auto least = Query("min(min_over_time((latency * 2)[10m:1m]))", At(600'000), {.view = pool.view});
  ASSERT_TRUE(subquery.ok() && least.ok());
  EXPECT_EQ(subquery->frame.values, least->frame.values);
  const auto nothing = Query("tm_pooled_quantile(0.5, absent_metric[10m])", At(600'000), {.view = pool.view});
  ASSERT_TRUE(nothing.ok());
  EXPECT_EQ(nothing->frame.size(), 0U);
  const auto outside = Query("tm_pooled_quantile(2, latency[10m])", At(600'000), {.view = pool.view});
  ASSERT_TRUE(outside.ok());
  EXPECT_EQ(outside->warnings.size(), 1U);
}

TEST(PooledQuantileTest, StaysWithinItsMemoryBudget) {
  const Pool pool = RandomPool(5);
  QueryContext context{.view = pool.view};
  context.budget.max_bytes = 20'000;
  const auto result = Query("tm_pooled_quantile(0.5, latency[1h])", At(3'000'000), context);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace tidemark::query::functions
