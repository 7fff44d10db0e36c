// Queries that want too much: each ends within its time and memory, with words that help.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <stop_token>
#include <string>

#include <fmt/core.h>

#include "query/api/explain.h"
#include "query/engine/engine.h"
#include "tests/unit/query/engine/ask.h"
#include "tests/unit/query/engine/fake_view.h"

namespace tidemark::query::engine {
namespace {

using run::QueryContext;
using run::QueryStats;
using run::RangeSpec;

// Every look takes 10 ms; from look `stop_at` on, the query is to stop.
class CountingClock final : public Clock {
 public:
  explicit CountingClock(uint64_t stop_at = UINT64_MAX) : stop_at_(stop_at) {}
  [[nodiscard]] int64_t NowNs() const override { return SteadyNs(); }
  [[nodiscard]] int64_t SteadyNs() const override {
    const uint64_t look = looks_.fetch_add(1);
    if (look == stop_at_) source_.request_stop();
    return static_cast<int64_t>(look) * 10'000'000;
  }
  [[nodiscard]] uint64_t looks() const { return looks_; }
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  uint64_t stop_at_;
  mutable std::stop_source source_;
  mutable std::atomic<uint64_t> looks_{0};
};

std::string Repeated(const std::string& text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

struct Hostile {
  std::string text;
  RangeSpec range;
};

Hostile MakeHostile(std::mt19937_64& random, int kind) {
  const auto below = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); };
  const int64_t day = 86'400'000;
  RangeSpec instant{.start_ms = 3'600'000, .end_ms = 3'600'000, .step_ms = 0, .instant = true};
  RangeSpec hour{.start_ms = 0, .end_ms = 3'600'000, .step_ms = 10'000, .instant = false};
  switch (kind) {
    case 0: {
      const size_t deep = 20 + below(3000);
      return {Repeated("abs(", deep) + "m" + Repeated(")", deep), hour};
    }
    case 1: return {"m" + Repeated(" + m", 20 + below(3000)), instant};
    case 2: return {Repeated("-", 10 + below(5000)) + "m", hour};
    case 3: {
      hour.step_ms = 1 + static_cast<int64_t>(below(3));
      hour.end_ms = static_cast<int64_t>(1 + below(3000)) * day;
      return {"sum(m) / count(m)", hour};
    }
    case 4: return {fmt::format("max_over_time(m[{}y:{}ms])", 1 + below(100), 1 + below(5)), instant};
    case 5: {
      std::string text = "m";
      for (size_t i = 0, n = 2 + below(6); i < n; ++i)
        text = fmt::format("sum_over_time(({})[1d:{}s])", text, 1 + below(5));
      return {text, instant};
    }
    case 6: return {fmt::format("m{{n=~\"({}){{{}}}\"}}", Repeated("a?|b*|", 1 + below(40)), 1 + below(1000)), instant};
    case 7: return {fmt::format("m * on (half) group_left m{}", Repeated(" * on (half) group_left m", below(5))), hour};
    case 8: {
      std::string text = "m";
      for (size_t i = 0, n = 5 + below(40); i < n; ++i)
        text = fmt::format(R"(label_join({}, "n", "-", "n", "n"))", text);
      return {text, instant};
    }
    default:
      hour.step_ms = 100 + static_cast<int64_t>(below(1000));
      return {fmt::format("quantile_over_time(0.{}, m[{}m]) + stddev_over_time(m[1h])", 1 + below(9), 1 + below(60)),
              hour};
  }
}

TEST(HostileTest, TwoHundredEndInTimeAndMemory) {
  constexpr uint64_t kSeed = 4;
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  std::mt19937_64 random(kSeed);
  const auto view = ManySeries(50);
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    const Hostile query = MakeHostile(random, i % 10);
    SCOPED_TRACE(query.text.substr(0, 200));
    const CountingClock clock;
    QueryContext context{.view = view, .clock = &clock, .deadline_ns = 200'000'000};
    context.budget.max_bytes = 64 << 20;
    context.budget.max_samples = 2'000'000;
    const auto result = Query(query.text, query.range, context);
    // Who is told to end looks no more than its operators need to say how long they took.
    EXPECT_LT(clock.looks(), 200U + 20'000U);
    if (result.ok()) {
      EXPECT_LE(result->stats.peak_bytes, context.budget.max_bytes);
      continue;
    }
    ++refused;
    const std::string& words = result.error().message;
    switch (result.error().code) {
      case ErrorCode::kLimitExceeded:
        EXPECT_TRUE(words.find("ask for") != std::string::npos || words.find("limit of") != std::string::npos ||
                    words.find("more than") != std::string::npos)
            << words;
        break;
      case ErrorCode::kTimeout: EXPECT_NE(words.find("ask for"), std::string::npos) << words; break;
      default: EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument) << words; EXPECT_FALSE(words.empty());
    }
  }
  EXPECT_GT(refused, 60);
}

// A dashboard's "all": the longest chain that there may be, each operand another selector.
TEST(HostileTest, TenThousandSelectorsInOneChainAreAnswered) {
  std::string text = R"(m{n="0"})";
  for (int i = 1; i < 10'000; ++i) {
    text += fmt::format(R"( or m{{n="{}"}})", i);
  }
  const QueryContext context{.view = ManySeries(50)};
  promql::ParseOptions options;
  options.text_size_max = size_t{1} << 20;
  const auto expr = promql::Parse(text, options);
  ASSERT_TRUE(expr.ok()) << expr.error().message;
  const auto result = Execute(**expr, At(3'000'000), context);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->frame.size(), 50U);
}

