// Random queries on random data: the engine beside SlowEvaluator, value by value.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <string>

#include <fmt/core.h>

#include "query/engine/engine.h"
#include "query/promql/durations.h"
#include "query/promql/parser.h"
#include "tests/unit/query/engine/fake_view.h"
#include "tests/unit/query/engine/query_generator.h"
#include "tests/unit/query/engine/slow_evaluator.h"

namespace tidemark::query::engine {
namespace {

using frame::LabelSet;
using run::QueryContext;
using run::QueryResult;
using run::RangeSpec;

// Counters, gauges, whole and decimal values, gaps, stale markers; some regular, some not.
std::vector<SlowSeries> MakeData(QueryGenerator* generator) {
  const auto below = [generator](size_t n) { return generator->Below(n); };
  std::vector<SlowSeries> out;
  for (const char* name : {"a_total", "b", "c"}) {
    for (const char* x : {"1", "2", "3"}) {
      for (const char* y : {"p", "q"}) {
        if (below(6) == 0) continue;
        SlowSeries& series = out.emplace_back(SlowSeries{{{"__name__", name}, {"x", x}, {"y", y}}, {}});
        const bool regular = below(2) == 0;
        double value = static_cast<double>(below(50));
        for (int64_t at = 0; at < 3'600'000; at += regular ? 15'000 : 5'000 + static_cast<int64_t>(below(40'000))) {
          if (!regular && below(25) == 0) at += 400'000;
          value += static_cast<double>(below(20)) / (name[0] == 'c' ? 8 : 1);
          if (below(20) == 0) value = static_cast<double>(below(10));
          const bool stale = !regular && below(30) == 0;
          series.samples.emplace_back(at, stale ? std::bit_cast<double>(uint64_t{0x7ff0000000000002}) : value);
        }
      }
    }
  }
  return out;
}

bool Close(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::fabs(a - b) <= 1e-9 * std::max({1.0, std::fabs(a), std::fabs(b)});
}

SlowLabels LabelsOf(const LabelSet& labels) {
  SlowLabels out;
  for (const model::LabelView& label : labels) out[std::string(label.name)] = std::string(label.value);
  return out;
}

// What the engine says at one step.
std::map<SlowLabels, double> At(const QueryResult& result, size_t step) {
  std::map<SlowLabels, double> out;
  if (result.type == promql::ValueType::kScalar) out[{}] = result.scalar;
  for (size_t row = 0; row < result.frame.size(); ++row) {
    if (result.frame.RowPresent(row)[step] != 0) {
      out[LabelsOf(result.frame.rows[row].labels)] = result.frame.RowValues(row)[step];
    }
  }
  return out;
}

void Compare(const std::string& text, const std::vector<SlowSeries>& data, const QueryContext& context,
             const RangeSpec& range) {
  SCOPED_TRACE(fmt::format("{} from {} to {} step {}", text, range.start_ms, range.end_ms, range.step_ms));
  auto expr = promql::Parse(text, promql::ParseOptions::Experimental());
  ASSERT_TRUE(expr.ok()) << expr.error().message;
  ASSERT_TRUE(promql::ResolveDurations(**expr, range.step_ms, range.end_ms - range.start_ms).ok());
  const auto result = Execute(**expr, range, context);
  SlowEvaluator slow(data, range.start_ms, range.end_ms);
  bool failed = false;
  const size_t steps = range.instant ? 1 : static_cast<size_t>((range.end_ms - range.start_ms) / range.step_ms) + 1;
  for (size_t step = 0; step < steps; ++step) {
    const auto want = slow.At(**expr, range.start_ms + static_cast<int64_t>(step) * range.step_ms);
    if (!want) {
      failed = true;
      continue;
    }
    if (!result.ok()) continue;
    const auto got = At(*result, step);
    ASSERT_EQ(got.size(), want->size()) << "step " << step;
    for (const auto& [labels, value] : *want) {
      const auto found = got.find(labels);
      ASSERT_NE(found, got.end()) << "step " << step;
      ASSERT_TRUE(Close(found->second, value)) << "step " << step << ": " << found->second << ", want " << value;
    }
  }
  ASSERT_EQ(!result.ok(), failed) << (result.ok() ? "" : result.error().message);
}

TEST(RandomTest, EngineAgreesWithSlowEvaluator) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    QueryGenerator generator(seed);
    const std::vector<SlowSeries> data = MakeData(&generator);
    FakeView::Builder builder;
    for (const SlowSeries& series : data) {
      model::Labels labels;
      for (const auto& [name, value] : series.labels) labels.push_back({name, value});
      builder.AddFloats(labels, series.samples);
    }
    const QueryContext context{.view = builder.Build()};
    for (int i = 0; i < 60; ++i) {
      const std::string text = generator.Query();
      const int64_t at = static_cast<int64_t>(generator.Below(3'700'000));
      RangeSpec range{.start_ms = at, .end_ms = at, .step_ms = 0, .instant = true};
      if (generator.Below(2) == 0) {
        range = {.start_ms = at,
                 .end_ms = at + 450'000,
                 .step_ms = 15'000 + static_cast<int64_t>(generator.Below(3)),
                 .instant = false};
      }
      Compare(text, data, context, range);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

// A long chain of sets, whose pairs are made of halves, gives what the same pairs from the left give, in the same
// order.
TEST(RandomTest, LongChainsGiveWhatTheirPairsGive) {
  size_t rows = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    QueryGenerator generator(seed);
    FakeView::Builder builder;
    for (const SlowSeries& series : MakeData(&generator)) {
      model::Labels labels;
      for (const auto& [name, value] : series.labels) labels.push_back({name, value});
      builder.AddFloats(labels, series.samples);
    }
    const QueryContext context{.view = builder.Build()};
    const std::string link = generator.Pick({"or", "and"}) + " " + generator.Pick({"", "on (x, y) ", "on (x) "});
    std::string chain = generator.Operand();
    std::string pairs = chain;
    for (int i = 1; i < 100; ++i) {
      const std::string operand = generator.Operand();
      chain += " " + link + operand;
      // Parentheses end a chain; one for each pair would be too deep.
      pairs =
          i % 50 == 0 ? fmt::format("({}) {}{}", pairs, link, operand) : fmt::format("{} {}{}", pairs, link, operand);
    }
    SCOPED_TRACE(fmt::format("seed {}: {}", seed, link));
    const int64_t at = static_cast<int64_t>(generator.Below(3'000'000));
    const RangeSpec range{.start_ms = at, .end_ms = at + 90'000, .step_ms = 30'000, .instant = false};
    const auto run = [&](const std::string& text) {
      auto expr = promql::Parse(text, promql::ParseOptions::Experimental());
      EXPECT_TRUE(expr.ok()) << expr.error().message;
      EXPECT_EQ((*expr)->height < 40, text == chain);
      return Execute(**expr, range, context);
    };
    const auto want = run(pairs);
    const auto got = run(chain);
    ASSERT_TRUE(want.ok() && got.ok());
    ASSERT_EQ(got->frame.size(), want->frame.size());
    EXPECT_EQ(got->frame.present, want->frame.present);
    for (size_t row = 0; row < want->frame.size(); ++row) {
      ++rows;
      EXPECT_EQ(LabelsOf(got->frame.rows[row].labels), LabelsOf(want->frame.rows[row].labels));
      for (size_t step = 0; step < want->frame.steps; ++step) {
        if (want->frame.RowPresent(row)[step] == 0) continue;
        EXPECT_EQ(std::bit_cast<uint64_t>(got->frame.RowValues(row)[step]),
                  std::bit_cast<uint64_t>(want->frame.RowValues(row)[step]));
      }
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(rows, 50U);
}

// limit_ratio(r, v) and limit_ratio(r - 1, v) part v in two, whatever the ratio, and each keeps what it takes.
TEST(RandomTest, LimitRatioPartsAVector) {
  QueryGenerator generator(7);
  FakeView::Builder builder;
  for (const SlowSeries& series : MakeData(&generator)) {
    model::Labels labels;
    for (const auto& [name, value] : series.labels) labels.push_back({name, value});
    builder.AddFloats(labels, series.samples);
  }
  const QueryContext context{.view = builder.Build()};
  const RangeSpec at{.start_ms = 1'800'000, .end_ms = 1'800'000, .step_ms = 0, .instant = true};
  const auto ask = [&](const std::string& text) {
    const auto expr = promql::Parse(text, promql::ParseOptions::Experimental());
    EXPECT_TRUE(expr.ok()) << text;
    const auto result = Execute(**expr, at, context);
    EXPECT_TRUE(result.ok()) << text;
    return At(*result, 0);
  };
  const auto all = ask("b");
  ASSERT_GT(all.size(), 2U);
  std::map<SlowLabels, double> before;
  for (int percent = 1; percent < 100; ++percent) {
    SCOPED_TRACE(percent);
    const auto taken = ask(fmt::format("limit_ratio({}, b)", percent / 100.0));
    auto both = ask(fmt::format("limit_ratio({}, b)", percent / 100.0 - 1));
    EXPECT_EQ(taken.size() + both.size(), all.size());
    both.insert(taken.begin(), taken.end());
    EXPECT_EQ(both, all);
    // What a ratio takes, a larger one takes too.
    for (const auto& [labels, value] : before) EXPECT_TRUE(taken.contains(labels));
    before = taken;
  }
}

}  // namespace
}  // namespace tidemark::query::engine
