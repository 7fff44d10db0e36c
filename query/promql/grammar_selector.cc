#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "query/promql/grammar.h"
#include "query/promql/matchers.h"
#include "query/promql/quote.h"

namespace tidemark::query::promql {
namespace {

constexpr std::string_view kMetricName = "__name__";
constexpr std::string_view kMatching = "label matching";
constexpr double kMsPerSecond = 1000;
constexpr std::string_view kNeedsSelector =
    "must be preceded by an instant vector selector or range vector selector or a subquery";

// The parts of a selector or subquery that offset and @ set; null for expressions that have none.
Duration* OffsetOf(Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kVectorSelector: return &As<VectorSelector>(expr).offset;
    case ExprKind::kMatrixSelector: return &As<MatrixSelector>(expr).selector.offset;
    case ExprKind::kSubquery: return &As<SubqueryExpr>(expr).offset;
    default: return nullptr;
  }
}

AtModifier* AtOf(Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kVectorSelector: return &As<VectorSelector>(expr).at;
    case ExprKind::kMatrixSelector: return &As<MatrixSelector>(expr).selector.at;
    case ExprKind::kSubquery: return &As<SubqueryExpr>(expr).at;
    default: return nullptr;
  }
}

bool IsSet(const Duration& offset) { return offset.ms != 0 || offset.expr != nullptr; }

// As Go's %f.
std::string ShowSeconds(double seconds) {
  if (std::isnan(seconds)) return "NaN";
  if (std::isinf(seconds)) return seconds > 0 ? "+Inf" : "-Inf";
  return fmt::format("{:f}", seconds);
}

}  // namespace

Result<std::unique_ptr<VectorSelector>> Grammar::WholeSelector() {
  const Token first = token_;
  const bool named = MayNameMetric(first.kind);
  if (!named && !At(TokenKind::kLeftBrace)) return Unexpected();
  if (named) Advance();
  TM_TRY_ASSIGN(auto selector, ParseSelector(named ? &first : nullptr));
  if (!At(TokenKind::kEnd)) return Unexpected();
  return selector;
}

// The selector whose `name`, if it has one, is taken.
Result<std::unique_ptr<VectorSelector>> Grammar::ParseSelector(const Token* name) {
  auto selector = std::make_unique<VectorSelector>();
  selector->range = name != nullptr ? SourceRange{name->start, name->end} : SourceRange{token_.start, token_.end};
  if (At(TokenKind::kLeftBrace)) {
    TM_RETURN_IF_ERROR(ParseMatchers(*selector));
    selector->range.end = taken_end_;
  }
  if (name != nullptr) {
    selector->name = name->text;
    selector->matchers.push_back({model::MatchOp::kEqual, std::string(kMetricName), selector->name});
  }
  return selector;
}

Status Grammar::ParseMatchers(VectorSelector& selector) {
  Advance();  // the brace
  if (TakeIf(TokenKind::kRightBrace)) return {};
  while (true) {
    TM_TRY_ASSIGN(model::Matcher matcher, ParseMatcher());
    selector.matchers.push_back(std::move(matcher));
    if (TakeIf(TokenKind::kRightBrace)) return {};
    if (At(TokenKind::kIdentifier) && token_.text == "or") {
      return Fail(
          token_.start,
          "unexpected identifier \"or\" in label matching, expected \",\" or \"}\" (PromQL has no \"or\" between "
          "matchers: write {a=\"b\"} or {c=\"d\"})");
    }
    if (!TakeIf(TokenKind::kComma)) return Unexpected(kMatching, "\",\" or \"}\"");
    if (TakeIf(TokenKind::kRightBrace)) return {};
  }
}

