#include "query/promql/durations.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "query/promql/parser.h"

namespace tidemark::query::promql {
namespace {

constexpr int64_t kStepMs = 15'000;
constexpr int64_t kRangeMs = 3'600'000;

ExprPtr MustParse(std::string_view text) {
  auto expr = Parse(text);
  EXPECT_TRUE(expr.ok()) << text;
  return std::move(*expr);
}

int64_t WindowMs(std::string_view window) {
  const ExprPtr expr = MustParse("up[" + std::string(window) + "]");
  const Status status = ResolveDurations(*expr, kStepMs, kRangeMs);
  EXPECT_TRUE(status.ok()) << window << ": " << status.error().message;
  return As<MatrixSelector>(*expr).window.ms;
}

std::string Refusal(std::string_view text) {
  const ExprPtr expr = MustParse(text);
  const Status status = ResolveDurations(*expr, kStepMs, kRangeMs);
  return status.ok() ? "accepted" : status.error().message;
}

TEST(Durations, StepAndRangeAreTheQuerys) {
  EXPECT_EQ(WindowMs("step()"), kStepMs);
  EXPECT_EQ(WindowMs("range()"), kRangeMs);
  EXPECT_EQ(WindowMs("step() * 4 + 1s"), 61'000);
  EXPECT_EQ(WindowMs("range() / 7"), 514'285);  // cut off, not rounded
  EXPECT_EQ(WindowMs("max_of(step(), 1m)"), 60'000);
  EXPECT_EQ(WindowMs("min_of(step(), 1m)"), kStepMs);
  EXPECT_EQ(WindowMs("range() % 7s"), 2'000);
  EXPECT_EQ(WindowMs("step() ^ 2"), 225'000);
  EXPECT_EQ(WindowMs("-(step() - 1m)"), 45'000);
  EXPECT_EQ(WindowMs("5m"), 300'000);
}

TEST(Durations, EveryPlaceInTheTreeIsReached) {
  const ExprPtr expr =
      MustParse("topk(scalar(c offset step()), -(a offset -range()) or max_over_time(b[1h:step()] offset step()))");
  ASSERT_TRUE(ResolveDurations(*expr, kStepMs, kRangeMs).ok());
  const auto& topk = As<AggregateExpr>(*expr);
  EXPECT_EQ(As<VectorSelector>(*As<Call>(*topk.param).args[0]).offset.ms, kStepMs);
  const auto& binary = As<BinaryExpr>(*topk.expr);
  EXPECT_EQ(As<VectorSelector>(SkipParens(*As<UnaryExpr>(*binary.lhs).expr)).offset.ms, -kRangeMs);
  const auto& subquery = As<SubqueryExpr>(*As<Call>(*binary.rhs).args[0]);
  EXPECT_EQ(subquery.step.ms, kStepMs);
  EXPECT_EQ(subquery.offset.ms, kStepMs);
  EXPECT_EQ(subquery.window.ms, kRangeMs);
}

TEST(Durations, WindowsMustStayPositive) {
  constexpr std::string_view kPositive = "duration must be greater than 0";
  EXPECT_EQ(Refusal("up[step() - 15s]"), kPositive);
  EXPECT_EQ(Refusal("up[step() - 1h]"), kPositive);
  EXPECT_EQ(Refusal("up[1h:step() - 1h]"), kPositive);
  EXPECT_EQ(Refusal("up[step() / (range() - 1h)]"), "division by zero");
  EXPECT_EQ(Refusal("up[step() % (range() - 1h)]"), "modulo by zero");
  EXPECT_EQ(Refusal("up[range() ^ 100]"), "duration is out of range");
  EXPECT_EQ(Refusal("up offset (step() - 1h)"), "accepted");
}

TEST(Durations, InstantQueriesHaveNoStep) {
  const ExprPtr expr = MustParse("up[step()]");
  EXPECT_FALSE(ResolveDurations(*expr, 0, 0).ok());
  EXPECT_TRUE(ResolveDurations(*expr, 1, 0).ok());
  EXPECT_EQ(As<MatrixSelector>(*expr).window.ms, 1);
}

TEST(Durations, LiteralsAreCutToMilliseconds) {
  EXPECT_EQ(SecondsToMs(4.18), 4180);
  EXPECT_EQ(SecondsToMs(0.0019999), 1);
  EXPECT_EQ(SecondsToMs(-1.5), -1500);
}

}  // namespace
}  // namespace tidemark::query::promql
