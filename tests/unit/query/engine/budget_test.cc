// Budgets that are not in engine_test.cc: points of one table, memory of all queries together.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "query/engine/engine.h"
#include "tests/unit/query/engine/ask.h"
#include "tests/unit/query/engine/fake_view.h"

namespace tidemark::query::engine {
namespace {

using run::MemoryTotal;
using run::QueryContext;
using run::QueryResult;
using run::RangeSpec;

std::shared_ptr<const FakeView> Series(int count) {
  FakeView::Builder builder;
  for (int i = 0; i < count; ++i) {
    builder.AddFloats({{"__name__", "m"}, {"n", std::to_string(i)}}, {{0, 1}, {60'000, 2}});
  }
  return builder.Build();
}

const RangeSpec kMinute{.start_ms = 0, .end_ms = 60'000, .step_ms = 1000};

TEST(BudgetTest, PointsOfOneTable) {
  QueryContext context{.view = Series(100)};
  context.budget.max_points = 1000;
  const auto result = Query("m", kMinute, context);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(result.error().message,
            "query holds more than its budget of 1000 points at once, 100 or more series at 61 steps; aggregate, add "
            "label matchers, or ask for a longer step or a shorter range");
  // What is aggregated while it is read is no table.
  EXPECT_TRUE(Query("sum(m)", kMinute, context).ok());
  EXPECT_FALSE(Query("sum(m + m)", kMinute, context).ok());
  context.budget.max_points = 6100;
  EXPECT_TRUE(Query("m", kMinute, context).ok());
}

// Large ones may not take what small ones need.
TEST(BudgetTest, AnEighthOfTheMemoryIsForWhatHoldsLittle) {
  MemoryTotal total(uint64_t{16} << 20);
  total.TakeAnyway((uint64_t{14} << 20) - 1000);
  QueryContext context{.view = Series(20'000), .memory = &total};
  const auto large = Query("m", kMinute, context);
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().code, ErrorCode::kResourceExhausted);
  EXPECT_TRUE(large.error().message.contains("the seven eighths of query.total_memory")) << large.error().message;
  context.view = Series(100);
  EXPECT_TRUE(Query("m", kMinute, context).ok());
  EXPECT_EQ(total.bytes(), (uint64_t{14} << 20) - 1000);
}

TEST(BudgetTest, MemoryOfAllTogetherIsGivenBack) {
  MemoryTotal total(1 << 20);
  QueryContext context{.view = Series(500), .memory = &total};
  {
    const auto first = Query("m", kMinute, context);
    ASSERT_TRUE(first.ok()) << first.error().message;
    const uint64_t held = total.bytes();
    EXPECT_GE(held, 500 * 61 * 9U) << "a result counts until it goes";
    std::vector<QueryResult> results;
    for (int i = 0; i < 5; ++i) {
      auto more = Query("m", kMinute, context);
      if (more.ok()) {
        results.push_back(std::move(more).value());
        continue;
      }
      EXPECT_EQ(more.error().code, ErrorCode::kResourceExhausted);
      EXPECT_NE(more.error().message.find("all queries together need more than their memory budget of 1 MiB"),
                std::string::npos)
          << more.error().message;
    }
    EXPECT_LT(results.size(), 5U);
    EXPECT_EQ(total.bytes(), held * (results.size() + 1));
  }
  EXPECT_EQ(total.bytes(), 0U);
  // Failures of every kind give back too.
  context.budget.max_bytes = 1000;
  EXPECT_FALSE(Query("m", kMinute, context).ok());
  context.budget.max_bytes = 0;
  context.budget.max_samples = 3;
  EXPECT_FALSE(Query("sort(m) + m", kMinute, context).ok());
  EXPECT_FALSE(Query("m[1h]", {.start_ms = 0, .end_ms = 0, .step_ms = 0, .instant = true}, context).ok());
  EXPECT_EQ(total.bytes(), 0U);
}

}  // namespace
}  // namespace tidemark::query::engine