// name="value", "name"="value", or "metric".
Result<model::Matcher> Grammar::ParseMatcher() {
  const Token name = token_;
  const bool quoted = name.kind == TokenKind::kString;
  if (!quoted && name.kind != TokenKind::kIdentifier) return Unexpected(kMatching, "identifier or \"}\"");
  Advance();
  model::Matcher matcher;
  matcher.name = quoted ? Unquote(name.text) : std::string(name.text);
  switch (token_.kind) {
    case TokenKind::kAssign: matcher.op = model::MatchOp::kEqual; break;
    case TokenKind::kNotEqual: matcher.op = model::MatchOp::kNotEqual; break;
    case TokenKind::kEqualRegex: matcher.op = model::MatchOp::kRegex; break;
    case TokenKind::kNotEqualRegex: matcher.op = model::MatchOp::kNotRegex; break;
    default:
      if (!quoted) return Unexpected(kMatching, "label matching operator");
      return model::Matcher{model::MatchOp::kEqual, std::string(kMetricName), std::move(matcher.name)};
  }
  Advance();
  if (!At(TokenKind::kString)) return Unexpected(kMatching, "string");
  matcher.value = Unquote(token_.text);
  Advance();
  if (matcher.op == model::MatchOp::kRegex || matcher.op == model::MatchOp::kNotRegex) {
    if (const Status status = CheckRegex(matcher.value); !status.ok()) return Fail(name.start, status.error().message);
  }
  return matcher;
}

// Everything that may stand behind an expression and binds closer than any operator.
Result<ExprPtr> Grammar::ParseModifiers(ExprPtr expr) {
  while (true) {
    switch (token_.kind) {
      case TokenKind::kLeftBracket: {
        TM_TRY_ASSIGN(expr, ParseBrackets(std::move(expr)));
        break;
      }
      case TokenKind::kOffset: TM_RETURN_IF_ERROR(ParseOffset(*expr)); break;
      case TokenKind::kAt: TM_RETURN_IF_ERROR(ParseAt(*expr)); break;
      case TokenKind::kAnchored:
      case TokenKind::kSmoothed: TM_RETURN_IF_ERROR(ParseExtendedRange(*expr)); break;
      default: return expr;
    }
  }
}

// [5m], [1h:5m] or [1h:].
Result<ExprPtr> Grammar::ParseBrackets(ExprPtr expr) {
  constexpr DurationPlace kWindow{"subquery or range selector", "number, duration, step(), or range()"};
  const Token bracket = token_;
  Advance();
  TM_TRY_ASSIGN(DurationPtr window, ParseDuration(kWindow, 0));
  if (At(TokenKind::kColon)) return FinishSubquery(std::move(expr), std::move(window));
  return FinishRange(std::move(expr), bracket, std::move(window));
}

Result<ExprPtr> Grammar::FinishRange(ExprPtr expr, const Token& bracket, DurationPtr window) {
  TM_TRY_ASSIGN(Duration duration, FinishWindow(std::move(window)));
  if (!TakeIf(TokenKind::kRightBracket)) return Unexpected("subquery or range", "\":\" or \"]\"");
  auto* selector = TryAs<VectorSelector>(*expr);
  if (selector == nullptr) return Fail(bracket.start, "ranges only allowed for vector selectors");
  if (IsSet(selector->offset)) return Fail(bracket.start, "no offset modifiers allowed before range");
  if (selector->at.kind != AtModifier::Kind::kNone) {
    return Fail(bracket.start, "no @ modifiers allowed before range");
  }
  auto matrix = std::make_unique<MatrixSelector>();
  matrix->range = {selector->range.start, taken_end_};
  matrix->selector = std::move(*selector);
  matrix->window = std::move(duration);
  return matrix;
}

