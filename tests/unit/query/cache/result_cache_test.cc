#include "query/cache/result_cache.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <bit>
#include <string>
#include <thread>
#include <vector>

#include "query/cache/reuse_rule.h"
#include "query/engine/engine.h"
#include "query/promql/durations.h"
#include "query/promql/parser.h"
#include "tests/unit/query/engine/query_generator.h"
#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::query::cache {
namespace {

using engine::Execute;
using engine::QueryGenerator;
using run::MemoryTotal;
using run::QueryContext;
using run::QueryResult;
using run::QueryStats;
using run::RangeSpec;
using run::Resolution;

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1000 * kMs;

promql::ExprPtr Parse(const std::string& text, const RangeSpec& range) {
  auto expr = promql::Parse(text, promql::ParseOptions::Experimental());
  EXPECT_TRUE(expr.ok()) << text << ": " << expr.error().message;
  EXPECT_TRUE(promql::ResolveDurations(**expr, range.step_ms, range.end_ms - range.start_ms).ok());
  return std::move(expr).value();
}

// All that a reply shows, as text; doubles by their bits.
std::string Shown(const Result<QueryResult>& result) {
  if (!result.ok()) return "error: " + result.error().message;
  std::string out;
  for (size_t row = 0; row < result->frame.size(); ++row) {
    out += ToString(result->frame.rows[row].labels);
    for (size_t step = 0; step < result->frame.steps; ++step) {
      if (result->frame.RowPresent(row)[step] == 0) continue;
      out += fmt::format(" {}:{:x}", result->grid.TimeMs(step),
                         std::bit_cast<uint64_t>(result->frame.RowValues(row)[step]));
    }
    out += '\n';
  }
  for (const std::string& warning : result->warnings) out += "warning: " + warning + '\n';
  for (const std::string& info : result->infos) out += "info: " + info + '\n';
  return out;
}

// ReuseRule.

std::optional<ReuseRule> RuleOf(const std::string& text, RangeSpec range = {0, 600'000, 60'000, false}) {
  const promql::ExprPtr expr = Parse(text, range);
  return FindReuseRule(*expr, range, QueryContext{});
}

TEST(ReuseRuleTest, WhatAStepDependsOn) {
  const auto expect = [](const std::string& text, int64_t before_ms, int64_t after_ms) {
    SCOPED_TRACE(text);
    const auto rule = RuleOf(text);
    ASSERT_TRUE(rule.has_value());
    EXPECT_EQ(rule->before_ms, before_ms);
    EXPECT_EQ(rule->after_ms, after_ms);
    EXPECT_TRUE(rule->fixed.empty());
  };
  expect("x", 300'000, 0);
  expect("sum(rate(x[10m]))", 600'000, 0);
  expect("x offset 1h", 3'900'000, -3'600'000);
  expect("x offset -1h", -3'300'000, 3'600'000);
  expect("x + x offset -1m", 300'000, 60'000);
  expect("max_over_time(rate(x[1m])[10m:30s])", 660'000, 0);
  expect("max_over_time((x offset 1m)[10m:30s] offset 2m)", 600'000 + 300'000 + 180'000, -180'000);
  expect("rate(x[10m] smoothed)", 900'000, 300'000);
  expect("rate(x[10m] anchored)", 900'000, 0);
  expect("rate(x[step()])", 60'000, 0);
  expect("info(x offset 10m)", 900'000, -600'000);
}

TEST(ReuseRuleTest, FixedTimes) {
  const auto rule = RuleOf("x - x @ 100 offset 10s");
  ASSERT_TRUE(rule.has_value());
  ASSERT_EQ(rule->fixed.size(), 1U);
  EXPECT_EQ(rule->fixed[0].after_ms, 90'000 - 300'000);
  EXPECT_EQ(rule->fixed[0].last_ms, 90'000);
  EXPECT_EQ(rule->before_ms, 300'000);
}

TEST(ReuseRuleTest, WhatIsNotKept) {
  for (const char* text :
       {"x @ start()", "rate(x[5m] @ end())", "x + start()", "x * range()", "end()", "vector(1)", "time()", "1",
        "stddev(x)", "limitk(2, x)", "sum(stdvar by (a) (x))", "max_over_time(x[5m:1m] @ end())"}) {
    EXPECT_FALSE(RuleOf(text).has_value()) << text;
  }
  const promql::ExprPtr expr = Parse("x", {});
  EXPECT_FALSE(FindReuseRule(*expr, {.start_ms = 0, .end_ms = 0, .step_ms = 0, .instant = true}, {}).has_value());
  QueryContext tier;
  tier.resolution = {.kind = Resolution::Kind::kTier, .tier_ns = 1};
  EXPECT_FALSE(FindReuseRule(*expr, {0, 10, 1, false}, tier).has_value());
}

TEST(ReuseRuleTest, EqualNamesForEqualValuesOnly) {
  const std::string name = RuleOf("rate(x[5m])")->name;
  EXPECT_EQ(RuleOf(" rate( x[300s] )")->name, name);
  EXPECT_EQ(RuleOf("rate(x[5m])", {120'000, 900'000, 60'000, false})->name, name);
  EXPECT_NE(RuleOf("rate(x[6m])")->name, name);
  EXPECT_NE(RuleOf("rate(x[5m])", {0, 600'000, 30'000, false})->name, name);      // step
  EXPECT_NE(RuleOf("rate(x[5m])", {1'000, 600'000, 60'000, false})->name, name);  // phase
  EXPECT_EQ(RuleOf("rate(x[5m])", {-60'000, 600'000, 60'000, false})->name, name);
  // The same text, other lengths.
  EXPECT_NE(RuleOf("rate(x[range()])", {0, 600'000, 60'000, false})->name,
            RuleOf("rate(x[range()])", {0, 1'200'000, 60'000, false})->name);
}

// The cache on a store.

class ResultCacheTest : public storage::StoreFixture {
 protected:
  static constexpr int64_t kStartMs = 1'700'000'000'000;

  [[nodiscard]] QueryContext Context() {
    auto view = store_->OpenView({});
    EXPECT_TRUE(view.ok());
    return {.view = *view};
  }
  // With `cache`, after a look at what there is without.
  QueryStats Ask(const std::string& text, const RangeSpec& range) {
    SCOPED_TRACE(fmt::format("{} from {} to {} step {}", text, range.start_ms, range.end_ms, range.step_ms));
    const promql::ExprPtr expr = Parse(text, range);
    const QueryContext context = Context();
    const auto plain = Execute(*expr, range, context);
    const auto cached = cache_.Execute(*expr, range, context, &Execute);
    EXPECT_EQ(Shown(cached), Shown(plain));
    return cached.ok() ? cached->stats : QueryStats{};
  }
  // Every 15 s of `minutes`, from kStartMs.
  void WriteMinutes(int minutes) {
    model::BatchBuilder builder;
    for (int i = 0; i < minutes * 4; ++i) {
      for (const char* host : {"a", "b", "c"}) {
        builder.Row("cpu", {{"host", host}}, {kStartMs * kMs + i * 15 * kSecond})
            .Field("usage", static_cast<double>((i * 7 + host[0]) % 100) / 8);
      }
    }
    Write(builder.batch());
  }
  static RangeSpec Minutes(int first, int last, int step = 1) {
    return {kStartMs + first * 60'000, kStartMs + last * 60'000, step * 60'000, false};
  }

  ResultCache cache_{16 << 20};
};

TEST_F(ResultCacheTest, ARepeatedQueryIsNotEvaluated) {
  Open();
  WriteMinutes(60);
  EXPECT_EQ(Ask("cpu_usage", Minutes(0, 50)).cache, "miss");
  const QueryStats again = Ask("cpu_usage", Minutes(0, 50));
  EXPECT_EQ(again.cache, "hit");
  EXPECT_EQ(again.steps_reused, 51U);
  EXPECT_EQ(again.samples, 0U);
  EXPECT_EQ(Ask("cpu_usage", Minutes(10, 20)).cache, "hit");
  EXPECT_EQ(Ask("cpu_usage", Minutes(0, 50)).cache, "hit");
  EXPECT_EQ(cache_.Stats().hits, 3U);
  EXPECT_EQ(cache_.Stats().misses, 1U);
  EXPECT_EQ(cache_.Stats().entries, 1U);
}

TEST_F(ResultCacheTest, AWindowThatMovesOnIsEvaluatedAtItsEnd) {
  Open();
  WriteMinutes(60);
  Ask("sum by (host) (avg_over_time(cpu_usage[5m]))", Minutes(0, 40));
  const QueryStats moved = Ask("sum by (host) (avg_over_time(cpu_usage[5m]))", Minutes(5, 45));
  EXPECT_EQ(moved.cache, "partial");
  EXPECT_EQ(moved.steps_reused, 36U);
  const QueryStats back = Ask("sum by (host) (avg_over_time(cpu_usage[5m]))", Minutes(0, 45));
  EXPECT_EQ(back.steps_reused, 41U);
  EXPECT_EQ(Ask("sum by (host) (avg_over_time(cpu_usage[5m]))", Minutes(0, 45)).cache, "hit");
}

TEST_F(ResultCacheTest, ALateRowTouchesTheStepsThatSeeIt) {
  Open();
  WriteMinutes(60);
  Ask("cpu_usage", Minutes(0, 50));
  WriteDouble("a", kStartMs * kMs + 20 * 60 * kSecond + kSecond, 99);
  const QueryStats after = Ask("cpu_usage", Minutes(0, 50));
  EXPECT_EQ(after.cache, "partial");
  // Steps 21 to 25 look back at it; the seconds around count as well.
  EXPECT_GE(after.steps_reused, 44U);
  EXPECT_LE(after.steps_reused, 46U);
  EXPECT_EQ(Ask("cpu_usage", Minutes(0, 50)).cache, "hit");
  // Far away: nothing.
  WriteDouble("a", kStartMs * kMs - 3600 * kSecond, 99);
  EXPECT_EQ(Ask("cpu_usage", Minutes(0, 50)).cache, "hit");
}

TEST_F(ResultCacheTest, AnAtModifierSeesWritesAtItsTime) {
  Open();
  WriteMinutes(60);
  const std::string text = fmt::format("cpu_usage - cpu_usage @ {}", kStartMs / 1000 + 7200);
  Ask(text, Minutes(0, 50));
  WriteDouble("a", kStartMs * kMs + 7200 * kSecond, 5);
  EXPECT_EQ(Ask(text, Minutes(0, 50)).cache, "miss");
  EXPECT_EQ(Ask(text, Minutes(0, 50)).cache, "hit");
}

TEST_F(ResultCacheTest, MessagesAreNotKept) {
  Open();
  WriteMinutes(60);
  Ask("rate(cpu_usage[5m])", Minutes(0, 50));
  EXPECT_EQ(Ask("rate(cpu_usage[5m])", Minutes(0, 50)).cache, "miss");
  EXPECT_EQ(cache_.Stats().entries, 0U);
}

TEST_F(ResultCacheTest, AResultCountsInTheMemoryOfAllQueries) {
  Open();
  WriteMinutes(60);
  MemoryTotal total(1 << 20);
  const auto ask = [&](const RangeSpec& range) {
    QueryContext context = Context();
    context.memory = &total;
    return cache_.Execute(*Parse("cpu_usage", range), range, context, &Execute);
  };
  for (const char* expected : {"miss", "partial", "hit"}) {
    SCOPED_TRACE(expected);
    const auto result = ask(expected == std::string_view("miss") ? Minutes(0, 40) : Minutes(5, 45));
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->stats.cache, expected);
    EXPECT_GE(total.bytes(), result->frame.bytes());
  }
  EXPECT_EQ(total.bytes(), 0U);
  // Nothing is left for it, although it is in the cache.
  ASSERT_TRUE(total.Take(total.bytes_max() - 100));
  const auto refused = ask(Minutes(5, 45));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  total.Give(total.bytes_max() - 100);
}

TEST_F(ResultCacheTest, MemoryIsBounded) {
  Open();
  WriteMinutes(60);
  ResultCache small(40'000);
  const RangeSpec range = Minutes(0, 50);
  for (int i = 0; i < 100; ++i) {
    const promql::ExprPtr expr = Parse(fmt::format("cpu_usage > {}", i % 7), range);
    ASSERT_TRUE(small.Execute(*expr, range, Context(), &Execute).ok());
    ASSERT_LE(small.Stats().bytes, 40'000U);
  }
  EXPECT_GT(small.Stats().evictions, 0U);
  EXPECT_GT(small.Stats().entries, 0U);
  // A result of more than a quarter is not taken at all.
  ResultCache tiny(4'000);
  const promql::ExprPtr expr = Parse("cpu_usage", range);
  ASSERT_TRUE(tiny.Execute(*expr, range, Context(), &Execute).ok());
  EXPECT_EQ(tiny.Stats().entries, 0U);
}

TEST_F(ResultCacheTest, AnOlderViewGetsItsOwnAnswer) {
  Open();
  WriteMinutes(60);
  const RangeSpec range = Minutes(0, 50);
  const promql::ExprPtr expr = Parse("cpu_usage", range);
  const QueryContext older = Context();
  const std::string before = Shown(Execute(*expr, range, older));
  WriteDouble("a", kStartMs * kMs + 20 * 60 * kSecond, 99);
  Ask("cpu_usage", range);
  EXPECT_EQ(Shown(cache_.Execute(*expr, range, older, &Execute)), before);
  // And it does not push the younger one out.
  EXPECT_EQ(Ask("cpu_usage", range).cache, "hit");
}

TEST_F(ResultCacheTest, ADatabaseMadeAnewIsAnother) {
  Open();
  WriteMinutes(60);
  Ask("cpu_usage", Minutes(0, 50));
  ASSERT_TRUE(store_->DropDatabase("default").ok());
  WriteDouble("a", kStartMs * kMs, 1);
  EXPECT_EQ(Ask("cpu_usage", Minutes(0, 50)).cache, "miss");
}

// Random queries, asked again and again with windows that move, while rows come in order, late and over others, and go
// by deletions and retentions: the cache changes no bit of any answer.
class RandomCacheTest : public ResultCacheTest {
 protected:
  struct Question {
    std::string text;
    RangeSpec range;
  };

  void WriteSome(QueryGenerator* random) {
    static constexpr std::array<std::array<const char*, 2>, 3> kMetrics{
        {{"a", "total"}, {"b", "value"}, {"c", "value"}}};
    model::BatchBuilder builder;
    const size_t rows = 1 + random->Below(30);
    const bool late = random->Below(2) == 0;
    for (size_t i = 0; i < rows; ++i) {
      const auto& metric = kMetrics[random->Below(3)];
      const std::string x = std::to_string(1 + random->Below(3));
      const int64_t back = late ? static_cast<int64_t>(random->Below(5'000)) * kSecond : 0;
      builder.Row(metric[0], {{"x", x}, {"y", random->Below(2) == 0 ? "p" : "q"}}, {now_ns_ - back})
          .Field(metric[1], static_cast<double>(random->Below(800)) / 8);
      if (!late) now_ns_ += static_cast<int64_t>(random->Below(8)) * kSecond + 500 * kMs;
    }
    // Rows that are older than a retention keeps are refused.
    ASSERT_TRUE(store_->Write({}, builder.batch()).ok());
  }

  void Change(QueryGenerator* random) {
    switch (random->Below(14)) {
      case 0: {
        const int64_t first = now_ns_ - static_cast<int64_t>(random->Below(5'000)) * kSecond;
        const storage::DeleteRequest request{
            .selectors = {{Equal("x", std::to_string(1 + random->Below(3)))}},
            .range = {{first}, {first + static_cast<int64_t>(random->Below(600)) * kSecond}},
            .fields = {},
            .dry_run = false};
        ASSERT_TRUE(store_->Delete({}, request).ok());
        return;
      }
      case 1: {
        storage::DatabaseOptions options;
        if (random->Below(2) == 0) options.selectors.push_back({{Equal("x", "2")}, 3'000 * kSecond});
        options.partition_ns = 1800 * kSecond;
        ASSERT_TRUE(store_->SetDatabaseOptions("default", options).ok());
        return;
      }
      case 2: ASSERT_TRUE(store_->Checkpoint().ok()); return;
      case 3: ASSERT_TRUE(store_->Compact("default", {}, [](const auto&) {}).ok()); return;
      case 4:
      case 5: return;  // asked again as it was
      default: WriteSome(random); return;
    }
  }

  int64_t now_ns_ = kStartMs * kMs;
};

TEST_F(RandomCacheTest, AnswersAreThoseWithoutACache) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    QueryGenerator random(seed);
    // A database of its own for each seed.
    if (store_ == nullptr) Open();
    if (store_->HasDatabase("default")) {
      ASSERT_TRUE(store_->DropDatabase("default").ok());
    }
    for (int i = 0; i < 20; ++i) WriteSome(&random);
    std::vector<Question> questions;
    for (int i = 0; i < 10; ++i) {
      const int64_t step_ms = std::array<int64_t, 3>{15'000, 60'000, 17'001}[random.Below(3)];
      const int64_t start_ms = now_ns_ / kMs - static_cast<int64_t>(random.Below(3'000'000));
      questions.push_back({random.Query(), {start_ms, start_ms + 40 * step_ms, step_ms, false}});
    }
    for (int round = 0; round < 250; ++round) {
      Change(&random);
      clock_.Set(now_ns_);
      if (HasFatalFailure()) return;
      Question& question = questions[random.Below(questions.size())];
      Ask(question.text, question.range);
      if (HasFailure()) return;
      const int64_t move = static_cast<int64_t>(random.Below(6)) * question.range.step_ms;
      if (random.Below(8) == 0) question.range.start_ms -= move;
      if (random.Below(3) == 0) question.range.end_ms += move;
      if (random.Below(3) == 0) {
        question.range.start_ms += move;
        question.range.end_ms += move;
      }
    }
  }
  const ResultCacheStats stats = cache_.Stats();
  EXPECT_GT(stats.hits, 30U) << stats.partial_hits << " partial, " << stats.misses << " misses, " << stats.bypassed;
  EXPECT_GT(stats.partial_hits, 200U);
  EXPECT_GT(stats.steps_changed, 100U);
}

// While others write, the answer over one view is still the same with the cache and without.
TEST_F(RandomCacheTest, WhileOthersWrite) {
  Open();
  WriteMinutes(60);
  std::atomic<bool> stop{false};
  std::atomic<int> written{0};
  const auto write = [&](const char* host) {
    for (int i = 0; !stop.load(); i = (i + 1) % 3000) {
      WriteDouble(host, (kStartMs + i * 1'000) * kMs, static_cast<double>(i % 64) / 8);
      written.fetch_add(1);
    }
  };
  std::thread a(write, "a");
  std::thread b(write, "b");
  const std::vector<std::string> texts{"cpu_usage", "sum(max_over_time(cpu_usage[2m]))", "cpu_usage offset -3m"};
  while (written.load() < 20) std::this_thread::yield();
  for (int i = 0; i < 60 && !HasFailure(); ++i) Ask(texts[static_cast<size_t>(i) % 3], Minutes(i % 5, 45 + i % 5));
  stop.store(true);
  a.join();
  b.join();
  // At rest everything holds.
  for (const std::string& text : texts) {
    Ask(text, Minutes(0, 50));
    EXPECT_EQ(Ask(text, Minutes(0, 50)).cache, "hit");
  }
}

}  // namespace
}  // namespace tidemark::query::cache
