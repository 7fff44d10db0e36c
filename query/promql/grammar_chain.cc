// Chains of binary operators. Most are a tree of pairs from the left, as high as they are long. A long chain of one set
// operator, which dashboards make of a variable with many values, becomes a tree of pairs of about equal halves
// instead: sets give the same however their pairs are made, and so neither its height nor what its unions cost grows
// with its length.
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "query/promql/chain_limit.h"
#include "query/promql/grammar.h"
#include "query/promql/location.h"

namespace tidemark::query::promql {
namespace {

// Chains up to here are pairs from the left, as upstream has them.
constexpr size_t kFromTheLeftMax = 64;

bool MayBeBalanced(const BinaryExpr& link, ValueType lhs, ValueType rhs) {
  return (link.op == BinaryOp::kOr || link.op == BinaryOp::kAnd) && lhs == ValueType::kVector &&
         rhs == ValueType::kVector;
}

bool Alike(const BinaryExpr& a, const BinaryExpr& b) {
  const VectorMatching& x = *a.matching;
  const VectorMatching& y = *b.matching;
  return a.op == b.op && a.return_bool == b.return_bool && x.card == y.card && x.on == y.on && x.labels == y.labels &&
         x.include == y.include && x.fill_left == y.fill_left && x.fill_right == y.fill_right;
}

std::unique_ptr<BinaryExpr> CopyOf(const BinaryExpr& link) {
  auto out = std::make_unique<BinaryExpr>();
  out->op = link.op;
  out->return_bool = link.return_bool;
  out->matching = link.matching;
  return out;
}

}  // namespace

Status Grammar::Extend(Chain* chain, std::unique_ptr<BinaryExpr> link) const {
  ExprPtr rhs = std::move(link->rhs);
  if (!MayBeBalanced(*link, chain->operands.back()->type, rhs->type) ||
      (chain->link != nullptr && !Alike(*chain->link, *link))) {
    TM_TRY_ASSIGN(ExprPtr lhs, FinishChain(std::move(*chain)));
    *chain = {};
    if (!MayBeBalanced(*link, lhs->type, rhs->type)) {
      TM_TRY_ASSIGN(chain->operands.emplace_back(), Join(std::move(link), std::move(lhs), std::move(rhs)));
      return {};
    }
    chain->operands.push_back(std::move(lhs));
  }
  if (chain->operands.size() >= kChainOperandsMax) {
    return ErrorAt(
        text_, taken_end_,
        fmt::format("expression is too long a chain: more than {} operands of {}", kChainOperandsMax, Symbol(link->op)),
        ErrorCode::kLimitExceeded);
  }
  chain->operands.push_back(std::move(rhs));
  chain->link = std::move(link);
  return {};
}

Result<ExprPtr> Grammar::FinishChain(Chain chain) const {
  if (chain.operands.size() > kFromTheLeftMax) return Balance(*chain.link, chain.operands);
  ExprPtr lhs = std::move(chain.operands.front());
  for (size_t i = 1; i < chain.operands.size(); ++i) {
    TM_TRY_ASSIGN(lhs, Join(CopyOf(*chain.link), std::move(lhs), std::move(chain.operands[i])));
  }
  return lhs;
}

Result<ExprPtr> Grammar::Balance(const BinaryExpr& link, std::span<ExprPtr> operands) const {
  if (operands.size() == 1) return std::move(operands.front());
  // The first half is the larger one, so that the first link of the text is the one that is looked at first.
  const size_t half = (operands.size() + 1) / 2;
  TM_TRY_ASSIGN(ExprPtr lhs, Balance(link, operands.first(half)));
  TM_TRY_ASSIGN(ExprPtr rhs, Balance(link, operands.subspan(half)));
  return Join(CopyOf(link), std::move(lhs), std::move(rhs));
}

Result<ExprPtr> Grammar::Join(std::unique_ptr<BinaryExpr> link, ExprPtr lhs, ExprPtr rhs) const {
  link->lhs = std::move(lhs);
  link->rhs = std::move(rhs);
  link->range = {link->lhs->range.start, link->rhs->range.end};
  const bool scalar = link->lhs->type == ValueType::kScalar && link->rhs->type == ValueType::kScalar;
  link->type = scalar ? ValueType::kScalar : ValueType::kVector;
  TM_RETURN_IF_ERROR(Grow(*link, *link->lhs));
  TM_RETURN_IF_ERROR(Grow(*link, *link->rhs));
  return link;
}

}  // namespace tidemark::query::promql
