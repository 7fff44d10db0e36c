#include "query/promql/durations.h"

#include <algorithm>
#include <cmath>

namespace tidemark::query::promql {
namespace {

using Op = DurationExpr::Op;

constexpr double kMsPerSecond = 1e3;
constexpr double kNsPerSecond = 1e9;
constexpr double kNsPerMs = 1e6;
constexpr double kSecondsMax = 9223372036854775808.0 / kNsPerSecond;  // 2^63 ns

struct QueryTimes {
  double step_s;
  double range_s;
};

Result<double> Evaluate(const DurationExpr& expr, const QueryTimes& times) {
  double lhs = 0;
  double rhs = 0;
  if (expr.lhs) {
    TM_TRY_ASSIGN(lhs, Evaluate(*expr.lhs, times));
  }
  if (expr.rhs) {
    TM_TRY_ASSIGN(rhs, Evaluate(*expr.rhs, times));
  }
  switch (expr.op) {
    case Op::kLiteral: return expr.seconds;
    case Op::kStep: return times.step_s;
    case Op::kRange: return times.range_s;
    case Op::kNegate: return -lhs;
    case Op::kAdd: return lhs + rhs;
    case Op::kSub: return lhs - rhs;
    case Op::kMul: return lhs * rhs;
    case Op::kDiv:
      if (rhs == 0) return InvalidArgument("division by zero");
      return lhs / rhs;
    case Op::kMod:
      if (rhs == 0) return InvalidArgument("modulo by zero");
      return std::fmod(lhs, rhs);
    case Op::kPow: return std::pow(lhs, rhs);
    case Op::kMinOf: return std::min(lhs, rhs);
    case Op::kMaxOf: return std::max(lhs, rhs);
  }
  return InvalidArgument("unknown duration operator");
}

enum class Sign { kAny, kPositive };

Status Resolve(Duration& duration, int64_t step_ms, int64_t range_ms, Sign sign) {
  if (!duration.expr || !DependsOnQuery(*duration.expr)) return {};
  TM_TRY_ASSIGN(duration.ms, EvaluateMs(*duration.expr, step_ms, range_ms));
  if (sign == Sign::kPositive && duration.ms <= 0) return InvalidArgument("duration must be greater than 0");
  return {};
}

}  // namespace

int64_t SecondsToMs(double seconds) { return static_cast<int64_t>(std::round(seconds * kNsPerSecond) / kNsPerMs); }

bool DependsOnQuery(const DurationExpr& expr) {
  if (expr.op == Op::kStep || expr.op == Op::kRange) return true;
  return (expr.lhs && DependsOnQuery(*expr.lhs)) || (expr.rhs && DependsOnQuery(*expr.rhs));
}

Result<int64_t> EvaluateMs(const DurationExpr& expr, int64_t step_ms, int64_t range_ms) {
  const QueryTimes times{static_cast<double>(step_ms) / kMsPerSecond, static_cast<double>(range_ms) / kMsPerSecond};
  TM_TRY_ASSIGN(const double seconds, Evaluate(expr, times));
  if (!(std::abs(seconds) <= kSecondsMax)) return InvalidArgument("duration is out of range");
  return static_cast<int64_t>(seconds * kMsPerSecond);
}

Status ResolveDurations(Expr& expr, int64_t step_ms, int64_t range_ms) {
  const auto resolve = [&](Expr& child) { return ResolveDurations(child, step_ms, range_ms); };
  switch (expr.kind) {
    case ExprKind::kNumberLiteral:
    case ExprKind::kStringLiteral: return {};
    case ExprKind::kVectorSelector: return Resolve(As<VectorSelector>(expr).offset, step_ms, range_ms, Sign::kAny);
    case ExprKind::kMatrixSelector: {
      auto& matrix = As<MatrixSelector>(expr);
      TM_RETURN_IF_ERROR(resolve(matrix.selector));
      return Resolve(matrix.window, step_ms, range_ms, Sign::kPositive);
    }
    case ExprKind::kSubquery: {
      auto& subquery = As<SubqueryExpr>(expr);
      TM_RETURN_IF_ERROR(Resolve(subquery.offset, step_ms, range_ms, Sign::kAny));
      TM_RETURN_IF_ERROR(Resolve(subquery.step, step_ms, range_ms, Sign::kPositive));
      TM_RETURN_IF_ERROR(Resolve(subquery.window, step_ms, range_ms, Sign::kPositive));
      return resolve(*subquery.expr);
    }
    case ExprKind::kParen: return resolve(*As<ParenExpr>(expr).expr);
    case ExprKind::kUnary: return resolve(*As<UnaryExpr>(expr).expr);
    case ExprKind::kBinary: {
      TM_RETURN_IF_ERROR(resolve(*As<BinaryExpr>(expr).lhs));
      return resolve(*As<BinaryExpr>(expr).rhs);
    }
    case ExprKind::kAggregate: {
      auto& aggregate = As<AggregateExpr>(expr);
      if (aggregate.param) TM_RETURN_IF_ERROR(resolve(*aggregate.param));
      return resolve(*aggregate.expr);
    }
    case ExprKind::kCall: {
      for (const ExprPtr& arg : As<Call>(expr).args) TM_RETURN_IF_ERROR(resolve(*arg));
      return {};
    }
  }
  return {};
}

}  // namespace tidemark::query::promql
