#include "query/promql/check.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "query/promql/functions.h"
#include "query/promql/location.h"
#include "query/promql/matchers.h"
#include "query/promql/quote.h"
#include "storage/base/text/ascii.h"

namespace tidemark::query::promql {
namespace {

using text::IsSpace;

class Checker {
 public:
  explicit Checker(std::string_view text) : text_(text) {}

  Status Check(Expr& expr) {
    switch (expr.kind) {
      case ExprKind::kNumberLiteral:
      case ExprKind::kStringLiteral: return {};
      case ExprKind::kVectorSelector: return CheckSelector(As<VectorSelector>(expr));
      case ExprKind::kMatrixSelector: return CheckSelector(As<MatrixSelector>(expr).selector);
      case ExprKind::kSubquery: return CheckSubquery(As<SubqueryExpr>(expr));
      case ExprKind::kParen: return Check(*As<ParenExpr>(expr).expr);
      case ExprKind::kUnary: return CheckUnary(As<UnaryExpr>(expr));
      case ExprKind::kBinary: return CheckBinary(As<BinaryExpr>(expr));
      case ExprKind::kAggregate: return CheckAggregate(As<AggregateExpr>(expr));
      case ExprKind::kCall: return CheckCall(As<Call>(expr));
    }
    return {};
  }

 private:
  Error Fail(const Expr& expr, std::string_view message) const { return ErrorAt(text_, expr.range.start, message); }

  Status Expect(Expr& expr, ValueType wanted, std::string_view context) {
    TM_RETURN_IF_ERROR(Check(expr));
    if (expr.type == wanted) return {};
    return Fail(expr, fmt::format("expected type {} in {}, got {}", Phrase(wanted), context, Phrase(expr.type)));
  }

  Status CheckNameIsSetOnce(const VectorSelector& selector) const {
    if (selector.name.empty()) return {};
    // The last matcher is the one for the name before the braces.
    for (size_t i = 0; i + 1 < selector.matchers.size(); ++i) {
      const model::Matcher& matcher = selector.matchers[i];
      if (matcher.name != "__name__") continue;
      return Fail(selector, fmt::format("metric name must not be set twice: {} or {}", Quote(selector.name),
                                        Quote(matcher.value)));
    }
    return {};
  }

  Status CheckSelector(const VectorSelector& selector) const {
    TM_RETURN_IF_ERROR(CheckNameIsSetOnce(selector));
    if (!selector.name.empty() || !std::ranges::all_of(selector.matchers, MatchesEmpty)) return {};
    return Fail(selector, "vector selector must contain at least one non-empty matcher");
  }

  Status CheckSubquery(SubqueryExpr& subquery) {
    TM_RETURN_IF_ERROR(Check(*subquery.expr));
    if (subquery.expr->type == ValueType::kVector) return {};
    return Fail(subquery,
                fmt::format("subquery is only allowed on instant vector, got {} instead", Name(subquery.expr->type)));
  }

  Status CheckUnary(UnaryExpr& unary) {
    TM_RETURN_IF_ERROR(Check(*unary.expr));
    const ValueType type = unary.expr->type;
    if (type == ValueType::kScalar || type == ValueType::kVector) return {};
    return Fail(unary, fmt::format("unary expression only allowed on expressions of type scalar or instant vector, "
                                   "got {}",
                                   Quote(Phrase(type))));
  }

  // An error at the operator.
  Error FailAtOperator(const BinaryExpr& binary, std::string_view message) const {
    uint32_t at = binary.lhs->range.end;
    while (at < text_.size() && IsSpace(text_[at])) ++at;
    return ErrorAt(text_, at, message);
  }

  Status CheckBinary(BinaryExpr& binary) {
    TM_RETURN_IF_ERROR(Check(*binary.lhs));
    TM_RETURN_IF_ERROR(Check(*binary.rhs));
    const ValueType lhs = binary.lhs->type;
    const ValueType rhs = binary.rhs->type;
    VectorMatching& matching = *binary.matching;
    if (binary.return_bool && !IsComparison(binary.op)) {
      return FailAtOperator(binary, "bool modifier can only be used on comparison operators");
    }
    if (IsComparison(binary.op) && !binary.return_bool && lhs == ValueType::kScalar && rhs == ValueType::kScalar) {
      return FailAtOperator(binary, "comparisons between scalars must use BOOL modifier");
    }
    if (IsSetOperator(binary.op) && matching.card == MatchCardinality::kOneToOne) {
      matching.card = MatchCardinality::kManyToMany;
    }
    for (const std::string& label : matching.labels) {
      if (!matching.on || std::ranges::find(matching.include, label) == matching.include.end()) continue;
      return FailAtOperator(binary,
                            fmt::format("label {} must not occur in ON and GROUP clause at once", Quote(label)));
    }
    for (const ExprPtr& side : {std::cref(binary.lhs), std::cref(binary.rhs)}) {
      if (side->type == ValueType::kScalar || side->type == ValueType::kVector) continue;
      return Fail(*side, "binary expression must contain only scalar and instant vector types");
    }
    return CheckMatching(binary, lhs == ValueType::kVector && rhs == ValueType::kVector);
  }