TEST(HostileTest, CancelledQueriesEndAtTheNextLook) {
  const auto view = ManySeries(50);
  const RangeSpec range{.start_ms = 0, .end_ms = 3'600'000, .step_ms = 100, .instant = false};
  const std::string text = "quantile_over_time(0.5, m[1h])";
  const CountingClock whole;
  ASSERT_TRUE(Query(text, range, {.view = view, .clock = &whole, .deadline_ns = INT64_MAX}).ok());
  // A look every 2^17 rows of the slowest kernel: 36,001 windows of up to 360 rows, 50 times.
  ASSERT_GT(whole.looks(), 1000U);
  for (const uint64_t stop_at : {uint64_t{3}, uint64_t{100}, uint64_t{900}}) {
    const CountingClock clock(stop_at);
    const auto result =
        Query(text, range, {.view = view, .clock = &clock, .deadline_ns = INT64_MAX, .stop = clock.token()});
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
    EXPECT_LT(clock.looks(), stop_at + 4);
  }
}

TEST(ExplainTest, EqualExpressionsAreComputedOnce) {
  const auto view = ManySeries(4);
  const RangeSpec range{.start_ms = 600'000, .end_ms = 1'200'000, .step_ms = 60'000, .instant = false};
  const auto once = Query("sum(rate(m[5m]))", range, {.view = view});
  ASSERT_TRUE(once.ok());
  const auto twice = Query("sum(rate(m[5m])) / (sum(rate(m[5m])) + 1)", range, {.view = view});
  ASSERT_TRUE(twice.ok());
  EXPECT_EQ(twice->stats.samples, once->stats.samples);
  const auto whole = Query("rate(m[5m]) / ignoring (n, half) group_left sum(rate(m[5m]))", range, {.view = view});
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->stats.samples, once->stats.samples);
  // Another grid is another value.
  const auto moved = Query("sum(rate(m[5m])) / sum_over_time(sum(rate(m[5m]))[2m:10s])", range, {.view = view});
  ASSERT_TRUE(moved.ok());
  EXPECT_GT(moved->stats.samples, once->stats.samples);
}

TEST(ExplainTest, SaysWhatWasDone) {
  const CountingClock clock;
  const auto result = Query("sum by (half) (rate(m{n!=\"\"}[5m])) + 1",
                            {.start_ms = 600'000, .end_ms = 660'000, .step_ms = 60'000, .instant = false},
                            {.view = ManySeries(4), .clock = &clock});
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->stats.operators.size(), 3U);
  EXPECT_EQ(result->stats.operators[2].text, "rate(m{n!=\"\"}[5m])");
  EXPECT_EQ(result->stats.operators[2].depth, 2U);
  EXPECT_EQ(result->stats.operators[2].samples, result->stats.samples);
  EXPECT_EQ(result->stats.operators[1].samples, 0U);
  EXPECT_EQ(result->stats.operators[0].steps, 2U);
  EXPECT_GT(result->stats.operators[2].self_ns, 0);
  const std::string json = api::ExplainJson(result->stats);
  EXPECT_TRUE(json.starts_with(R"({"resolution":"raw","samples":)")) << json;
  const std::string sum = R"x("inputs":[{"operator":"sum","text":"sum by (half) (rate(m{n!=\"\"}[5m]))","steps":2)x";
  EXPECT_NE(json.find(sum), std::string::npos) << json;
  EXPECT_TRUE(json.ends_with(R"("inputs":[]}]}]}})")) << json;
  EXPECT_NE(api::ExplainJson(QueryStats{}).find(R"("plan":null)"), std::string::npos);
}

}  // namespace
}  // namespace tidemark::query::engine
