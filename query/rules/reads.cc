#include "query/rules/reads.h"

#include <algorithm>

#include "query/promql/functions.h"

namespace tidemark::query::rules {
namespace {

using promql::Expr;

void AddSelector(const promql::VectorSelector& selector, Reads* out) {
  out->selectors.push_back(selector.matchers);
  const auto name = std::ranges::find_if(selector.matchers, [](const model::Matcher& matcher) {
    return matcher.op == model::MatchOp::kEqual && matcher.name == model::kMetricNameLabel;
  });
  if (name == selector.matchers.end()) {
    out->anything = true;
  } else {
    out->names.insert(name->value);
  }
}

void Add(const Expr* expr, Reads* out) {
  if (expr == nullptr) return;
  if (const auto* vector = promql::TryAs<promql::VectorSelector>(*expr)) AddSelector(*vector, out);
  if (const auto* matrix = promql::TryAs<promql::MatrixSelector>(*expr)) AddSelector(matrix->selector, out);
  if (const auto* subquery = promql::TryAs<promql::SubqueryExpr>(*expr)) Add(subquery->expr.get(), out);
  if (const auto* paren = promql::TryAs<promql::ParenExpr>(*expr)) Add(paren->expr.get(), out);
  if (const auto* unary = promql::TryAs<promql::UnaryExpr>(*expr)) Add(unary->expr.get(), out);
  if (const auto* binary = promql::TryAs<promql::BinaryExpr>(*expr)) {
    Add(binary->lhs.get(), out);
    Add(binary->rhs.get(), out);
  }
  if (const auto* aggregate = promql::TryAs<promql::AggregateExpr>(*expr)) {
    Add(aggregate->expr.get(), out);
    Add(aggregate->param.get(), out);
  }
  if (const auto* call = promql::TryAs<promql::Call>(*expr)) {
    // info() joins with series that it does not name.
    if (call->function->name == "info") out->anything = true;
    for (const promql::ExprPtr& arg : call->args) Add(arg.get(), out);
  }
}

bool Asks(const std::vector<TemplatedText>& texts) {
  return std::ranges::any_of(texts, [](const TemplatedText& text) {
    return text.text.find("{{") != std::string::npos && text.text.find("query") != std::string::npos;
  });
}

}  // namespace

Reads ReadsOf(const Rule& rule) {
  Reads out;
  Add(rule.expr.get(), &out);
  Add(rule.recover.get(), &out);
  out.anything = out.anything || Asks(rule.labels) || Asks(rule.annotations);
  return out;
}

std::vector<std::string_view> WritesOf(const Rule& rule) {
  if (!rule.alerting) return {rule.name};
  return {"ALERTS", "ALERTS_FOR_STATE"};
}

}  // namespace tidemark::query::rules