  Status CheckMatching(BinaryExpr& binary, bool vectors) const {
    const VectorMatching& matching = *binary.matching;
    const bool fills = matching.fill_left || matching.fill_right;
    const bool set_operator = IsSetOperator(binary.op);
    if (!vectors) {
      if (!matching.labels.empty()) return Fail(binary, "vector matching only allowed between instant vectors");
      if (fills) return Fail(binary, "filling in missing series only allowed between instant vectors");
      if (set_operator) {
        return Fail(binary,
                    fmt::format("set operator {} not allowed in binary scalar expression", Quote(Symbol(binary.op))));
      }
      binary.matching.reset();
    } else if (set_operator) {
      if (matching.card != MatchCardinality::kManyToMany) {
        return Fail(binary, fmt::format("no grouping allowed for {} operation", Quote(Symbol(binary.op))));
      }
      if (fills) return Fail(binary, "filling in missing series not allowed for set operators");
    }
    return {};
  }

  Status CheckAggregate(AggregateExpr& aggregate) {
    TM_RETURN_IF_ERROR(Expect(*aggregate.expr, ValueType::kVector, "aggregation expression"));
    if (!aggregate.param) return {};
    const ValueType wanted = aggregate.op == AggregateOp::kCountValues ? ValueType::kString : ValueType::kScalar;
    return Expect(*aggregate.param, wanted, "aggregation parameter");
  }

  Status CheckCall(Call& call) {
    const FunctionSignature& function = *call.function;
    TM_RETURN_IF_ERROR(CheckArgumentCount(call));
    if (function.facts.joins_info && call.args.size() > 1) TM_RETURN_IF_ERROR(CheckInfoSelector(call));
    for (size_t i = 0; i < call.args.size(); ++i) {
      Expr& arg = *call.args[i];
      const bool info_selector = function.facts.joins_info && i == 1;
      TM_RETURN_IF_ERROR(info_selector ? CheckNameIsSetOnce(As<VectorSelector>(arg)) : Check(arg));
      const ValueType wanted = function.args[std::min(i, function.args.size() - 1)];
      if (arg.type == wanted) continue;
      return Fail(arg, fmt::format("expected type {} in call to function {}, got {}{}", Phrase(wanted),
                                   Quote(function.name), Phrase(arg.type), ImplicitWindowHint(function, wanted, arg)));
    }
    return {};
  }

  Status CheckArgumentCount(const Call& call) const {
    const FunctionSignature& function = *call.function;
    const size_t given = call.args.size();
    const auto fail = [&](std::string_view bound, size_t count) {
      return Fail(call, fmt::format("expected {}{} argument(s) in call to {}, got {}", bound, count,
                                    Quote(function.name), given));
    };
    if (function.variadic == 0) {
      if (given != function.args.size()) return fail("", function.args.size());
      return {};
    }
    const size_t least = function.args.size() - 1;
    if (given < least) return fail("at least ", least);
    const size_t most = least + static_cast<size_t>(std::max(function.variadic, 0));
    if (function.variadic > 0 && given > most) return fail("at most ", most);
    return {};
  }

  // The second argument of info() is a bare list of matchers.
  Status CheckInfoSelector(const Call& call) const {
    const Expr& arg = *call.args[1];
    if (arg.type != ValueType::kVector) {
      return Fail(call, fmt::format("expected type {} in call to function \"info\", got {}", Phrase(ValueType::kVector),
                                    Phrase(arg.type)));
    }
    const auto* selector = TryAs<VectorSelector>(arg);
    if (selector == nullptr) return Fail(arg, "expected label selectors only");
    if (selector->name.empty()) return {};
    return Fail(arg, "expected label selectors only, got vector selector instead");
  }

  // MetricsQL takes rate(x) and chooses a window.
  static std::string ImplicitWindowHint(const FunctionSignature& function, ValueType wanted, const Expr& arg) {
    if (wanted != ValueType::kMatrix || arg.type != ValueType::kVector) return {};
    const bool selector = arg.kind == ExprKind::kVectorSelector;
    return fmt::format(" (PromQL needs the window written out: {}({}{}))", function.name,
                       selector ? std::string_view("metric") : std::string_view("(expression)"),
                       selector ? std::string_view("[5m]") : std::string_view("[5m:]"));
  }

  std::string_view text_;
};

}  // namespace

Status CheckTypes(Expr& expr, std::string_view text) { return Checker(text).Check(expr); }

}  // namespace tidemark::query::promql
