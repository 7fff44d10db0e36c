// Queries over a time of which rollup tiers are all that is left.
#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "query/engine/engine.h"
#include "query/promql/parser.h"
#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::query::scan {
namespace {

using engine::Execute;
using run::QueryResult;
using run::RangeSpec;
using run::Resolution;
using storage::kNsPerHour;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 1'699'999'200 * kSecond;  // an hour begins
constexpr int64_t kStartMs = kStart / 1'000'000;
constexpr int64_t kHourMs = 3'600'000;

class TierGoneTest : public storage::StoreFixture {
 protected:
  // Six hours of rows each 5 s of several distributions; of the first four no rows are left, but tiers of 5 m and 1 h.
  void SetUp() override {
    clock_.Set(kStart + 6 * kNsPerHour);
    storage::StoreOptions options = Options();
    options.new_database.partition_ns = kNsPerHour;
    options.new_database.tiers = {{300 * kSecond, 0}, {kNsPerHour, 0}};
    Open(options);
    std::mt19937_64 random(11);
    std::lognormal_distribution<> heavy(0, 3);
    std::normal_distribution<> normal(0, 100);
    model::BatchBuilder builder;
    for (int64_t time = kStart; time < kStart + 6 * kNsPerHour; time += 5 * kSecond) {
      const std::map<std::string, double> values = {
          {"heavy", heavy(random)},
          {"negative", -heavy(random)},
          {"normal", normal(random)},
          {"zeros", random() % 2 == 0 ? 0.0 : std::round(normal(random))},
          {"counter", static_cast<double>((time - kStart) / kSecond)},
      };
      builder.Row("m", {{"host", "a"}}, {time}).Field("bool", (time / kSecond) % 15 != 0);
      // One metric in two spellings, each with every other row.
      if ((time / kSecond) % 10 == 0) {
        builder.Row("two", {{"host", "a"}}, {time}).Field("names", int64_t{1});
      } else {
        builder.Row("two_names", {{"host", "a"}}, {time}).Field("value", int64_t{1});
      }
      builder.Row("m", {{"host", "a"}}, {time});
      for (const auto& [name, value] : values) {
        builder.Field(name, value);
        rows_[name][time] = value;
      }
    }
    Write(builder.batch());
    ASSERT_TRUE(store_->Checkpoint().ok());
    before_ = *store_->OpenView("");
    storage::DatabaseOptions database = store_->Databases()[0].options;
    database.retention_ns = 2 * kNsPerHour;
    ASSERT_TRUE(store_->SetDatabaseOptions("default", database).ok());
    ASSERT_TRUE(store_->ApplyRetention().ok());
    after_ = *store_->OpenView("");
  }

  static QueryResult Ask(const std::shared_ptr<const storage::View>& view, const std::string& text, RangeSpec range,
                         Resolution resolution = {}) {
    auto expr = promql::Parse(text, promql::ParseOptions::Experimental());
    EXPECT_TRUE(expr.ok());
    auto result = Execute(**expr, range, {.view = view, .resolution = resolution});
    EXPECT_TRUE(result.ok()) << result.error().message;
    return std::move(result).value();
  }
  static RangeSpec Range(int64_t first_ms, int64_t last_ms, int64_t step_ms) {
    return {.start_ms = kStartMs + first_ms, .end_ms = kStartMs + last_ms, .step_ms = step_ms, .instant = false};
  }

