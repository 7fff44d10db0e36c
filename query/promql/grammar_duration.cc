#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "query/promql/durations.h"
#include "query/promql/grammar.h"
#include "query/promql/location.h"

namespace tidemark::query::promql {
namespace {

using Op = DurationExpr::Op;

constexpr int kSignPrecedence = 3;                           // of a power: signs bind weaker
constexpr double kSecondsMax = 9223372036854775808.0 / 1e9;  // 2^63 ns

struct Operator {
  Op op;
  int precedence;
};

Operator OperatorOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::kAdd: return {Op::kAdd, 1};
    case TokenKind::kSub: return {Op::kSub, 1};
    case TokenKind::kMul: return {Op::kMul, 2};
    case TokenKind::kDiv: return {Op::kDiv, 2};
    case TokenKind::kMod: return {Op::kMod, 2};
    case TokenKind::kPow: return {Op::kPow, kSignPrecedence};
    default: return {Op::kLiteral, 0};
  }
}

// One number without parentheses: such a duration needs no option, and upstream checks it while parsing.
bool IsBareLiteral(const DurationExpr& expr) { return expr.op == Op::kLiteral && !expr.in_parens; }

constexpr std::string_view kOffsetExpected = "number, duration, step(), or range()";

}  // namespace

Result<Grammar::DurationPtr> Grammar::NewDuration(Op op, uint32_t start) {
  if (++duration_nodes_ > options_.height_max) {
    return ErrorAt(text_, start, fmt::format("duration expression has more than {} parts", options_.height_max),
                   ErrorCode::kLimitExceeded);
  }
  auto expr = std::make_unique<DurationExpr>();
  expr->op = op;
  expr->range = {start, token_.end};
  return expr;
}

Status Grammar::RequireDurationExpressions(const DurationExpr& expr) const {
  if (options_.duration_expressions) return {};
  return Fail(expr.range.start, "experimental duration expression is not enabled");
}

// The number or duration that is next, as a literal that begins at `start`, where its sign stands if it has one.
Result<Grammar::DurationPtr> Grammar::ParseDurationLiteral(uint32_t start, bool negative) {
  TM_TRY_ASSIGN(DurationPtr literal, NewDuration(Op::kLiteral, start));
  TM_TRY_ASSIGN(const Number number, TakeNumber());
  literal->seconds = negative ? -number.value : number.value;
  literal->is_duration = number.is_duration;
  literal->range = {start, taken_end_};
  if (!(std::abs(literal->seconds) <= kSecondsMax)) return Fail(start, "duration out of range");
  return literal;
}

Result<Grammar::DurationPtr> Grammar::ParseDuration(const DurationPlace& place, int precedence_min) {
  if (precedence_min == 0) duration_nodes_ = 0;
  TM_TRY_ASSIGN(DurationPtr lhs, ParseDurationUnary(place));
  while (true) {
    const Token token = token_;
    const Operator op = OperatorOf(token.kind);
    if (op.precedence == 0 || op.precedence < precedence_min) return lhs;
    TM_RETURN_IF_ERROR(RequireDurationExpressions(*lhs));
    Advance();
    TM_TRY_ASSIGN(DurationPtr expr, NewDuration(op.op, lhs->range.start));
    const Nested nested(*this);
    TM_RETURN_IF_ERROR(nested.Check());
    TM_TRY_ASSIGN(expr->rhs, ParseDuration(place, op.op == Op::kPow ? op.precedence : op.precedence + 1));
    const bool by_zero = IsBareLiteral(*expr->rhs) && expr->rhs->seconds == 0;
    if (by_zero && op.op == Op::kDiv) return Fail(token.start, "division by zero");
    if (by_zero && op.op == Op::kMod) return Fail(token.start, "modulo by zero");
    expr->range.end = taken_end_;
    expr->lhs = std::move(lhs);
    lhs = std::move(expr);
  }
}

Result<Grammar::DurationPtr> Grammar::ParseDurationUnary(const DurationPlace& place) {
  if (!At(TokenKind::kAdd) && !At(TokenKind::kSub)) return ParseDurationPrimary(place);
  const Nested nested(*this);
  TM_RETURN_IF_ERROR(nested.Check());
  const Token sign = token_;
  Advance();
  TM_TRY_ASSIGN(DurationPtr operand, ParseDuration(place, kSignPrecedence));
  if (sign.kind == TokenKind::kAdd) return operand;
  if (IsBareLiteral(*operand)) {
    operand->seconds = -operand->seconds;
    operand->range.start = sign.start;
    return operand;
  }
  TM_TRY_ASSIGN(DurationPtr negated, NewDuration(Op::kNegate, sign.start));
  negated->range.end = taken_end_;
  negated->lhs = std::move(operand);
  return negated;
}

