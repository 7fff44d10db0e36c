#include "query/operators/aggregate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <thread>

#include "query/engine/engine.h"
#include "query/operators/aggregate_cells.h"
#include "query/promql/parser.h"
#include "tests/unit/query/engine/fake_view.h"

namespace tidemark::query::operators {
namespace {

using engine::Execute;
using engine::FakeView;
using run::RangeSpec;

// Runs every iteration on a thread of its own, in an order that nobody knows.
class ThreadScheduler final : public Scheduler {
 public:
  void Submit(TaskKind, Task task) override { task(); }
  void ParallelFor(TaskKind, size_t count, const std::function<void(size_t)>& body) override {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < count; ++i) threads.emplace_back([&body, i] { body(i); });
  }
  [[nodiscard]] size_t concurrency() const override { return 8; }
};

std::shared_ptr<const FakeView> RandomSeries() {
  FakeView::Builder builder;
  std::mt19937_64 random(11);
  for (int i = 0; i < 700; ++i) {
    std::vector<std::pair<int64_t, double>> samples;
    for (int64_t row = 0; row < 20; ++row) {
      if (random() % 10 == 0) continue;
      samples.emplace_back(row * 60'000, static_cast<double>(random() % 1'000'000) / 997 * std::pow(10, random() % 6));
    }
    if (!samples.empty()) {
      builder.AddFloats({{"__name__", "m"}, {"n", std::to_string(i)}, {"g", std::to_string(i % 7)}}, samples);
    }
  }
  return builder.Build();
}

TEST(AggregateTest, SameBitsHoweverTheWorkIsSpread) {
  const auto view = RandomSeries();
  const RangeSpec range{.start_ms = 0, .end_ms = 20 * 60'000, .step_ms = 1000, .instant = false};
  ThreadScheduler threads;
  for (const char* op : {"sum", "avg", "count", "min", "max", "group", "stddev", "stdvar"}) {
    const std::string text = std::string(op) + " by (g) (m)";
    const auto expr = promql::Parse(text);
    ASSERT_TRUE(expr.ok());
    const auto alone = Execute(**expr, range, {.view = view});
    ASSERT_TRUE(alone.ok());
    ASSERT_EQ(alone->frame.size(), 7U);
    for (int round = 0; round < 3; ++round) {
      const auto spread = Execute(**expr, range, {.view = view, .scheduler = &threads});
      ASSERT_TRUE(spread.ok());
      EXPECT_EQ(spread->frame.present, alone->frame.present) << op;
      EXPECT_EQ(spread->frame.values, alone->frame.values) << op;
    }
  }
}

// Adds values to one cell, and to two that are merged.
template <typename Cell>
void ExpectMergeAgrees(const std::vector<double>& values, double tolerance) {
  Cell whole;
  for (const double value : values) whole.Add(value);
  for (size_t cut = 0; cut <= values.size(); ++cut) {
    Cell left, right;
    for (size_t i = 0; i < values.size(); ++i) (i < cut ? left : right).Add(values[i]);
    if (!right.empty()) left.Merge(right);
    EXPECT_NEAR(left.Value(), whole.Value(), tolerance * (std::fabs(whole.Value()) + 1)) << "cut at " << cut;
  }
}

TEST(AggregateTest, MergedCellsAgreeWithOne) {
  std::mt19937_64 random(3);
  std::vector<double> values;
  for (int i = 0; i < 50; ++i) values.push_back(static_cast<double>(random() % 10'000) / 13 - 300);
  ExpectMergeAgrees<SumCell>(values, 1e-15);
  ExpectMergeAgrees<AvgCell>(values, 1e-15);
  ExpectMergeAgrees<MinCell>(values, 0);
  ExpectMergeAgrees<MaxCell>(values, 0);
  ExpectMergeAgrees<CountCell>(values, 0);
  ExpectMergeAgrees<StddevCell>(values, 1e-12);
  // A mean whose sum overflows, wherever the cut is.
  ExpectMergeAgrees<AvgCell>(std::vector<double>(10, 1.5e308), 1e-12);
}

TEST(AggregateTest, NanLosesAgainstEverything) {
  MaxCell cell;
  cell.Add(std::nan(""));
  EXPECT_TRUE(std::isnan(cell.Value()));
  cell.Add(-5);
  cell.Add(std::nan(""));
  EXPECT_EQ(cell.Value(), -5);
}

}  // namespace
}  // namespace tidemark::query::operators
