#include "query/engine/engine.h"

#include <gtest/gtest.h>
#include <algorithm>

#include <atomic>
#include <cmath>
#include <memory>
#include <string>

#include "tests/unit/query/engine/ask.h"
#include "tests/unit/query/engine/fake_view.h"

namespace tidemark::query::engine {
namespace {

using run::OperatorTime;
using run::QueryContext;
using run::RangeSpec;
using testing::Test;

constexpr int64_t kMinute = 60'000;

TEST(EngineTest, ReadsEveryNumericType) {
  FakeView::Builder builder;
  builder.AddFloats({{"__name__", "f"}}, {{0, 1.5}});
  builder.AddScaled({{"__name__", "s"}}, 2, {{0, 125}});
  builder.AddInts({{"__name__", "i"}}, model::FieldType::kInt, {{0, -7}});
  builder.AddInts({{"__name__", "u"}}, model::FieldType::kUInt, {{0, -1}});
  builder.AddInts({{"__name__", "b"}}, model::FieldType::kBool, {{0, 1}});
  const QueryContext context{.view = builder.Build()};
  const std::pair<const char*, double> cases[] = {{"f", 1.5},
                                                  {"s", 1.25},
                                                  {"i", -7},
                                                  {"u", 18446744073709551615.0},
                                                  {"b", 1},
                                                  {"sum_over_time(u[1m])", 18446744073709551615.0},
                                                  {"max_over_time(s[1m])", 1.25},
                                                  {"avg_over_time(b[1m])", 1}};
  for (const auto& [text, want] : cases) {
    const auto result = Query(text, At(1000), context);
    ASSERT_TRUE(result.ok()) << text << ": " << result.error().message;
    ASSERT_EQ(result->frame.size(), 1U) << text;
    EXPECT_EQ(result->frame.values[0], want) << text;
  }
}

TEST(EngineTest, SumsOfDecimalsAreExact) {
  FakeView::Builder builder;
  builder.AddScaled({{"__name__", "s"}}, 1, {{0, 1}, {1000, 2}, {2000, 3}});
  const auto result = Query("sum_over_time(s[1m])", At(2000), {.view = builder.Build()});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->frame.values[0], 0.6);  // 0.1 + 0.2 + 0.3
}

TEST(EngineTest, SeriesOfTwoSpellingsReadAsOne) {
  FakeView::Builder builder;
  builder.AddFloats({{"__name__", "cpu_user"}, {"host", "a"}}, {{0, 1}, {10'000, 2}, {20'000, 3}});
  builder.AddFloats({{"__name__", "cpu_user"}, {"host", "b"}}, {{0, 9}});
  builder.AddSpelling({{"__name__", "cpu_user"}, {"host", "a"}}, {{10'000, 20}, {30'000, 40}});
  const auto result = Query("cpu_user[1m]", At(30'000), {.view = builder.Build()});
  ASSERT_TRUE(result.ok()) << result.error().message;
  ASSERT_EQ(result->raw.size(), 2U);
  EXPECT_EQ(result->raw[1].times_ms, (std::vector<int64_t>{0, 10'000, 20'000, 30'000}));
  EXPECT_EQ(result->raw[1].values, (std::vector<double>{1, 20, 3, 40}));
  ASSERT_EQ(result->warnings.size(), 1U);
  EXPECT_NE(result->warnings[0].find(R"({__name__="cpu_user", host="a"})"), std::string::npos) << result->warnings[0];
  const auto sum = Query("sum(sum_over_time(cpu_user[1m]))", At(30'000), {.view = builder.Build()});
  ASSERT_TRUE(sum.ok());
  EXPECT_EQ(sum->frame.values[0], 73);
}

TEST(EngineTest, RangeOfOneStepIsAMatrix) {
  const QueryContext context{.view = ManySeries(3)};
  const auto result = Query("m", {.start_ms = kMinute, .end_ms = kMinute, .step_ms = 1, .instant = false}, context);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->type, promql::ValueType::kMatrix);
  EXPECT_EQ(result->frame.size(), 3U);
  const auto scalar = Query("1", {.start_ms = 0, .end_ms = 30, .step_ms = 10, .instant = false}, context);
  ASSERT_TRUE(scalar.ok());
  EXPECT_EQ(scalar->type, promql::ValueType::kMatrix);
  EXPECT_EQ(scalar->frame.values, (std::vector<double>{1, 1, 1, 1}));
}

TEST(EngineTest, RefusesRangesThatMakeNoSense) {
  const QueryContext context{.view = ManySeries(1)};
  EXPECT_EQ(Query("m", {.start_ms = 0, .end_ms = 10, .step_ms = 0, .instant = false}, context).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(Query("m", {.start_ms = 10, .end_ms = 0, .step_ms = 1, .instant = false}, context).error().code,
            ErrorCode::kInvalidArgument);
}

TEST(EngineTest, SeriesBudgetIsNamed) {
  QueryContext context{.view = ManySeries(5)};
  context.budget.max_series = 4;
  const auto result = Query("m", At(0), context);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(result.error().message, "query selects more than its budget of 4 series; add label matchers");
}

TEST(EngineTest, SampleBudgetIsNamed) {
  QueryContext context{.view = ManySeries(100)};
  context.budget.max_samples = 1000;
  const auto result = Query("rate(m[1h])", At(60 * kMinute), context);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kLimitExceeded);
  EXPECT_NE(result.error().message.find("1000 samples"), std::string::npos) << result.error().message;
}

TEST(EngineTest, MemoryBudgetStopsBigResultsAndNotBigAggregations) {
  QueryContext context{.view = ManySeries(2000)};
  context.budget.max_bytes = 1 << 20;
  const RangeSpec range{.start_ms = 0, .end_ms = 60 * kMinute, .step_ms = 10'000, .instant = false};
  const auto big = Query("m", range, context);
  ASSERT_FALSE(big.ok());
  EXPECT_EQ(big.error().code, ErrorCode::kLimitExceeded);
  EXPECT_NE(big.error().message.find("memory budget of 1 MiB"), std::string::npos) << big.error().message;
  // 2,000 series of 361 values are 6 MiB, but a sum needs none of them at once.
  const auto small = Query("sum by (half) (m)", range, context);
  ASSERT_TRUE(small.ok()) << small.error().message;
  EXPECT_EQ(small->frame.size(), 2U);
  EXPECT_LT(small->stats.peak_bytes, uint64_t{1} << 20);
}

TEST(EngineTest, MemoryBudgetStopsResultsThatGrow) {
  QueryContext context{.view = ManySeries(20)};
  context.budget.max_bytes = 4 << 20;
  const RangeSpec range{.start_ms = 0, .end_ms = 60 * kMinute, .step_ms = 2'000, .instant = false};
  // 1,801 steps and some 7,000 distinct values.
  const auto values = Query("count_values(\"v\", m * 1000 + time())", range, context);
  ASSERT_FALSE(values.ok());
  EXPECT_EQ(values.error().code, ErrorCode::kLimitExceeded);
}

TEST(EngineTest, LabelsThatGrowStopAtALimit) {
  QueryContext context{.view = ManySeries(2000)};
  context.budget.max_bytes = 4 << 20;
  // 2,000 labels of 8 KiB are 16 MiB, and nothing else asks for memory after them.
  const auto joined =
      Query("label_join(m, \"d\", \"" + std::string(8192, 'x') + "\", \"half\", \"half\")", At(60 * kMinute), context);
  ASSERT_FALSE(joined.ok());
  EXPECT_NE(joined.error().message.find("memory budget of 4 MiB"), std::string::npos) << joined.error().message;
  // 2^40 and 100^10 bytes, without a budget.
  QueryContext unlimited{.view = ManySeries(1)};
  unlimited.budget.max_bytes = 0;
  std::string doubled = "m";
  std::string expanded = "m";
  std::string groups;
  for (int i = 0; i < 100; ++i) groups += "$1";
  for (int i = 0; i < 40; ++i) doubled = "label_join(" + doubled + ", \"half\", \"-\", \"half\", \"half\")";
  for (int i = 0; i < 10; ++i)
    expanded = "label_replace(" + expanded + ", \"half\", \"" + groups + "\", \"half\", \"(.*)\")";
  for (const std::string& query : {doubled, expanded}) {
    const auto grown = Query(query, At(60 * kMinute), unlimited);
    ASSERT_FALSE(grown.ok());
    EXPECT_EQ(grown.error().code, ErrorCode::kLimitExceeded);
  }
}

TEST(EngineTest, DeadlineAndStop) {
  ManualClock clock(100);
  QueryContext context{.view = ManySeries(5), .clock = &clock, .deadline_ns = 101};
  EXPECT_TRUE(Query("sum(m)", At(0), context).ok());
  clock.Set(101);
  EXPECT_EQ(Query("sum(m)", At(0), context).error().code, ErrorCode::kTimeout);
  std::stop_source stop;
  QueryContext stopped{.view = context.view, .stop = stop.get_token()};
  stop.request_stop();
  EXPECT_EQ(Query("m", At(0), stopped).error().code, ErrorCode::kCancelled);
}

// A clock that moves on by itself whenever it is read.
class RunningClock final : public Clock {
 public:
  [[nodiscard]] int64_t NowNs() const override { return now_.fetch_add(1); }
  [[nodiscard]] int64_t SteadyNs() const override { return NowNs(); }

 private:
  mutable std::atomic<int64_t> now_{0};
};

TEST(EngineTest, LongKernelsLookAtTheClock) {
  // One series, 361 windows of up to 360 rows: about 65,000 rows; and 3,601 windows: ten times that, where the clock is
  // read in between.
  const auto view = ManySeries(1);
  const auto reads = [&](int64_t step_ms) {
    RunningClock clock;
    const auto result = Query("quantile_over_time(0.5, m[1h])",
                              {.start_ms = 0, .end_ms = 60 * kMinute, .step_ms = step_ms, .instant = false},
                              {.view = view, .clock = &clock, .deadline_ns = 1'000'000});
    EXPECT_TRUE(result.ok());
    return clock.NowNs();
  };
  EXPECT_GE(reads(1000), reads(10'000) + 4);
}

TEST(EngineTest, TimesAtTheEndsOfTheRangeOfInt64) {
  FakeView::Builder builder;
  constexpr int64_t kFirstMs = model::kMinTime.FloorMs() + 1;
  constexpr int64_t kLastMs = model::kMaxTime.FloorMs();
  builder.AddFloats({{"__name__", "old_total"}}, {{kFirstMs, 1}, {0, 2}, {kLastMs, 5}});
  const QueryContext context{.view = builder.Build()};
  for (const char* function : {"rate", "increase", "delta", "irate", "deriv", "sum_over_time", "count_over_time",
                               "max_over_time", "ts_of_first_over_time"}) {
    for (const int64_t at : {kFirstMs, kLastMs, 2 * kLastMs}) {
      const auto result = Query(std::string(function) + "(old_total[250y])", At(at), context);
      EXPECT_TRUE(result.ok()) << function;
    }
  }
  EXPECT_TRUE(Query("predict_linear(old_total[250y], 1)", At(kLastMs), context).ok());
  FakeView::Builder with_tier = builder;
  with_tier.AddTier({.width_ns = 3'600'000'000'000, .trusted_until_ns = INT64_MAX});
  const auto sum = Query("sum_over_time(old_total[250y])", At(2 * kLastMs), {.view = with_tier.Build()});
  EXPECT_TRUE(sum.ok());
  const auto all = Query("count_over_time(old_total[250y:5y])", At(kLastMs), context);
  ASSERT_TRUE(all.ok()) << all.error().message;
}

TEST(EngineTest, StepsThatNoMemoryHoldsAreRefused) {
  QueryContext context{.view = ManySeries(1)};
  const auto subquery = Query("max_over_time(m[100y:1ms])", At(kMinute), context);
  ASSERT_FALSE(subquery.ok());
  EXPECT_EQ(subquery.error().code, ErrorCode::kLimitExceeded);
  EXPECT_NE(subquery.error().message.find("the subquery has"), std::string::npos) << subquery.error().message;
  const auto query = Query("m", {.start_ms = 0, .end_ms = int64_t{1} << 50, .step_ms = 1, .instant = false}, context);
  EXPECT_EQ(query.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(Query("m", At(INT64_MAX), context).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Query("m", At(INT64_MIN), context).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(Query("m offset 100y", At(100'000'000'000'000'000), context).ok());
}

TEST(EngineTest, AnnotationsKnowLineAndColumn) {
  const auto result = Query("sum(\n  rate(m[5m])\n)", At(10 * kMinute), {.view = ManySeries(2)});
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->infos.size(), 1U);
  EXPECT_TRUE(result->infos[0].ends_with(": \"m\" (2:8)")) << result->infos[0];
}

TEST(EngineTest, EveryOccurrenceOfAnExpressionHasItsAnnotations) {
  // Written twice, with other spaces, and evaluated once.
  const auto result = Query("sum(rate(m[5m])) / sum (\n rate( m[5m] ))", At(10 * kMinute), {.view = ManySeries(2)});
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(std::ranges::any_of(result->stats.operators, &OperatorTime::reused));
  ASSERT_EQ(result->infos.size(), 2U);
  EXPECT_TRUE(result->infos[0].ends_with(": \"m\" (1:10)")) << result->infos[0];
  EXPECT_TRUE(result->infos[1].ends_with(": \"m\" (2:8)")) << result->infos[1];
  // Three times, one of them inside of another expression that is there twice.
  const auto nested =
      Query("quantile(2, m) + (quantile(2, m) + abs(quantile(2, m)))", At(kMinute), {.view = ManySeries(2)});
  ASSERT_TRUE(nested.ok());
  EXPECT_EQ(nested->warnings.size(), 3U);
}

TEST(EngineTest, TrimOperatorsGiveNothingForFloats) {
  const auto view = ManySeries(3);
  for (const char* text : {"m </ 1", "1 </ m", "m </ m", "m </ on () group_left () sum(m)"}) {
    SCOPED_TRACE(text);
    const auto result = Query(text, At(kMinute), {.view = view});
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_EQ(result->frame.size(), 0U);
    ASSERT_EQ(result->infos.size(), 1U);
    EXPECT_EQ(result->infos[0],
              "PromQL info: incompatible sample types encountered for binary operator \"</\": float </ float (1:1)");
  }
  const auto nothing = Query("nothing >/ 1", At(kMinute), {.view = view});
  ASSERT_TRUE(nothing.ok());
  EXPECT_TRUE(nothing->infos.empty());
  const auto scalars = Query("1 >/ 2", At(kMinute), {.view = view});
  ASSERT_FALSE(scalars.ok());
  EXPECT_EQ(scalars.error().message, "operator \">/\" not allowed for Scalar operations");
}

TEST(EngineTest, StatsSayWhatWasRead) {
  const auto result = Query("sum by (half) (avg_over_time(m[10m]))", At(20 * kMinute), {.view = ManySeries(10)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->stats.series, 10U);
  EXPECT_EQ(result->stats.samples, 600U);
  EXPECT_EQ(result->stats.resolution, "raw");
  ASSERT_EQ(result->stats.operators.size(), 2U);
  EXPECT_EQ(result->stats.operators[0].name, "sum");
  EXPECT_EQ(result->stats.operators[1].name, "avg_over_time");
}

TEST(EngineTest, ReadsNoMoreThanTheWindowsNeed) {
  const auto view = ManySeries(1);
  ASSERT_TRUE(Query("count_over_time(m[1m] offset 5m)", At(20 * kMinute), {.view = view}).ok());
  EXPECT_EQ(view->rows_scanned(), 6U);
}

TEST(EngineTest, EmptySubqueryGrid) {
  // No multiple of an hour lies in the minute before.
  const auto result = Query("sum_over_time(m[1m:1h])", At(20 * kMinute), {.view = ManySeries(2)});
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->frame.size(), 0U);
  for (const char* text :
       {"sum_over_time(sum(m)[1m:1h])", "sum_over_time(topk(1, m)[1m:1h])", "sum_over_time((m + m)[1m:1h])",
        "sum_over_time(vector(1)[1m:1h])", "sum_over_time(quantile(0.5, m)[1m:1h])", "sum_over_time(absent(m)[1m:1h])",
        "sum_over_time((m or vector(time()))[1m:1h])",
        "sum_over_time(label_replace(m, \"a\", \"\", \"b\", \"c\")[1m:1h])", "sum_over_time(rate(m[1m:1h])[1m:1h])"}) {
    const auto inner = Query(text, At(20 * kMinute), {.view = ManySeries(2)});
    ASSERT_TRUE(inner.ok()) << text << ": " << inner.error().message;
    EXPECT_EQ(inner->frame.size(), 0U) << text;
  }
}

// The times that stand for ever in Prometheus' clients are as good as others: nothing is there, and arithmetic holds.
TEST(EngineTest, TheEndsOfTimeAreTimes) {
  const auto view = ManySeries(2);
  for (const int64_t at : {int64_t{9'223'309'901'257'974'999}, int64_t{-9'223'309'901'257'974'000}}) {
    for (const char* text : {"m", "rate(m[5m])", "m offset 100y", "m offset -100y", "max_over_time(m[1h:1m])",
                             "max_over_time(m[250y:1y] offset 250y)", "m @ end()", "m smoothed", "info(m)"}) {
      SCOPED_TRACE(text);
      const auto result = Query(text, At(at), {.view = view});
      ASSERT_TRUE(result.ok()) << result.error().message;
      EXPECT_EQ(result->frame.size(), 0U);
    }
    const auto time = Query("time()", At(at), {.view = view});
    ASSERT_TRUE(time.ok());
    EXPECT_EQ(time->scalar, static_cast<double>(at) / 1000);
    const auto counted = Query("count_over_time(vector(1)[10m:1m])", At(at), {.view = view});
    ASSERT_TRUE(counted.ok()) << counted.error().message;
    const auto fixed = Query("m @ 600", At(at), {.view = view});
    ASSERT_TRUE(fixed.ok());
    EXPECT_EQ(fixed->frame.size(), 2U);
  }
}

TEST(EngineTest, ARangeIsPrintedWithOneSampleForEachMillisecondAndFunctionsSeeAll) {
  FakeView::Builder builder;
  builder.AddRows({{"__name__", "m"}},
                  {{1'000'000'000, 1}, {1'000'000'001, 2}, {1'000'999'999, 3}, {1'001'000'000, 4}});
  const auto view = builder.Build();
  const auto printed = Query("m[1s]", At(1001), {.view = view});
  ASSERT_TRUE(printed.ok());
  ASSERT_EQ(printed->raw.size(), 1U);
  EXPECT_EQ(printed->raw[0].times_ms, (std::vector<int64_t>{1000, 1001}));
  EXPECT_EQ(printed->raw[0].values, (std::vector<double>{3, 4}));
  const auto counted = Query("count_over_time(m[1s])", At(1001), {.view = view});
  ASSERT_TRUE(counted.ok());
  EXPECT_EQ(counted->frame.RowValues(0)[0], 4);
}

}  // namespace
}  // namespace tidemark::query::engine
