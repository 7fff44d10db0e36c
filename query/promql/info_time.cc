#include "query/promql/info_time.h"

#include <algorithm>

namespace tidemark::query::promql {
namespace {

constexpr int64_t kFarMs = 1'000'000'000'000'000'000;

int64_t Near(int64_t ms) { return std::clamp(ms, -kFarMs, kFarMs); }

// What a selector or subquery with these modifiers sees where the expression around it is evaluated at `outer`.
InfoTime Seen(const InfoTime& outer, const AtModifier& at, int64_t offset_ms) {
  if (at.kind != AtModifier::Kind::kNone) return {.at = at, .offset_ms = Near(offset_ms)};
  return {.at = outer.at, .offset_ms = Near(outer.offset_ms + Near(offset_ms))};
}

// Whether `expr`, evaluated at `outer`, has a selector; its time.
bool Find(const Expr& expr, const InfoTime& outer, InfoTime* time) {
  const auto selector = [&](const VectorSelector& found) {
    *time = Seen(outer, found.at, found.offset.ms);
    return true;
  };
  switch (expr.kind) {
    case ExprKind::kNumberLiteral:
    case ExprKind::kStringLiteral: return false;
    case ExprKind::kVectorSelector: return selector(As<VectorSelector>(expr));
    case ExprKind::kMatrixSelector: return selector(As<MatrixSelector>(expr).selector);
    case ExprKind::kSubquery: {
      const auto& subquery = As<SubqueryExpr>(expr);
      return Find(*subquery.expr, Seen(outer, subquery.at, subquery.offset.ms), time);
    }
    case ExprKind::kParen: return Find(*As<ParenExpr>(expr).expr, outer, time);
    case ExprKind::kUnary: return Find(*As<UnaryExpr>(expr).expr, outer, time);
    case ExprKind::kBinary: {
      const auto& binary = As<BinaryExpr>(expr);
      return Find(*binary.lhs, outer, time) || Find(*binary.rhs, outer, time);
    }
    case ExprKind::kAggregate: return Find(*As<AggregateExpr>(expr).expr, outer, time);
    case ExprKind::kCall: {
      const auto& args = As<Call>(expr).args;
      return std::ranges::any_of(args, [&](const ExprPtr& arg) { return Find(*arg, outer, time); });
    }
  }
  return false;
}

}  // namespace

InfoTime InfoTimeOf(const Expr& vector) {
  InfoTime time;
  Find(vector, {}, &time);
  return time;
}

}  // namespace tidemark::query::promql