// The colon is next.
Result<ExprPtr> Grammar::FinishSubquery(ExprPtr expr, DurationPtr window) {
  constexpr DurationPlace kStep{"subquery selector", "number, duration, step(), range(), or \"]\""};
  auto subquery = std::make_unique<SubqueryExpr>();
  TM_TRY_ASSIGN(subquery->window, FinishWindow(std::move(window)));
  Advance();
  if (!At(TokenKind::kRightBracket)) {
    TM_TRY_ASSIGN(DurationPtr step, ParseDuration(kStep, 0));
    TM_TRY_ASSIGN(subquery->step, FinishWindow(std::move(step)));
  }
  if (!TakeIf(TokenKind::kRightBracket)) return Unexpected("subquery selector", "\"]\"");
  subquery->range = {expr->range.start, taken_end_};
  TM_RETURN_IF_ERROR(Grow(*subquery, *expr));
  subquery->expr = std::move(expr);
  return subquery;
}

Status Grammar::ParseOffset(Expr& expr) {
  Advance();
  TM_TRY_ASSIGN(DurationPtr duration, ParseOffsetDuration());
  Duration* const offset = OffsetOf(expr);
  if (offset == nullptr) return Fail(expr.range.start, fmt::format("offset modifier {}", kNeedsSelector));
  if (IsSet(*offset)) return Fail(expr.range.start, "offset may not be set multiple times");
  TM_TRY_ASSIGN(*offset, FinishOffset(std::move(duration)));
  expr.range.end = taken_end_;
  return {};
}

Status Grammar::ParseAt(Expr& expr) {
  const auto unexpected = [this] { return Unexpected("@", "timestamp"); };
  Advance();
  AtModifier value;
  if (At(TokenKind::kStart) || At(TokenKind::kEndWord)) {
    value.kind = At(TokenKind::kStart) ? AtModifier::Kind::kStart : AtModifier::Kind::kEnd;
    Advance();
    if (!TakeIf(TokenKind::kLeftParen) || !TakeIf(TokenKind::kRightParen)) return unexpected();
  } else {
    const bool negative = At(TokenKind::kSub);
    if (At(TokenKind::kAdd) || negative) Advance();
    if (!At(TokenKind::kNumber) && !At(TokenKind::kDuration)) return unexpected();
    TM_TRY_ASSIGN(const Number number, TakeNumber());
    const double seconds = negative ? -number.value : number.value;
    constexpr double kMsLimit = 9223372036854775808.0;  // 2^63
    if (const double ms = std::round(seconds * kMsPerSecond); ms >= -kMsLimit && ms < kMsLimit) {
      value.timestamp_ms = static_cast<int64_t>(ms);
    } else {
      return Fail(expr.range.start, "timestamp out of bounds for @ modifier: " + ShowSeconds(seconds));
    }
    value.kind = AtModifier::Kind::kTimestamp;
  }
  AtModifier* const at = AtOf(expr);
  if (at == nullptr) return Fail(expr.range.start, fmt::format("@ modifier {}", kNeedsSelector));
  if (at->kind != AtModifier::Kind::kNone) return Fail(expr.range.start, "@ <timestamp> may not be set multiple times");
  *at = value;
  expr.range.end = taken_end_;
  return {};
}

// anchored or smoothed, which is next.
Status Grammar::ParseExtendedRange(Expr& expr) {
  const bool anchored = At(TokenKind::kAnchored);
  const std::string_view word = anchored ? "anchored" : "smoothed";
  Advance();
  if (!options_.extended_range_selectors) {
    return Fail(expr.range.start, fmt::format("{} modifier is experimental and not enabled", word));
  }
  if (expr.kind == ExprKind::kSubquery) {
    return Fail(expr.range.start, fmt::format("{} modifier is not supported for subqueries", word));
  }
  auto* const matrix = TryAs<MatrixSelector>(expr);
  auto* const selector = matrix != nullptr ? &matrix->selector : TryAs<VectorSelector>(expr);
  if (selector == nullptr) return Fail(expr.range.start, fmt::format("{} modifier not implemented", word));
  (anchored ? selector->anchored : selector->smoothed) = true;
  if (selector->anchored && selector->smoothed) {
    return Fail(expr.range.start, "anchored and smoothed modifiers cannot be used together");
  }
  expr.range.end = taken_end_;
  return {};
}

}  // namespace tidemark::query::promql
