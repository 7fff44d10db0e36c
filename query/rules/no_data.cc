#include "query/rules/no_data.h"

namespace tidemark::query::rules {
namespace {

using promql::BinaryExpr;
using promql::BinaryOp;
using promql::Expr;

// Whether something was compared. Appends the parts.
bool Collect(const Expr& expr, std::vector<const Expr*>* out) {
  if (const auto* paren = promql::TryAs<promql::ParenExpr>(expr)) return Collect(*paren->expr, out);
  const auto* binary = promql::TryAs<BinaryExpr>(expr);
  if (binary != nullptr && (binary->op == BinaryOp::kAnd || binary->op == BinaryOp::kUnless)) {
    return Collect(*binary->lhs, out);
  }
  if (binary != nullptr && binary->op == BinaryOp::kOr) {
    const bool left = Collect(*binary->lhs, out);
    return Collect(*binary->rhs, out) || left;
  }
  if (binary != nullptr && promql::IsComparison(binary->op) && !binary->return_bool) {
    const bool left = binary->lhs->type == promql::ValueType::kVector;
    out->push_back(left ? binary->lhs.get() : binary->rhs.get());
    return true;
  }
  out->push_back(&expr);
  return false;
}

}  // namespace

std::optional<NoData> ParseNoData(std::string_view text) {
  if (text == "resolve") return NoData::kResolve;
  if (text == "keep") return NoData::kKeep;
  if (text == "alert") return NoData::kAlert;
  return std::nullopt;
}

std::vector<const Expr*> DataOf(const Expr& expr) {
  std::vector<const Expr*> out;
  if (!Collect(expr, &out)) out.clear();
  return out;
}

void KnownSeries::Take(const std::set<model::Labels>& present, int64_t now_ms) {
  for (const model::Labels& labels : present) last_ms_[labels] = now_ms;
  std::erase_if(last_ms_, [&](const auto& entry) { return now_ms - entry.second > kKnownMs; });
}

std::vector<model::Labels> KnownSeries::Gone(const std::set<model::Labels>& present) const {
  std::vector<model::Labels> gone;
  for (const auto& [labels, last_ms] : last_ms_) {
    if (!present.contains(labels)) gone.push_back(labels);
  }
  return gone;
}

}  // namespace tidemark::query::rules
