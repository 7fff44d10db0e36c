#include "query/plan/planner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "query/promql/parser.h"

namespace tidemark::query::plan {
namespace {

constexpr int64_t kMinute = 60'000;

struct Planned {
  promql::ExprPtr expr;
  Plan plan;
};

Result<Planned> MakePlan(std::string_view text) {
  Planned out;
  TM_TRY_ASSIGN(out.expr, promql::Parse(text, promql::ParseOptions::Experimental()));
  const PlanOptions options{.grid = {.start_ms = 10 * kMinute, .step_ms = kMinute, .count = 6},
                            .start_ms = 10 * kMinute,
                            .end_ms = 15 * kMinute + 30'000};
  TM_TRY_ASSIGN(out.plan, Build(*out.expr, options));
  return out;
}

TEST(PlannerTest, FoldsConstants) {
  const auto planned = MakePlan("-(1 + 2) * 3 ^ 2 > bool 0 - 100");
  ASSERT_TRUE(planned.ok());
  ASSERT_EQ(planned->plan.root->kind, NodeKind::kConstant);
  EXPECT_EQ(As<ConstantNode>(*planned->plan.root).value, 1);
}

TEST(PlannerTest, EqualSelectorsShareASlotOverTheUnionOfTheirTimes) {
  const auto planned = MakePlan("up offset 1m + rate(up[20m]) + up{job=\"x\"}");
  ASSERT_TRUE(planned.ok());
  ASSERT_EQ(planned->plan.selectors.size(), 2U);
  EXPECT_EQ(planned->plan.selectors[0].after_ms, -10 * kMinute);  // the range of 20 m before the first step
  EXPECT_EQ(planned->plan.selectors[0].last_ms, 15 * kMinute);
  EXPECT_EQ(planned->plan.selectors[1].after_ms, 5 * kMinute);  // the look-back
}

TEST(PlannerTest, EqualOperandsAreFound) {
  const auto uses = [](std::string_view text) {
    const auto planned = MakePlan(text);
    size_t most = 0;
    for (const Share& share : planned->plan.shares) most = std::max(most, share.uses);
    return most;
  };
  EXPECT_EQ(uses("rate(up[5m]) / on () group_left () sum(rate(up[5m]))"), 2U);
  EXPECT_EQ(uses("(sum(up)) + (sum( up )) * sum(up)"), 3U);
  EXPECT_EQ(uses("clamp(up, scalar(sum(x)), scalar(sum(x)))"), 2U);
  EXPECT_EQ(uses("quantile(scalar(sum(x)), sum(x))"), 2U);
  EXPECT_EQ(uses("sum(rate(up[5m])) / sum(rate(up[6m]))"), 1U);
  // Each operand contains the next one, so that none is looked for.
  for (const char* text :
       {"max(max_over_time(up[1h])) by (job)", "2 * -(1 - sum(up)) > 5", "topk(3, up)",
        "max_over_time(sum(rate(up[5m]))[1h:1m])", "label_replace(up, \"a\", \"b\", \"c\", \"d\")"}) {
    EXPECT_EQ(uses(text), 0U) << text;
  }
}

TEST(PlannerTest, FindsWhatDoesNotDependOnTheStep) {
  for (const char* text : {"up @ 60", "rate(up[5m] @ start())", "sum(up @ end()) + 1", "abs(up @ 60)", "vector(1)",
                           "max_over_time(rate(up[1m])[5m:1m] @ 60)", "scalar(up @ 60) * 2", "pi()"}) {
    const auto planned = MakePlan(text);
    ASSERT_TRUE(planned.ok()) << text;
    EXPECT_TRUE(planned->plan.root->step_invariant) << text;
  }
  for (const char* text : {"up", "up @ 60 + up", "time()", "timestamp(up @ 60)", "predict_linear(up[5m] @ 60, 1)",
                           "hour()", "topk(scalar(up), up @ 60)", "max_over_time((up @ 60)[5m:1m])"}) {
    const auto planned = MakePlan(text);
    ASSERT_TRUE(planned.ok()) << text;
    EXPECT_FALSE(planned->plan.root->step_invariant) << text;
  }
}

TEST(PlannerTest, StartAndEndAreThoseOfTheWholeQueryInsideSubqueriesToo) {
  const auto planned = MakePlan("max_over_time((up @ end())[5m:1m] offset 1h)");
  ASSERT_TRUE(planned.ok());
  const auto& range = *As<RollupNode>(*planned->plan.root).range;
  EXPECT_EQ(As<SelectNode>(*range.subquery).reference.at_ms, 15 * kMinute + 30'000);
}

TEST(PlannerTest, SubqueriesStandOnMultiplesOfTheirStep) {
  const auto planned = MakePlan("max_over_time(up[5m:70s] offset 30s)");
  ASSERT_TRUE(planned.ok());
  const auto& range = *As<RollupNode>(*planned->plan.root).range;
  const StepGrid grid = SubqueryGrid(range, planned->plan.grid);
  // From (10 m - 30 s - 5 m, ...]: 4 m 30 s = 270 s, so 280 s is first; the last is at or before 14 m 30 s = 870 s.
  EXPECT_EQ(grid.start_ms, 280'000);
  EXPECT_EQ(grid.end_ms(), 840'000);
  // Before 1970 too, and open on the left.
  const StepGrid early = SubqueryGrid(range, {.start_ms = -180'000 + 30'000, .step_ms = 1, .count = 1});
  EXPECT_EQ(early.start_ms, -420'000);
  EXPECT_EQ(early.end_ms(), -210'000);
  const StepGrid edge = SubqueryGrid(range, {.start_ms = 330'000, .step_ms = 1, .count = 1});
  EXPECT_EQ(edge.start_ms, 70'000);
}

TEST(PlannerTest, TimestampOfASelectorAsksForTheSamplesTime) {
  const auto direct = MakePlan("timestamp((up))");
  ASSERT_TRUE(direct.ok());
  ASSERT_EQ(direct->plan.root->kind, NodeKind::kSelect);
  EXPECT_TRUE(As<SelectNode>(*direct->plan.root).timestamps);
  EXPECT_EQ(MakePlan("timestamp(up + 1)")->plan.root->kind, NodeKind::kCall);
}

TEST(PlannerTest, ModifiersOfRangesAreForSomeFunctions) {
  EXPECT_TRUE(MakePlan("up </ 1").ok()) << "trims histograms, and says nothing of floats";
  EXPECT_TRUE(MakePlan("up[5m] anchored").ok()) << "the samples of a range that is the whole query";
  EXPECT_EQ(MakePlan("up anchored").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(MakePlan("deriv(up[5m] smoothed)").error().message,
            "smoothed modifier can only be used with: delta, increase, rate - not with deriv");
  EXPECT_EQ(MakePlan("deriv(up[5m] anchored)").error().message,
            "anchored modifier can only be used with: changes, delta, increase, rate, resets - not with deriv");
  EXPECT_TRUE(MakePlan("changes(up[5m] anchored)").ok());
  EXPECT_EQ(MakePlan("changes(up[5m] smoothed)").error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tidemark::query::plan
