#include "query/rules/no_data.h"

#include <utility>

#include "query/promql/durations.h"
#include "query/promql/functions.h"
#include "query/promql/parser.h"
#include "query/promql/printer.h"

namespace tidemark::query::rules {
namespace {

using promql::AggregateExpr;
using promql::BinaryExpr;
using promql::BinaryOp;
using promql::Call;
using promql::Expr;
using promql::ExprPtr;
using promql::MatchCardinality;
using promql::ParenExpr;
using promql::VectorMatching;

// A tree of its own that prints the same; null where it is too large for one.
ExprPtr Copy(const Expr& expr) {
  promql::ParseOptions options = promql::ParseOptions::Experimental();
  // Printed, it may be longer than it was written.
  options.text_size_max *= 4;
  Result<ExprPtr> copy = promql::Parse(promql::ToString(expr), options);
  if (!copy.ok() || !promql::ResolveDurations(**copy, 0, 0).ok()) return nullptr;
  return std::move(copy).value();
}

// What is compared of a comparison with a number.
ExprPtr* VectorSide(BinaryExpr* comparison) {
  return comparison->lhs->type == promql::ValueType::kVector ? &comparison->lhs : &comparison->rhs;
}

bool IsFilter(const BinaryExpr& binary) { return promql::IsComparison(binary.op) && !binary.return_bool; }

// Calls `visit` with each expression right below `expr`.
void ForEachChild(Expr* expr, const auto& visit) {
  if (auto* const paren = promql::TryAs<ParenExpr>(*expr)) visit(&paren->expr);
  if (auto* const unary = promql::TryAs<promql::UnaryExpr>(*expr)) visit(&unary->expr);
  if (auto* const subquery = promql::TryAs<promql::SubqueryExpr>(*expr)) visit(&subquery->expr);
  if (auto* const aggregate = promql::TryAs<AggregateExpr>(*expr)) visit(&aggregate->expr);
  if (auto* const call = promql::TryAs<Call>(*expr)) {
    for (ExprPtr& arg : call->args) visit(&arg);
  }
  if (auto* const binary = promql::TryAs<BinaryExpr>(*expr)) {
    visit(&binary->lhs);
    visit(&binary->rhs);
  }
}

ExprPtr InParens(ExprPtr expr) {
  if (expr->kind != promql::ExprKind::kBinary) return expr;
  auto paren = std::make_unique<ParenExpr>();
  paren->type = expr->type;
  paren->expr = std::move(expr);
  return paren;
}

// What there is when `comparison`, without filters below it, can be made, with the labels of its results.
ExprPtr Comparable(std::unique_ptr<BinaryExpr> comparison) {
  if (!comparison->matching) return std::move(*VectorSide(comparison.get()));
  const VectorMatching matching = *comparison->matching;
  if (matching.card != MatchCardinality::kOneToOne || matching.fill_left || matching.fill_right) {
    comparison->return_bool = true;
    return comparison;
  }
  // With `bool`, two samples of the left side with the same partner would be an error, which the filter need not make.
  ExprPtr left = InParens(std::move(comparison->lhs));
  if (matching.on || !matching.labels.empty()) {
    auto group = std::make_unique<AggregateExpr>();
    group->op = promql::AggregateOp::kGroup;
    group->expr = std::move(left);
    group->grouping = matching.labels;
    group->without = !matching.on;
    left = std::move(group);
  }
  auto both = std::make_unique<BinaryExpr>();
  both->op = BinaryOp::kAnd;
  both->lhs = std::move(left);
  both->rhs = InParens(std::move(comparison->rhs));
  both->matching = matching;
  both->matching->card = MatchCardinality::kManyToMany;
  return both;
}

// Takes out what drops samples for what they are, so that only samples that are not there are missing. False where
// there is a function that gives something for what is not there.
bool DropFilters(ExprPtr* expr) {
  if (const auto* const call = promql::TryAs<Call>(**expr)) {
    if (call->function->name == "absent" || call->function->name == "absent_over_time") return false;
  }
  bool done = true;
  ForEachChild(expr->get(), [&](ExprPtr* child) { done = DropFilters(child) && done; });
  auto* const binary = promql::TryAs<BinaryExpr>(**expr);
  if (binary == nullptr) return done;
  ExprPtr left_over;
  if (binary->op == BinaryOp::kAnd || binary->op == BinaryOp::kUnless) {
    left_over = std::move(binary->lhs);
  } else if (IsFilter(*binary)) {
    // The comparison is now owned by what follows.
    static_cast<void>(expr->release());
    left_over = InParens(Comparable(std::unique_ptr<BinaryExpr>(binary)));
  }
  if (left_over) *expr = std::move(left_over);
  return done;
}

struct Parts {
  std::vector<std::shared_ptr<const Expr>> data;
  bool compared = false;
  bool fit = true;  // all of them could be made
};

void Collect(const Expr& expr, Parts* out) {
  if (const auto* paren = promql::TryAs<ParenExpr>(expr)) return Collect(*paren->expr, out);
  const auto* binary = promql::TryAs<BinaryExpr>(expr);
  if (binary != nullptr && (binary->op == BinaryOp::kAnd || binary->op == BinaryOp::kUnless)) {
    return Collect(*binary->lhs, out);
  }
  if (binary != nullptr && binary->op == BinaryOp::kOr) {
    Collect(*binary->lhs, out);
    return Collect(*binary->rhs, out);
  }
  ExprPtr part = Copy(expr);
  if (part == nullptr) {
    out->fit = false;
    return;
  }
  if (binary != nullptr && IsFilter(*binary)) {
    out->compared = true;
    auto own = std::unique_ptr<BinaryExpr>(&promql::As<BinaryExpr>(*part.release()));
    out->fit = DropFilters(&own->lhs) && DropFilters(&own->rhs) && out->fit;
    part = Copy(*Comparable(std::move(own)));
  } else {
    out->fit = DropFilters(&part) && out->fit;
    part = Copy(*part);
  }
  out->fit = out->fit && part != nullptr;
  if (part != nullptr) out->data.push_back(std::move(part));
}

}  // namespace

std::string_view Name(NoData policy) {
  switch (policy) {
    case NoData::kResolve: return "resolve";
    case NoData::kKeep: return "keep";
    case NoData::kAlert: return "alert";
  }
  return "resolve";
}

std::optional<NoData> ParseNoData(std::string_view text) {
  for (const NoData policy : {NoData::kResolve, NoData::kKeep, NoData::kAlert}) {
    if (text == Name(policy)) return policy;
  }
  return std::nullopt;
}

std::vector<std::shared_ptr<const Expr>> DataOf(const Expr& expr) {
  Parts parts;
  Collect(expr, &parts);
  if (!parts.compared || !parts.fit) parts.data.clear();
  return std::move(parts.data);
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
