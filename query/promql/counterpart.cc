#include "query/promql/counterpart.h"

#include <cstddef>
#include <optional>

namespace tidemark::query::promql {
namespace {

// The parts of `expr` in the order of the text; null past the last.
const Expr* Part(const Expr& expr, size_t index) {
  switch (expr.kind) {
    case ExprKind::kMatrixSelector: return index == 0 ? &As<MatrixSelector>(expr).selector : nullptr;
    case ExprKind::kSubquery: return index == 0 ? As<SubqueryExpr>(expr).expr.get() : nullptr;
    case ExprKind::kParen: return index == 0 ? As<ParenExpr>(expr).expr.get() : nullptr;
    case ExprKind::kUnary: return index == 0 ? As<UnaryExpr>(expr).expr.get() : nullptr;
    case ExprKind::kBinary: {
      const auto& binary = As<BinaryExpr>(expr);
      return index == 0 ? binary.lhs.get() : index == 1 ? binary.rhs.get() : nullptr;
    }
    case ExprKind::kAggregate: {
      const auto& aggregate = As<AggregateExpr>(expr);
      if (!aggregate.param) ++index;
      return index == 0 ? aggregate.param.get() : index == 1 ? aggregate.expr.get() : nullptr;
    }
    case ExprKind::kCall: {
      const auto& args = As<Call>(expr).args;
      return index < args.size() ? args[index].get() : nullptr;
    }
    default: return nullptr;
  }
}

std::optional<SourceRange> Find(const Expr& from, const Expr& to, const SourceRange& range) {
  if (from.range == range) return to.range;
  if (range.start < from.range.start || range.end > from.range.end) return std::nullopt;
  for (size_t index = 0;; ++index) {
    const Expr* const from_part = Part(from, index);
    const Expr* const to_part = Part(to, index);
    if (from_part == nullptr || to_part == nullptr) return std::nullopt;
    if (const auto found = Find(*from_part, *to_part, range)) return found;
  }
}

}  // namespace

SourceRange Counterpart(const Expr& from, const Expr& to, const SourceRange& range) {
  return Find(from, to, range).value_or(to.range);
}

}  // namespace tidemark::query::promql