  std::map<std::string, std::map<int64_t, double>> rows_;
  std::shared_ptr<const storage::View> before_;
  std::shared_ptr<const storage::View> after_;
};

TEST_F(TierGoneTest, AlignedWindowsGiveWhatRowsGave) {
  for (const char* function : {"count_over_time", "min_over_time", "max_over_time", "first_over_time", "last_over_time",
                               "sum_over_time", "avg_over_time", "present_over_time", "rate", "increase"}) {
    const std::string text = std::string(function) + "(m_counter[1h])";
    SCOPED_TRACE(text);
    const QueryResult before = Ask(before_, text, Range(kHourMs, 6 * kHourMs, kHourMs / 4));
    const QueryResult after = Ask(after_, text, Range(kHourMs, 6 * kHourMs, kHourMs / 4));
    EXPECT_TRUE(after.warnings.empty());
    EXPECT_EQ(after.frame.present, before.frame.present);
    EXPECT_EQ(after.frame.values, before.frame.values);
    EXPECT_NE(after.stats.resolution.find("5m"), std::string::npos) << after.stats.resolution;
  }
}

// Series whose rows are integers and floats in turn, which are two fields; of none is a row left, but tiers of 5 m.
class WidenedGoneTest : public TierGoneTest {
 protected:
  void SetUp() override {
    clock_.Set(kStart + 6 * kNsPerHour);
    storage::StoreOptions options = Options();
    options.new_database.partition_ns = kNsPerHour;
    options.new_database.tiers = {{300 * kSecond, 0}};
    Open(options);
    // No integer is taken to be one behind the first float, so they come first.
    for (const bool integers : {true, false}) {
      model::BatchBuilder builder;
      for (int64_t row = 1; row <= 540; ++row) {
        const int64_t time = kStart + row * 20 * kSecond;
        // Evenly in turn, any how, and one half of each bucket behind the other.
        Add(integers, row % 2 == 0, "turns", time, row, &builder);
        Add(integers, row * 7 % 11 < 5, "mixed", time, row, &builder);
        Add(integers, (row - 1) % 15 < 7, "halves", time, row, &builder);
        // Back to near zero in the middle of a bucket, each hour.
        Add(integers, row % 2 == 0, "resets", time, row % 180 + (row % 180 < 100 ? 1000 : 0), &builder);
      }
      Write(builder.batch());
    }
    ASSERT_TRUE(store_->Compact("default", {}, nullptr).ok());
    before_ = *store_->OpenView("");
    storage::DatabaseOptions database = store_->Databases()[0].options;
    database.retention_ns = kNsPerHour;
    ASSERT_TRUE(store_->SetDatabaseOptions("default", database).ok());
    ASSERT_TRUE(store_->ApplyRetention().ok());
    after_ = *store_->OpenView("");
  }
  static void Add(bool integers, bool is_integer, const std::string& field, int64_t time_ns, int64_t value,
                  model::BatchBuilder* builder) {
    if (integers != is_integer) return;
    builder->Row("m", {{"host", "a"}}, {time_ns});
    if (is_integer) {
      builder->Field(field, value);
    } else {
      builder->Field(field, static_cast<double>(value) + 0.5);
    }
  }
};

TEST_F(WidenedGoneTest, BucketsOfBothFieldsCountAsOne) {
  for (const char* field : {"turns", "mixed", "halves", "resets"}) {
    for (const char* function : {"count_over_time", "sum_over_time", "avg_over_time", "min_over_time", "max_over_time",
                                 "first_over_time", "last_over_time", "present_over_time"}) {
      for (const char* window : {"5m", "30m"}) {
        const std::string text = std::string(function) + "(m_" + field + "[" + window + "])";
        SCOPED_TRACE(text);
        const RangeSpec range = Range(kHourMs / 2, 3 * kHourMs, kHourMs / 12);
        const QueryResult before = Ask(before_, text, range);
        const QueryResult after = Ask(after_, text, range);
        ASSERT_EQ(before.frame.size(), 1U);
        ASSERT_EQ(after.frame.present, before.frame.present);
        for (size_t i = 0; i < before.frame.values.size(); ++i) {
          EXPECT_NEAR(after.frame.values[i], before.frame.values[i], 1e-9 * before.frame.values[i]) << i;
        }
      }
    }
  }
}

TEST_F(WidenedGoneTest, RatesOfBucketsInTurnAreThoseOfTheirEndsAndSaySo) {
  for (const char* field : {"turns", "mixed", "halves"}) {
    const std::string text = std::string("increase(m_") + field + "[30m])";
    SCOPED_TRACE(text);
    const RangeSpec range = Range(kHourMs / 2, 3 * kHourMs, kHourMs / 12);
    const QueryResult before = Ask(before_, text, range);
    const QueryResult after = Ask(after_, text, range);
    ASSERT_EQ(after.frame.present, before.frame.present);
    for (size_t i = 0; i < before.frame.values.size(); ++i) {
      EXPECT_NEAR(after.frame.values[i], before.frame.values[i], 0.02 * before.frame.values[i]) << i;
    }
    const bool said = std::ranges::any_of(after.warnings, [](const std::string& warning) {
      return warning.find("integers and floats of one series in turn") != std::string::npos;
    });
    EXPECT_EQ(said, field != std::string("halves")) << "halves lie one behind the other";
  }
  // A reset is one reset, although both fields have it.
  const QueryResult before = Ask(before_, "increase(m_resets[1h])", Range(kHourMs, 3 * kHourMs, kHourMs));
  const QueryResult after = Ask(after_, "increase(m_resets[1h])", Range(kHourMs, 3 * kHourMs, kHourMs));
  ASSERT_EQ(after.frame.present, before.frame.present);
  for (size_t i = 0; i < before.frame.values.size(); ++i) {
    EXPECT_NEAR(after.frame.values[i], before.frame.values[i], 0.02 * before.frame.values[i]) << i;
  }
}

TEST_F(TierGoneTest, FreeDoublesAreAnsweredToo) {
  const QueryResult before = Ask(before_, "avg_over_time(m_normal[1h])", Range(kHourMs, 6 * kHourMs, kHourMs));
  const QueryResult after = Ask(after_, "avg_over_time(m_normal[1h])", Range(kHourMs, 6 * kHourMs, kHourMs));
  ASSERT_EQ(after.frame.present, before.frame.present);
  for (size_t i = 0; i < before.frame.values.size(); ++i) {
    EXPECT_NEAR(after.frame.values[i], before.frame.values[i], 1e-12 * std::fabs(before.frame.values[i]) + 1e-12);
  }
}

TEST_F(TierGoneTest, ABucketThatIsCutCountsWithTheRowsInTheWindow) {
  const QueryResult result = Ask(after_, "count_over_time(m_counter[10m])", Range(613'000, 3 * kHourMs, 600'000));
  ASSERT_EQ(result.frame.size(), 1U);
  for (const double value : result.frame.RowValues(0)) EXPECT_EQ(value, 120);
}

TEST_F(TierGoneTest, PercentilesAreWithinOnePercent) {
  for (const char* field : {"heavy", "negative", "normal", "zeros"}) {
    for (const char* q : {"0", "0.01", "0.25", "0.5", "0.9", "0.99", "1"}) {
      // Windows whole in the gone time, over its end, and behind it.
      const std::string text = std::string("quantile_over_time(") + q + ", m_" + field + "[2h])";
      SCOPED_TRACE(text);
      const QueryResult result = Ask(after_, text, Range(2 * kHourMs, 6 * kHourMs, kHourMs));
      EXPECT_TRUE(result.warnings.empty());
      ASSERT_EQ(result.frame.size(), 1U);
      for (size_t step = 0; step < result.grid.count; ++step) {
        const int64_t last_ns = kStart + static_cast<int64_t>(step + 2) * kNsPerHour;
        std::vector<double> values;
        for (auto row = rows_[field].upper_bound(last_ns - 2 * kNsPerHour);
             row != rows_[field].end() && row->first <= last_ns; ++row) {
          values.push_back(row->second);
        }
        std::sort(values.begin(), values.end());
        const double rank = std::strtod(q, nullptr) * static_cast<double>(values.size() - 1);
        const double low = values[static_cast<size_t>(rank)];
        const double high = values[std::min(values.size() - 1, static_cast<size_t>(rank) + 1)];
        const double exact = low + (high - low) * (rank - std::floor(rank));
        const double allowed = step == 4 ? 1e-9 : 0.0101;  // the last window has all of its rows
        EXPECT_NEAR(result.frame.RowValues(0)[step], exact, allowed * std::max(std::fabs(low), std::fabs(high)))
            << step;
      }
      EXPECT_NE(result.stats.resolution, "raw");
    }
  }
}

TEST_F(TierGoneTest, PercentilesOverManySeriesAreThoseOfSketchesTogether) {
  for (const double q : {0.0, 0.1, 0.5, 0.75, 0.99, 1.0}) {
    SCOPED_TRACE(q);
    const std::string call = "tm_pooled_quantile(" + std::to_string(q) + ", ";
    // Windows whole in the gone time, over its end, and behind it; they overlap.
    const RangeSpec range = Range(2 * kHourMs, 6 * kHourMs, kHourMs / 2);
    const QueryResult one = Ask(after_, call + "{__name__=~'m_(heavy|negative|normal)'}[2h])", range);
    EXPECT_TRUE(one.warnings.empty());
    ASSERT_EQ(one.frame.size(), 1U);
    EXPECT_TRUE(one.frame.rows[0].labels.empty());
    for (size_t step = 0; step < one.grid.count; ++step) {
      const int64_t last_ns = kStart + static_cast<int64_t>(step + 4) * (kNsPerHour / 2);
      std::vector<double> values;
      for (const char* field : {"heavy", "negative", "normal"}) {
        for (auto row = rows_[field].upper_bound(last_ns - 2 * kNsPerHour);
             row != rows_[field].end() && row->first <= last_ns; ++row) {
          values.push_back(row->second);
        }
      }
      std::sort(values.begin(), values.end());
      const double rank = q * static_cast<double>(values.size() - 1);
      const double low = values[static_cast<size_t>(rank)];
      const double high = values[std::min(values.size() - 1, static_cast<size_t>(rank) + 1)];
      const double exact = low + (high - low) * (rank - std::floor(rank));
      const double allowed = step == 8 ? 1e-9 : 0.0101;  // the last window has all of its rows
      EXPECT_NEAR(one.frame.RowValues(0)[step], exact, allowed * std::max(std::fabs(low), std::fabs(high))) << step;
    }
    EXPECT_NE(one.stats.resolution, "raw");
    EXPECT_GT(one.stats.tier_buckets, 0U);
    // Alone in its group a series has its own percentile.
    const QueryResult groups = Ask(after_, call + "{__name__=~'m_(heavy|normal)'}[2h], '__name__')", range);
    ASSERT_EQ(groups.frame.size(), 2U);
    const QueryResult alone = Ask(after_, "quantile_over_time(" + std::to_string(q) + ", m_heavy[2h])", range);
    for (size_t step = 0; step < alone.grid.count; ++step) {
      EXPECT_DOUBLE_EQ(groups.frame.RowValues(0)[step], alone.frame.RowValues(0)[step]) << step;
    }
  }
  const RangeSpec gone = Range(kHourMs, 2 * kHourMs, kHourMs);
  const QueryResult raw = Ask(after_, "tm_pooled_quantile(0.5, m_heavy[1h])", gone, {.kind = Resolution::Kind::kRaw});
  EXPECT_EQ(raw.frame.size(), 0U);
  EXPECT_EQ(raw.warnings.size(), 1U);
  EXPECT_EQ(Ask(after_, "tm_pooled_quantile(0.5, m_absent[1h])", gone).frame.size(), 0U);
}

TEST_F(TierGoneTest, APlainSelectorShowsTheEndsOfABucket) {
  const QueryResult result = Ask(after_, "m_counter", Range(0, 6 * kHourMs, 60'000));
  EXPECT_TRUE(result.warnings.empty());
  ASSERT_EQ(result.frame.size(), 1U);
  for (size_t step = 0; step < result.grid.count; ++step) {
    const auto at = static_cast<double>(step) * 60;
    SCOPED_TRACE(at);
    ASSERT_EQ(result.frame.RowPresent(0)[step], 1);
    // The first or the last row of a bucket where rows are gone, each row behind.
    const double start = std::floor(at / 300) * 300;
    const double expected = at < 4 * 3600 ? (at > start ? start + 5 : start) : std::min(at, 6 * 3600.0 - 5);
    EXPECT_EQ(result.frame.RowValues(0)[step], expected);
  }
}

TEST_F(TierGoneTest, BooleansAreCountedAndSummed) {
  for (const char* text : {"avg_over_time(m_bool[1h])", "sum_over_time(m_bool[1h])", "count_over_time(m_bool[1h])",
                           "min_over_time(m_bool[1h])", "rate(m_bool[1h])"}) {
    SCOPED_TRACE(text);
    const RangeSpec range = Range(kHourMs, 6 * kHourMs, kHourMs / 4);
    const QueryResult before = Ask(before_, text, range);
    const QueryResult after = Ask(after_, text, range);
    EXPECT_TRUE(after.warnings.empty());
    EXPECT_EQ(after.frame.present, before.frame.present);
    EXPECT_EQ(after.frame.values, before.frame.values);
    EXPECT_NE(after.stats.resolution, "raw");
  }
}

TEST_F(TierGoneTest, ASampleHasItsTimeWhereverItHasAValue) {
  for (const int64_t step_ms : {int64_t{60'000}, int64_t{77'777}}) {
    const QueryResult values = Ask(after_, "m_counter", Range(0, 6 * kHourMs, step_ms));
    const QueryResult times = Ask(after_, "timestamp(m_counter)", Range(0, 6 * kHourMs, step_ms));
    EXPECT_EQ(times.frame.present, values.frame.present);
    // The counter is the number of seconds since the start.
    for (size_t i = 0; i < values.frame.values.size(); ++i) {
      EXPECT_EQ(times.frame.values[i] - static_cast<double>(kStart / kSecond), values.frame.values[i]);
    }
    const QueryResult smoothed = Ask(after_, "m_counter smoothed", Range(0, 6 * kHourMs - 60'000, step_ms));
    ASSERT_EQ(smoothed.frame.size(), 1U);
    for (size_t i = 0; i < smoothed.grid.count; ++i) {
      ASSERT_EQ(smoothed.frame.RowPresent(0)[i], 1);
      EXPECT_NEAR(smoothed.frame.RowValues(0)[i], static_cast<double>(i) * static_cast<double>(step_ms) / 1000, 1e-6);
    }
  }
}

TEST_F(TierGoneTest, ARangeShowsTheRowsThatAreKnown) {
  const auto range = [&](const char* text, int64_t at_ms) {
    const RangeSpec at{.start_ms = kStartMs + at_ms, .end_ms = kStartMs + at_ms, .step_ms = 0, .instant = true};
    return Ask(after_, text, at);
  };
  const QueryResult known = range("m_counter[10m]", kHourMs + 60'000);
  ASSERT_EQ(known.raw.size(), 1U);
  EXPECT_EQ(known.raw[0].values, (std::vector<double>{3300, 3305, 3600, 3605}));
  ASSERT_EQ(known.raw[0].times_ms.size(), 4U);
  EXPECT_EQ(known.raw[0].times_ms[3], kStartMs + 3'605'000);
  EXPECT_EQ(known.warnings.size(), 1U);
  // One that is narrower than a bucket shows what a plain selector does.
  const QueryResult narrow = range("m_counter[1m]", kHourMs + 200'000);
  ASSERT_EQ(narrow.raw.size(), 1U);
  EXPECT_EQ(narrow.raw[0].values, (std::vector<double>{3605}));
  // Over the border rows follow.
  const QueryResult border = range("m_counter[6m]", 4 * kHourMs + 10'000);
  ASSERT_EQ(border.raw.size(), 1U);
  EXPECT_EQ(border.raw[0].values, (std::vector<double>{14'100, 14'105, 14'395, 14'400, 14'405, 14'410}));
}

TEST_F(TierGoneTest, TwoSpellingsOfAMetricAreOneSeriesInBucketsToo) {
  const RangeSpec range = Range(kHourMs, 6 * kHourMs - 60'000, kHourMs / 4);
  for (const auto& [text, expected] : std::map<std::string, double>{{"count_over_time(two_names[1h])", 720},
                                                                    {"sum_over_time(two_names[1h])", 720},
                                                                    {"last_over_time(two_names[1h])", 1},
                                                                    {"two_names", 1}}) {
    SCOPED_TRACE(text);
    const QueryResult result = Ask(after_, text, range);
    ASSERT_EQ(result.frame.size(), 1U);
    for (size_t step = 0; step < result.grid.count; ++step) {
      ASSERT_EQ(result.frame.RowPresent(0)[step], 1) << step;
      EXPECT_EQ(result.frame.RowValues(0)[step], expected) << step;
    }
  }
}

TEST_F(TierGoneTest, LinesAreTakenThroughBuckets) {
  for (const auto& [text, expected] : std::map<std::string, double>{{"deriv(m_counter[17m])", 1},
                                                                    {"delta(m_counter[10m])", 600},
                                                                    {"increase(m_counter[10m] anchored)", 600},
                                                                    {"rate(m_counter[10m] smoothed)", 1}}) {
    SCOPED_TRACE(text);
    const QueryResult result = Ask(after_, text, Range(kHourMs + 25'000, 5 * kHourMs, 330'000));
    ASSERT_EQ(result.frame.size(), 1U);
    for (size_t step = 0; step < result.grid.count; ++step) {
      EXPECT_NEAR(result.frame.RowValues(0)[step], expected, 1e-6 * expected) << step;
    }
    EXPECT_EQ(result.warnings.size(), 1U);
  }
}

TEST_F(TierGoneTest, ResetsOfACounterThatWasNotResetAreNone) {
  const QueryResult result = Ask(after_, "resets(m_counter[1h])", Range(kHourMs, 2 * kHourMs, kHourMs));
  ASSERT_EQ(result.frame.size(), 1U);
  EXPECT_EQ(result.frame.RowValues(0)[0], 0);
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_NE(result.warnings[0].find("not how often"), std::string::npos) << result.warnings[0];
}

TEST_F(TierGoneTest, WhatCannotBeAnsweredSaysSo) {
  const RangeSpec gone = Range(kHourMs, 2 * kHourMs, kHourMs);
  for (const char* text : {"stddev_over_time(m_counter[1h])", "changes(m_counter[1h])"}) {
    const QueryResult result = Ask(after_, text, gone);
    EXPECT_EQ(result.frame.size(), 0U);
    ASSERT_EQ(result.warnings.size(), 1U) << text;
    EXPECT_NE(result.warnings[0].find("gone"), std::string::npos);
  }
  EXPECT_EQ(Ask(after_, "max_over_time(m_counter[1h])", gone, {.kind = Resolution::Kind::kRaw}).warnings.size(), 1U);
  EXPECT_EQ(Ask(after_, "max_over_time(m_counter[1h])", gone, {.kind = Resolution::Kind::kTier, .tier_ns = kSecond})
                .warnings.size(),
            1U);
  const QueryResult hour =
      Ask(after_, "max_over_time(m_counter[1h])", gone, {.kind = Resolution::Kind::kTier, .tier_ns = kNsPerHour});
  EXPECT_TRUE(hour.warnings.empty());
  EXPECT_EQ(hour.stats.resolution, "1h");
  EXPECT_EQ(hour.frame.RowValues(0)[0], 3600);
  // A window that is narrower than what is left.
  EXPECT_EQ(Ask(after_, "max_over_time(m_counter[1m])", gone).warnings.size(), 1U);
  // Behind the time that is gone nothing is said.
  EXPECT_TRUE(
      Ask(after_, "stddev_over_time(m_counter[1h])", Range(5 * kHourMs, 6 * kHourMs, kHourMs)).warnings.empty());
}

}  // namespace
}  // namespace tidemark::query::scan
