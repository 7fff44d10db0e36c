#include "query/promql/printer.h"

#include <algorithm>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "query/promql/functions.h"
#include "query/promql/numbers.h"
#include "query/promql/quote.h"

namespace tidemark::query::promql {
namespace {

constexpr double kMsPerSecond = 1000;

std::string Literal(double value, bool is_duration) {
  if (is_duration) return DurationToString(static_cast<int64_t>(value * kMsPerSecond + (value < 0 ? -0.5 : 0.5)));
  return NumberToString(value);
}

void Append(std::string& out, const Expr& expr);

void Append(std::string& out, const DurationExpr& expr) {
  using Op = DurationExpr::Op;
  const auto binary = [&](std::string_view op) {
    Append(out, *expr.lhs);
    out += op;
    Append(out, *expr.rhs);
  };
  const auto call = [&](std::string_view name) {
    out += name;
    binary(", ");
    out += ')';
  };
  if (expr.in_parens) out += '(';
  switch (expr.op) {
    case Op::kLiteral: out += Literal(expr.seconds, expr.is_duration); break;
    case Op::kStep: out += "step()"; break;
    case Op::kRange: out += "range()"; break;
    case Op::kNegate:
      out += '-';
      Append(out, *expr.lhs);
      break;
    case Op::kAdd: binary(" + "); break;
    case Op::kSub: binary(" - "); break;
    case Op::kMul: binary(" * "); break;
    case Op::kDiv: binary(" / "); break;
    case Op::kMod: binary(" % "); break;
    case Op::kPow: binary(" ^ "); break;
    case Op::kMinOf: call("min_of("); break;
    case Op::kMaxOf: call("max_of("); break;
  }
  if (expr.in_parens) out += ')';
}

void Append(std::string& out, const Duration& duration) {
  if (duration.expr) {
    Append(out, *duration.expr);
  } else {
    out += DurationToString(duration.ms);
  }
}

void AppendOffset(std::string& out, const Duration& offset) {
  if (offset.ms == 0 && !offset.expr) return;
  out += " offset ";
  Append(out, offset);
}

void AppendAt(std::string& out, const AtModifier& at) {
  switch (at.kind) {
    case AtModifier::Kind::kNone: return;
    case AtModifier::Kind::kTimestamp: {
      // Written from the integer: a double has no room for the milliseconds of far times.
      const bool negative = at.timestamp_ms < 0;
      const uint64_t ms =
          negative ? 0 - static_cast<uint64_t>(at.timestamp_ms) : static_cast<uint64_t>(at.timestamp_ms);
      fmt::format_to(std::back_inserter(out), " @ {}{}.{:03}", negative ? "-" : "", ms / 1000, ms % 1000);
      return;
    }
    case AtModifier::Kind::kStart: out += " @ start()"; return;
    case AtModifier::Kind::kEnd: out += " @ end()"; return;
  }
}

std::string_view Symbol(model::MatchOp op) {
  switch (op) {
    case model::MatchOp::kEqual: return "=";
    case model::MatchOp::kNotEqual: return "!=";
    case model::MatchOp::kRegex: return "=~";
    case model::MatchOp::kNotRegex: return "!~";
  }
  return {};
}

void AppendSelector(std::string& out, const VectorSelector& selector) {
  std::vector<std::string> parts;
  for (const model::Matcher& matcher : selector.matchers) {
    const bool is_name = matcher.name == "__name__" && matcher.op == model::MatchOp::kEqual &&
                         matcher.value == selector.name && !matcher.value.empty();
    if (is_name) continue;
    const std::string name = IsPlainLabelName(matcher.name) ? matcher.name : Quote(matcher.name);
    parts.push_back(fmt::format("{}{}{}", name, Symbol(matcher.op), Quote(matcher.value)));
  }
  out += selector.name;
  if (parts.empty()) {
    // A selector without a name and a matcher stands only in info(), where the braces are all there is.
    if (selector.name.empty()) out += "{}";
    return;
  }
  std::ranges::sort(parts);
  fmt::format_to(std::back_inserter(out), "{{{}}}", fmt::join(parts, ","));
}

void AppendExtendedRange(std::string& out, const VectorSelector& selector) {
  if (selector.anchored) out += " anchored";
  if (selector.smoothed) out += " smoothed";
}

void AppendLabels(std::string& out, std::span<const std::string> labels) {
  out += '(';
  for (size_t i = 0; i < labels.size(); ++i) {
    if (i > 0) out += ", ";
    out += IsPlainLabelName(labels[i]) ? labels[i] : Quote(labels[i]);
  }
  out += ')';
}

void AppendMatching(std::string& out, const VectorMatching& matching) {
  const bool grouped = matching.card == MatchCardinality::kManyToOne || matching.card == MatchCardinality::kOneToMany;
  if (!matching.labels.empty() || matching.on || grouped) {
    out += matching.on ? " on " : " ignoring ";
    AppendLabels(out, matching.labels);
  }
  if (grouped) {
    out += matching.card == MatchCardinality::kManyToOne ? " group_left " : " group_right ";
    AppendLabels(out, matching.include);
  }
  const auto fill = [&](std::string_view word, double value) {
    fmt::format_to(std::back_inserter(out), " {} ({})", word, NumberToString(value));
  };
  if (matching.fill_left && matching.fill_right &&
      NumberToString(*matching.fill_left) == NumberToString(*matching.fill_right)) {
    fill("fill", *matching.fill_left);
    return;
  }
  if (matching.fill_left) fill("fill_left", *matching.fill_left);
  if (matching.fill_right) fill("fill_right", *matching.fill_right);
}

void AppendSubquery(std::string& out, const SubqueryExpr& subquery) {
  Append(out, *subquery.expr);
  out += '[';
  Append(out, subquery.window);
  out += ':';
  if (subquery.step.ms != 0 || subquery.step.expr) Append(out, subquery.step);
  out += ']';
  AppendAt(out, subquery.at);
  AppendOffset(out, subquery.offset);
}

void AppendMatrix(std::string& out, const MatrixSelector& matrix) {
  AppendSelector(out, matrix.selector);
  out += '[';
  Append(out, matrix.window);
  out += ']';
  AppendExtendedRange(out, matrix.selector);
  AppendAt(out, matrix.selector.at);
  AppendOffset(out, matrix.selector.offset);
}

void AppendBinary(std::string& out, const BinaryExpr& binary) {
  // The sign of +Inf would bind weaker than the power. Upstream prints it here too, and so another expression.
  const auto* number = TryAs<NumberLiteral>(*binary.lhs);
  if (binary.op == BinaryOp::kPow && number != nullptr && number->value == std::numeric_limits<double>::infinity()) {
    out += "Inf";
  } else {
    Append(out, *binary.lhs);
  }
  fmt::format_to(std::back_inserter(out), " {}{}", promql::Symbol(binary.op), binary.return_bool ? " bool" : "");
  if (binary.matching) AppendMatching(out, *binary.matching);
  out += ' ';
  Append(out, *binary.rhs);
}

void AppendAggregate(std::string& out, const AggregateExpr& aggregate) {
  out += Name(aggregate.op);
  if (aggregate.without || !aggregate.grouping.empty()) {
    out += aggregate.without ? " without " : " by ";
    AppendLabels(out, aggregate.grouping);
    out += ' ';
  }
  out += '(';
  if (aggregate.param) {
    Append(out, *aggregate.param);
    out += ", ";
  }
  Append(out, *aggregate.expr);
  out += ')';
}

void AppendCall(std::string& out, const Call& call) {
  out += call.function->name;
  out += '(';
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (i > 0) out += ", ";
    Append(out, *call.args[i]);
  }
  out += ')';
}

void Append(std::string& out, const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kNumberLiteral: {
      const auto& number = As<NumberLiteral>(expr);
      out += Literal(number.value, number.is_duration);
      return;
    }
    case ExprKind::kStringLiteral: out += Quote(As<StringLiteral>(expr).value); return;
    case ExprKind::kVectorSelector: {
      const auto& selector = As<VectorSelector>(expr);
      AppendSelector(out, selector);
      AppendAt(out, selector.at);
      AppendExtendedRange(out, selector);
      AppendOffset(out, selector.offset);
      return;
    }
    case ExprKind::kMatrixSelector: AppendMatrix(out, As<MatrixSelector>(expr)); return;
    case ExprKind::kSubquery: AppendSubquery(out, As<SubqueryExpr>(expr)); return;
    case ExprKind::kParen:
      out += '(';
      Append(out, *As<ParenExpr>(expr).expr);
      out += ')';
      return;
    case ExprKind::kUnary:
      out += As<UnaryExpr>(expr).op == UnaryOp::kMinus ? '-' : '+';
      Append(out, *As<UnaryExpr>(expr).expr);
      return;
    case ExprKind::kBinary: AppendBinary(out, As<BinaryExpr>(expr)); return;
    case ExprKind::kAggregate: AppendAggregate(out, As<AggregateExpr>(expr)); return;
    case ExprKind::kCall: AppendCall(out, As<Call>(expr)); return;
  }
}

}  // namespace

std::string ToString(const Expr& expr) {
  std::string out;
  Append(out, expr);
  return out;
}

std::string ToSelector(std::span<const model::Matcher> matchers) {
  std::string out = "{";
  for (const model::Matcher& matcher : matchers) {
    if (out.size() > 1) out += ',';
    out += IsPlainLabelName(matcher.name) ? matcher.name : Quote(matcher.name);
    out += Symbol(matcher.op);
    out += Quote(matcher.value);
  }
  return out + "}";
}

}  // namespace tidemark::query::promql
