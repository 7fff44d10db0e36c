#include "query/promql/parser.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "query/promql/functions.h"
#include "query/promql/printer.h"

namespace tidemark::query::promql {
namespace {

using model::Matcher;
using model::MatchOp;

ExprPtr MustParse(std::string_view text, const ParseOptions& options = {}) {
  auto expr = Parse(text, options);
  if (!expr.ok()) {
    ADD_FAILURE() << text << ": " << expr.error().message;
    return std::make_unique<NumberLiteral>();
  }
  return std::move(*expr);
}

std::string Refusal(std::string_view text, const ParseOptions& options = {}) {
  auto expr = Parse(text, options);
  return expr.ok() ? "accepted: " + ToString(**expr) : expr.error().message;
}

template <typename Node>
const Node& MustBe(const Expr& expr) {
  EXPECT_EQ(expr.kind, Node::kKind) << ToString(expr);
  return As<Node>(expr);
}

std::string Repeat(std::string_view text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(PromqlParser, NumberKeepsHowItWasWritten) {
  const ExprPtr seconds = MustParse("300");
  EXPECT_EQ(MustBe<NumberLiteral>(*seconds).value, 300);
  EXPECT_FALSE(MustBe<NumberLiteral>(*seconds).is_duration);
  const ExprPtr minutes = MustParse("5m");
  EXPECT_EQ(MustBe<NumberLiteral>(*minutes).value, 300);
  EXPECT_TRUE(MustBe<NumberLiteral>(*minutes).is_duration);
  EXPECT_EQ(minutes->type, ValueType::kScalar);
}

TEST(PromqlParser, SelectorHoldsMatchersInSourceOrderAndTheNameLast) {
  const ExprPtr expr = MustParse(R"(up{job="api",zone!="eu",code=~"5..",host!~"a.*"})");
  const auto& selector = MustBe<VectorSelector>(*expr);
  EXPECT_EQ(selector.name, "up");
  EXPECT_EQ(selector.type, ValueType::kVector);
  EXPECT_EQ(selector.matchers, (std::vector<Matcher>{{MatchOp::kEqual, "job", "api"},
                                                     {MatchOp::kNotEqual, "zone", "eu"},
                                                     {MatchOp::kRegex, "code", "5.."},
                                                     {MatchOp::kNotRegex, "host", "a.*"},
                                                     {MatchOp::kEqual, "__name__", "up"}}));
}

TEST(PromqlParser, QuotedNameIsAMatcherAndNotTheName) {
  const ExprPtr expr = MustParse(R"({"my.metric","label.x"="y"})");
  const auto& selector = MustBe<VectorSelector>(*expr);
  EXPECT_EQ(selector.name, "");
  EXPECT_EQ(selector.matchers,
            (std::vector<Matcher>{{MatchOp::kEqual, "__name__", "my.metric"}, {MatchOp::kEqual, "label.x", "y"}}));
}

TEST(PromqlParser, OffsetAndAtLandOnTheSelectorInsideARange) {
  const ExprPtr expr = MustParse("up[5m] @ 12.3456 offset -90s");
  const auto& matrix = MustBe<MatrixSelector>(*expr);
  EXPECT_EQ(matrix.type, ValueType::kMatrix);
  EXPECT_EQ(matrix.window.ms, 300'000);
  EXPECT_EQ(matrix.window.expr, nullptr);
  EXPECT_EQ(matrix.selector.offset.ms, -90'000);
  EXPECT_EQ(matrix.selector.at, (AtModifier{AtModifier::Kind::kTimestamp, 12'346}));
  EXPECT_EQ(matrix.range, (SourceRange{0, 28}));
}

TEST(PromqlParser, SubqueryOwnsItsModifiers) {
  const ExprPtr expr = MustParse("up offset 1m [1h:5m] @ start() offset 1d");
  const auto& subquery = MustBe<SubqueryExpr>(*expr);
  EXPECT_EQ(subquery.window.ms, 3'600'000);
  EXPECT_EQ(subquery.step.ms, 300'000);
  EXPECT_EQ(subquery.offset.ms, 86'400'000);
  EXPECT_EQ(subquery.at.kind, AtModifier::Kind::kStart);
  EXPECT_EQ(MustBe<VectorSelector>(*subquery.expr).offset.ms, 60'000);
  EXPECT_EQ(MustBe<SubqueryExpr>(*MustParse("up[1h:]")).step.ms, 0);
}

// The shape of the tree, with parentheses around every operator.
std::string Shape(const Expr& expr) {
  if (const auto* binary = TryAs<BinaryExpr>(expr)) {
    return "(" + Shape(*binary->lhs) + std::string(Symbol(binary->op)) + Shape(*binary->rhs) + ")";
  }
  if (const auto* unary = TryAs<UnaryExpr>(expr)) {
    return (unary->op == UnaryOp::kMinus ? "(-" : "(+") + Shape(*unary->expr) + ")";
  }
  if (const auto* paren = TryAs<ParenExpr>(expr)) return Shape(*paren->expr);
  return ToString(expr);
}

TEST(PromqlParser, OperatorsBindAsInPrometheus) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"a or b and c", "(aor(bandc))"},
      {"a and b unless c", "((aandb)unlessc)"},
      {"a and b == c", "(aand(b==c))"},
      {"a == b + c", "(a==(b+c))"},
      {"a + b * c", "(a+(b*c))"},
      {"a * b ^ c", "(a*(b^c))"},
      {"a - b - c", "((a-b)-c)"},
      {"a ^ b ^ c", "(a^(b^c))"},
      {"a / b % c atan2 d", "(((a/b)%c)atan2d)"},
      {"-a ^ b", "(-(a^b))"},
      {"-a * b", "((-a)*b)"},
      {"a ^ -b ^ c", "(a^(-(b^c)))"},
      {"a ^ -b * c", "((a^(-b))*c)"},
      {"a * -b + c", "((a*(-b))+c)"},
      {"-1 ^ 2", "(-(1^2))"},
      {"(a + b) * c", "((a+b)*c)"},
      {"a > b </ c", "((a>b)</c)"},
      {"a == bool b == bool c", "((a==b)==c)"},
  };
  for (const auto& [text, shape] : cases) EXPECT_EQ(Shape(*MustParse(text)), shape) << text;
}

TEST(PromqlParser, SignIsFoldedIntoALiteralOnly) {
  EXPECT_EQ(MustBe<NumberLiteral>(*MustParse("- 7")).value, -7);
  EXPECT_EQ(MustBe<NumberLiteral>(*MustParse("--7")).value, 7);
  EXPECT_EQ(MustParse("-(7)")->kind, ExprKind::kUnary);
  EXPECT_EQ(MustParse("-up")->kind, ExprKind::kUnary);
}

TEST(PromqlParser, MatchingIsThereExactlyBetweenVectors) {
  EXPECT_FALSE(MustBe<BinaryExpr>(*MustParse("1 + 2")).matching);
  EXPECT_FALSE(MustBe<BinaryExpr>(*MustParse("up + 2")).matching);
  const ExprPtr plain = MustParse("a + b");
  ASSERT_TRUE(MustBe<BinaryExpr>(*plain).matching);
  EXPECT_EQ(As<BinaryExpr>(*plain).matching->card, MatchCardinality::kOneToOne);
  EXPECT_FALSE(As<BinaryExpr>(*plain).matching->on);
  const ExprPtr set = MustParse("a unless on (x) b");
  EXPECT_EQ(As<BinaryExpr>(*set).matching->card, MatchCardinality::kManyToMany);
  const ExprPtr left = MustParse("a * on (x, y) group_left (z) b");
  EXPECT_EQ(As<BinaryExpr>(*left).matching->card, MatchCardinality::kManyToOne);
  EXPECT_EQ(As<BinaryExpr>(*left).matching->labels, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(As<BinaryExpr>(*left).matching->include, (std::vector<std::string>{"z"}));
  EXPECT_TRUE(As<BinaryExpr>(*left).matching->on);
  const ExprPtr right = MustParse("a * ignoring (x) group_right b");
  EXPECT_EQ(As<BinaryExpr>(*right).matching->card, MatchCardinality::kOneToMany);
  EXPECT_FALSE(As<BinaryExpr>(*right).matching->on);
}

TEST(PromqlParser, FillSetsTheSidesItNames) {
  const ParseOptions options = ParseOptions::Experimental();
  const ExprPtr both = MustParse("a + fill (2) b", options);
  EXPECT_EQ(As<BinaryExpr>(*both).matching->fill_left, 2.0);
  EXPECT_EQ(As<BinaryExpr>(*both).matching->fill_right, 2.0);
  const ExprPtr right = MustParse("a + fill_right (-3) b", options);
  EXPECT_FALSE(As<BinaryExpr>(*right).matching->fill_left);
  EXPECT_EQ(As<BinaryExpr>(*right).matching->fill_right, -3.0);
}

TEST(PromqlParser, AggregationTakesItsGroupingBeforeOrBehind) {
  for (const std::string_view text : {"topk by (job, zone) (3, up)", "topk(3, up) by (job, zone)"}) {
    const ExprPtr expr = MustParse(text);
    const auto& aggregate = MustBe<AggregateExpr>(*expr);
    EXPECT_EQ(aggregate.op, AggregateOp::kTopk);
    EXPECT_EQ(aggregate.grouping, (std::vector<std::string>{"job", "zone"}));
    EXPECT_FALSE(aggregate.without);
    EXPECT_EQ(MustBe<NumberLiteral>(*aggregate.param).value, 3);
    EXPECT_EQ(MustBe<VectorSelector>(*aggregate.expr).name, "up");
    EXPECT_EQ(aggregate.range, (SourceRange{0, static_cast<uint32_t>(text.size())}));
  }
  const ExprPtr without = MustParse("sum without (job) (up)");
  EXPECT_TRUE(As<AggregateExpr>(*without).without);
  EXPECT_EQ(As<AggregateExpr>(*without).param, nullptr);
}

TEST(PromqlParser, CallPointsAtItsSignature) {
  const ExprPtr expr = MustParse("scalar(rate(up[5m]))");
  const auto& call = MustBe<Call>(*expr);
  EXPECT_EQ(call.type, ValueType::kScalar);
  EXPECT_EQ(call.function, &Signature(FunctionId::kScalar));
  ASSERT_EQ(call.args.size(), 1u);
  EXPECT_EQ(MustBe<Call>(*call.args[0]).function->id, FunctionId::kRate);
  EXPECT_EQ(call.args[0]->range, (SourceRange{7, 19}));
}

TEST(PromqlParser, ParenthesesKeepTheTypeInside) {
  EXPECT_EQ(MustParse("((up[5m]))")->type, ValueType::kMatrix);
  EXPECT_EQ(MustParse("((1))")->type, ValueType::kScalar);
  EXPECT_EQ(SkipParens(*MustParse("((up))")).kind, ExprKind::kVectorSelector);
}

TEST(PromqlParser, ConstantDurationsAreFoldedAndOthersWait) {
  const ExprPtr folded = MustParse("up[2 * 5m + 30] offset (1h / 2)");
  EXPECT_EQ(As<MatrixSelector>(*folded).window.ms, 630'000);
  EXPECT_EQ(As<MatrixSelector>(*folded).selector.offset.ms, 1'800'000);
  const ExprPtr waiting = MustParse("up[step() * 2]");
  EXPECT_EQ(As<MatrixSelector>(*waiting).window.ms, 0);
  ASSERT_NE(As<MatrixSelector>(*waiting).window.expr, nullptr);
}

TEST(PromqlParser, PlacesCountLinesAndBytes) {
  EXPECT_EQ(Refusal("up +\n\n  \"ä\" ) down"), "3:9: parse error: unexpected right parenthesis ')'");
  EXPECT_EQ(Refusal("sum(\n  nosuch(up)\n)"), "2:3: parse error: unknown function with name \"nosuch\"");
}

TEST(PromqlParser, LexerErrorsComeWhenTheirTurnHasCome) {
  // The unknown function stands before the wrong character.
  EXPECT_EQ(Refusal("nosuch(up) ?"), "1:1: parse error: unknown function with name \"nosuch\"");
  EXPECT_EQ(Refusal("sum() ?"), "1:7: parse error: unexpected character: '?'");
}

TEST(PromqlParser, NestingIsLimited) {
  ParseOptions options;
  const auto nested = [](size_t levels) { return Repeat("(", levels) + "1" + Repeat(")", levels); };
  EXPECT_TRUE(Parse(nested(options.depth_max), options).ok());
  const auto deep = Parse(nested(options.depth_max + 1), options);
  ASSERT_FALSE(deep.ok());
  EXPECT_EQ(deep.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(deep.error().message, "1:129: parse error: expression is nested too deeply: more than 128 levels");

  options.text_size_max = size_t{1} << 20;
  for (const std::string_view opening : {"(", "-", "sum(", "abs(", "a ^ ", "a[5m:(", "a offset (", "a offset -(", "a[-",
                                         "a[max_of(", "a[1^", "{a=\"x\"}[5m+("}) {
    const auto refused = Parse(Repeat(opening, 100'000 / opening.size()), options);
    EXPECT_FALSE(refused.ok()) << opening;
  }
}

TEST(PromqlParser, ChainsMayBeLongerThanNestingAndAreLimitedToo) {
  ParseOptions options;
  options.text_size_max = size_t{1} << 20;
  EXPECT_TRUE(Parse("a" + Repeat(" or a", 1000), options).ok());
  for (const std::string& text :
       {"a" + Repeat(" or a", 100'000), "a" + Repeat("[1m:]", 100'000), "a[1m" + Repeat("+1m", 100'000) + "]"}) {
    const auto refused = Parse(text, options);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kLimitExceeded) << refused.error().message;
  }
}

size_t LeavesOf(const Expr& expr) {
  const auto* binary = TryAs<BinaryExpr>(expr);
  return binary == nullptr ? 1 : LeavesOf(*binary->lhs) + LeavesOf(*binary->rhs);
}

TEST(PromqlParser, LongChainsOfSetsAreNoHighTrees) {
  ParseOptions options;
  options.text_size_max = size_t{1} << 20;
  for (const std::string_view link : {" or ", " and on (x) "}) {
    SCOPED_TRACE(link);
    const std::string text = "(a)" + Repeat(std::string(link) + "b", 9'999);
    const ExprPtr expr = MustParse(text, options);
    const auto& top = MustBe<BinaryExpr>(*expr);
    EXPECT_EQ(LeavesOf(top), 10'000u);
    EXPECT_LE(top.height, 17u);
    EXPECT_EQ(top.type, ValueType::kVector);
    EXPECT_EQ(top.range, (SourceRange{0, static_cast<uint32_t>(text.size())}));
    EXPECT_EQ(ToString(*expr), text);
    const std::string refusal = Refusal(text + std::string(link) + "b", options);
    EXPECT_TRUE(refusal.contains("expression is too long a chain: more than 10000 operands of "))
        << refusal.substr(0, 99);
  }
  EXPECT_EQ(Refusal("1" + Repeat(" or 1", 100)), Refusal("1 or 1"));
  EXPECT_EQ(Refusal("a" + Repeat(" and on (x) group_left () b", 100)), Refusal("a and on (x) group_left () b"));
  EXPECT_EQ(Refusal("a" + Repeat(" or b", 100) + " or c[5m]"),
            "1:506: parse error: binary expression must contain only scalar and instant vector types");
}

TEST(PromqlParser, ChainsEndWhereTheLinkChanges) {
  const std::string text =
      "a" + Repeat(" or b", 100) + Repeat(" or on (x) c", 100) + " unless d" + Repeat(" and e", 99);
  const ExprPtr expr = MustParse(text);
  EXPECT_EQ(ToString(*expr), text);
  EXPECT_EQ(MustBe<BinaryExpr>(*expr).matching->labels, std::vector<std::string>{"x"});
}

TEST(PromqlParser, TextIsLimited) {
  ParseOptions options;
  options.text_size_max = 10;
  EXPECT_TRUE(Parse("0123456789", options).ok());
  const auto refused = Parse("01234567890", options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(refused.error().message, "parse error: the query has 11 bytes, at most 10 are allowed");
}

TEST(PromqlParser, ASelectorOfADashboardIsTakenWithoutAnyOption) {
  const std::string names = Repeat("|host-with-a-long-name", 1'000);
  EXPECT_TRUE(ParseSelector("up{host=~\"a" + names + "\"}").ok());
  EXPECT_TRUE(Parse("rate(up{host=~\"a" + names + "\"}[5m])").ok());
}

TEST(PromqlParser, EachOptionOpensItsOwnDoor) {
  ParseOptions options;
  options.experimental_functions = true;
  EXPECT_TRUE(Parse("info(up)", options).ok());
  EXPECT_FALSE(Parse("up[5m] anchored", options).ok());
  EXPECT_FALSE(Parse("a + fill (0) b", options).ok());
  options = {};
  options.extended_range_selectors = true;
  EXPECT_TRUE(Parse("up[5m] anchored", options).ok());
  EXPECT_FALSE(Parse("info(up)", options).ok());
  options = {};
  options.fill_modifiers = true;
  EXPECT_TRUE(Parse("a + fill (0) b", options).ok());
  EXPECT_FALSE(Parse("limitk(1, a)", options).ok());
}

TEST(PromqlSelector, ReturnsTheMatchers) {
  const auto matchers = ParseSelector(R"(up{job=~"a|b"})");
  ASSERT_TRUE(matchers.ok());
  EXPECT_EQ(*matchers, (std::vector<Matcher>{{MatchOp::kRegex, "job", "a|b"}, {MatchOp::kEqual, "__name__", "up"}}));
  EXPECT_TRUE(ParseSelector(R"({"my.metric"})").ok());
  EXPECT_TRUE(ParseSelector("sum").ok());
}

TEST(PromqlSelector, RefusesEverythingElse) {
  const auto refusal = [](std::string_view text) {
    const auto matchers = ParseSelector(text);
    return matchers.ok() ? "accepted" : matchers.error().message;
  };
  EXPECT_EQ(refusal("{}"), "match[] must contain at least one non-empty matcher");
  EXPECT_EQ(refusal(R"({job=""})"), "match[] must contain at least one non-empty matcher");
  EXPECT_EQ(refusal("up[5m]"), "1:3: parse error: unexpected \"[\"");
  EXPECT_EQ(refusal("up offset 5m"), "1:4: parse error: unexpected <offset>");
  EXPECT_EQ(refusal("sum(up)"), "1:4: parse error: unexpected \"(\"");
  EXPECT_EQ(refusal("5"), "1:1: parse error: unexpected number \"5\"");
  EXPECT_EQ(refusal(""), "unknown position: parse error: unexpected end of input");
}

}  // namespace
}  // namespace tidemark::query::promql