Result<Grammar::DurationPtr> Grammar::ParseDurationPrimary(const DurationPlace& place) {
  switch (token_.kind) {
    case TokenKind::kNumber:
    case TokenKind::kDuration: return ParseDurationLiteral(token_.start, false);
    case TokenKind::kStep:
    case TokenKind::kRange:
    case TokenKind::kMinOf:
    case TokenKind::kMaxOf: return ParseDurationCall(place);
    case TokenKind::kLeftParen: break;
    default: return Unexpected(place);
  }
  const Nested nested(*this);
  TM_RETURN_IF_ERROR(nested.Check());
  const uint32_t start = token_.start;
  Advance();
  TM_TRY_ASSIGN(DurationPtr expr, ParseDuration(place, 1));
  if (!TakeIf(TokenKind::kRightParen)) return Unexpected(place);
  TM_RETURN_IF_ERROR(RequireDurationExpressions(*expr));
  expr->in_parens = true;
  expr->range = {start, taken_end_};
  return expr;
}

// step(), range(), min_of(a, b) or max_of(a, b).
Result<Grammar::DurationPtr> Grammar::ParseDurationCall(const DurationPlace& place) {
  const Nested nested(*this);
  TM_RETURN_IF_ERROR(nested.Check());
  const Token word = token_;
  const Op op = word.kind == TokenKind::kStep    ? Op::kStep
                : word.kind == TokenKind::kRange ? Op::kRange
                : word.kind == TokenKind::kMinOf ? Op::kMinOf
                                                 : Op::kMaxOf;
  TM_TRY_ASSIGN(DurationPtr call, NewDuration(op, word.start));
  Advance();
  if (!TakeIf(TokenKind::kLeftParen)) return Unexpected(place);
  if (op == Op::kMinOf || op == Op::kMaxOf) {
    TM_TRY_ASSIGN(call->lhs, ParseDuration(place, 1));
    if (!TakeIf(TokenKind::kComma)) return Unexpected(place);
    TM_TRY_ASSIGN(call->rhs, ParseDuration(place, 1));
  }
  if (!TakeIf(TokenKind::kRightParen)) return Unexpected(place);
  call->range.end = taken_end_;
  TM_RETURN_IF_ERROR(RequireDurationExpressions(*call));
  return call;
}

// The duration behind `offset`. Arithmetic needs parentheses here: foo offset 1m + 1m is a sum.
Result<Grammar::DurationPtr> Grammar::ParseOffsetDuration() {
  constexpr DurationPlace kPlace{"offset", kOffsetExpected};
  duration_nodes_ = 0;
  const Token sign = token_;
  if (!At(TokenKind::kAdd) && !At(TokenKind::kSub)) return ParseDurationPrimary(kPlace);
  Advance();
  const bool negative = sign.kind == TokenKind::kSub;
  if (At(TokenKind::kNumber) || At(TokenKind::kDuration)) return ParseDurationLiteral(sign.start, negative);
  TM_TRY_ASSIGN(DurationPtr operand, ParseDurationPrimary(kPlace));
  if (!negative) return operand;
  TM_TRY_ASSIGN(DurationPtr negated, NewDuration(Op::kNegate, sign.start));
  negated->range.end = taken_end_;
  negated->lhs = std::move(operand);
  return negated;
}

Result<Duration> Grammar::FinishWindow(DurationPtr expr) const {
  constexpr std::string_view kPositive = "duration must be greater than 0";
  Duration duration;
  if (IsBareLiteral(*expr)) {
    duration.ms = SecondsToMs(expr->seconds);
    // A literal under a millisecond is none: windows are counted in milliseconds.
    if (duration.ms <= 0) return Fail(expr->range.start, kPositive);
    return duration;
  }
  if (!DependsOnQuery(*expr)) {
    const auto ms = EvaluateMs(*expr, 0, 0);
    if (!ms.ok()) return Fail(expr->range.start, ms.error().message);
    if (*ms <= 0) return Fail(expr->range.start, kPositive);
    duration.ms = *ms;
  }
  duration.expr = std::move(expr);
  return duration;
}

Result<Duration> Grammar::FinishOffset(DurationPtr expr) const {
  Duration duration;
  if (IsBareLiteral(*expr)) {
    duration.ms = SecondsToMs(expr->seconds);
    return duration;
  }
  if (!DependsOnQuery(*expr)) {
    const auto ms = EvaluateMs(*expr, 0, 0);
    if (!ms.ok()) return Fail(expr->range.start, ms.error().message);
    duration.ms = *ms;
  }
  duration.expr = std::move(expr);
  return duration;
}

}  // namespace tidemark::query::promql
