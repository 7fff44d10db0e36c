// What is asked about the text of a query: format_query, parse_query. The tree is that of web/api/v1/translate_ast.go
// of Prometheus 3, keys in alphabetical order as Go writes a map.
#include <optional>
#include <string>
#include <vector>

#include "query/api/api.h"
#include "query/api/json.h"
#include "query/promql/functions.h"
#include "query/promql/numbers.h"
#include "query/promql/parser.h"
#include "query/promql/printer.h"

namespace tidemark::query::api {
namespace {

using promql::As;
using promql::AtModifier;
using promql::Expr;
using promql::ExprKind;

std::string_view Symbol(model::MatchOp op) {
  switch (op) {
    case model::MatchOp::kEqual: return "=";
    case model::MatchOp::kNotEqual: return "!=";
    case model::MatchOp::kRegex: return "=~";
    case model::MatchOp::kNotRegex: return "!~";
  }
  return "";
}

std::string_view Name(promql::MatchCardinality cardinality) {
  switch (cardinality) {
    case promql::MatchCardinality::kOneToOne: return "one-to-one";
    case promql::MatchCardinality::kManyToOne: return "many-to-one";
    case promql::MatchCardinality::kOneToMany: return "one-to-many";
    case promql::MatchCardinality::kManyToMany: return "many-to-many";
  }
  return "";
}

void AppendTree(std::string* out, const Expr* expr);

void AppendAt(JsonObject* node, const AtModifier& at, bool timestamp) {
  if (timestamp) {
    if (at.kind == AtModifier::Kind::kTimestamp) {
      node->Integer("timestamp", at.timestamp_ms);
    } else {
      node->Raw("timestamp", "null");
    }
    return;
  }
  if (at.kind == AtModifier::Kind::kStart || at.kind == AtModifier::Kind::kEnd) {
    node->String("startOrEnd", at.kind == AtModifier::Kind::kStart ? "start" : "end");
  } else {
    node->Raw("startOrEnd", "null");
  }
}

void AppendMatchers(std::string* out, const std::vector<model::Matcher>& matchers) {
  out->push_back('[');
  for (size_t i = 0; i < matchers.size(); ++i) {
    if (i > 0) out->push_back(',');
    JsonObject matcher(out);
    matcher.String("name", matchers[i].name);
    matcher.String("type", Symbol(matchers[i].op));
    matcher.String("value", matchers[i].value);
  }
  out->push_back(']');
}

// `window` is null for a selector that stands alone.
void AppendSelector(std::string* out, const promql::VectorSelector& selector, const promql::Duration* window) {
  JsonObject node(out);
  node.Bool("anchored", selector.anchored);
  AppendMatchers(node.Key("matchers"), selector.matchers);
  node.String("name", selector.name);
  node.Integer("offset", selector.offset.ms);
  if (window != nullptr) node.Integer("range", window->ms);
  node.Bool("smoothed", selector.smoothed);
  AppendAt(&node, selector.at, false);
  AppendAt(&node, selector.at, true);
  node.String("type", window != nullptr ? "matrixSelector" : "vectorSelector");
}

void AppendSubquery(std::string* out, const promql::SubqueryExpr& subquery) {
  JsonObject node(out);
  AppendTree(node.Key("expr"), subquery.expr.get());
  node.Integer("offset", subquery.offset.ms);
  node.Integer("range", subquery.window.ms);
  AppendAt(&node, subquery.at, false);
  node.Integer("step", subquery.step.ms);
  AppendAt(&node, subquery.at, true);
  node.String("type", "subquery");
}

void AppendMatching(std::string* out, const promql::VectorMatching& matching) {
  const auto fill = [](JsonObject* fills, std::string_view name, const std::optional<double>& value) {
    if (value) {
      AppendJsonNumber(fills->Key(name), *value);
    } else {
      fills->Raw(name, "null");
    }
  };
  JsonObject node(out);
  node.String("card", Name(matching.card));
  {
    JsonObject fills(node.Key("fillValues"));
    fill(&fills, "lhs", matching.fill_left);
    fill(&fills, "rhs", matching.fill_right);
  }
  AppendStrings(node.Key("include"), matching.include);
  AppendStrings(node.Key("labels"), matching.labels);
  node.Bool("on", matching.on);
}

void AppendBinary(std::string* out, const promql::BinaryExpr& binary) {
  JsonObject node(out);
  node.Bool("bool", binary.return_bool);
  AppendTree(node.Key("lhs"), binary.lhs.get());
  if (binary.matching) {
    AppendMatching(node.Key("matching"), *binary.matching);
  } else {
    node.Raw("matching", "null");
  }
  node.String("op", promql::Symbol(binary.op));
  AppendTree(node.Key("rhs"), binary.rhs.get());
  node.String("type", "binaryExpr");
}

void AppendAggregation(std::string* out, const promql::AggregateExpr& aggregate) {
  JsonObject node(out);
  AppendTree(node.Key("expr"), aggregate.expr.get());
  AppendStrings(node.Key("grouping"), aggregate.grouping);
  node.String("op", promql::Name(aggregate.op));
  AppendTree(node.Key("param"), aggregate.param.get());
  node.String("type", "aggregation");
  node.Bool("without", aggregate.without);
}

void AppendCall(std::string* out, const promql::Call& call) {
  JsonObject node(out);
  std::string* const args = node.Key("args");
  args->push_back('[');
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (i > 0) args->push_back(',');
    AppendTree(args, call.args[i].get());
  }
  args->push_back(']');
  {
    JsonObject function(node.Key("func"));
    std::vector<std::string> types;
    for (const promql::ValueType type : call.function->args) types.emplace_back(promql::Name(type));
    AppendStrings(function.Key("argTypes"), types);
    function.String("name", call.function->name);
    function.String("returnType", promql::Name(call.function->result));
    function.Integer("variadic", call.function->variadic);
  }
  node.String("type", "call");
}

// A null `expr` is JSON's null. As deep as ParseOptions::height_max lets a tree be.
void AppendTree(std::string* out, const Expr* expr) {
  if (expr == nullptr) {
    out->append("null");
    return;
  }
  switch (expr->kind) {
    case ExprKind::kNumberLiteral: {
      JsonObject node(out);
      node.String("type", "numberLiteral");
      node.String("val", promql::NumberToString(As<promql::NumberLiteral>(*expr).value));
      return;
    }
    case ExprKind::kStringLiteral: {
      JsonObject node(out);
      node.String("type", "stringLiteral");
      node.String("val", As<promql::StringLiteral>(*expr).value);
      return;
    }
    case ExprKind::kVectorSelector: return AppendSelector(out, As<promql::VectorSelector>(*expr), nullptr);
    case ExprKind::kMatrixSelector: {
      const auto& matrix = As<promql::MatrixSelector>(*expr);
      return AppendSelector(out, matrix.selector, &matrix.window);
    }
    case ExprKind::kSubquery: return AppendSubquery(out, As<promql::SubqueryExpr>(*expr));
    case ExprKind::kParen: {
      JsonObject node(out);
      AppendTree(node.Key("expr"), As<promql::ParenExpr>(*expr).expr.get());
      node.String("type", "parenExpr");
      return;
    }
    case ExprKind::kUnary: {
      const auto& unary = As<promql::UnaryExpr>(*expr);
      JsonObject node(out);
      AppendTree(node.Key("expr"), unary.expr.get());
      node.String("op", unary.op == promql::UnaryOp::kMinus ? "-" : "+");
      node.String("type", "unaryExpr");
      return;
    }
    case ExprKind::kBinary: return AppendBinary(out, As<promql::BinaryExpr>(*expr));
    case ExprKind::kAggregate: return AppendAggregation(out, As<promql::AggregateExpr>(*expr));
    case ExprKind::kCall: return AppendCall(out, As<promql::Call>(*expr));
  }
}

}  // namespace

Reply QueryApi::FormatQuery(const ApiRequest& request) const {
  const Result<promql::ExprPtr> expr = promql::Parse(request.params.Get("query"), options_.parse);
  if (!expr.ok()) return BadParameter("query", expr.error());
  std::string body = BeginSuccess();
  AppendJsonString(&body, promql::ToString(**expr));
  return EndSuccess(std::move(body));
}

Reply QueryApi::ParseQuery(const ApiRequest& request) const {
  const Result<promql::ExprPtr> expr = promql::Parse(request.params.Get("query"), options_.parse);
  if (!expr.ok()) return BadParameter("query", expr.error());
  std::string body = BeginSuccess();
  AppendTree(&body, expr->get());
  return EndSuccess(std::move(body));
}

}  // namespace tidemark::query::api
