#include <array>
#include <utility>

#include <fmt/format.h>

#include "query/promql/functions.h"
#include "query/promql/grammar.h"
#include "query/promql/location.h"
#include "query/promql/metricsql.h"
#include "query/promql/numbers.h"
#include "query/promql/quote.h"
#include "storage/base/utf8.h"

namespace tidemark::query::promql {
namespace {

constexpr int kLowest = 1;
constexpr int kPower = 6;  // the only one that associates to the right; signs bind weaker than it
constexpr double kNsPerSecond = 1e9;

int PrecedenceOf(TokenKind op) {
  switch (op) {
    case TokenKind::kOr: return kLowest;
    case TokenKind::kAnd:
    case TokenKind::kUnless: return 2;
    case TokenKind::kEqual:
    case TokenKind::kNotEqual:
    case TokenKind::kLess:
    case TokenKind::kLessEqual:
    case TokenKind::kGreater:
    case TokenKind::kGreaterEqual:
    case TokenKind::kTrimUpper:
    case TokenKind::kTrimLower: return 3;
    case TokenKind::kAdd:
    case TokenKind::kSub: return 4;
    case TokenKind::kMul:
    case TokenKind::kDiv:
    case TokenKind::kMod:
    case TokenKind::kAtan2: return 5;
    case TokenKind::kPow: return kPower;
    default: return 0;
  }
}

BinaryOp BinaryOpOf(TokenKind op) {
  return static_cast<BinaryOp>(static_cast<int>(op) - static_cast<int>(TokenKind::kAdd));
}
static_assert(static_cast<int>(TokenKind::kTrimLower) - static_cast<int>(TokenKind::kAdd) ==
              static_cast<int>(BinaryOp::kTrimLower));

AggregateOp AggregateOpOf(TokenKind op) {
  return static_cast<AggregateOp>(static_cast<int>(op) - static_cast<int>(TokenKind::kSum));
}
static_assert(static_cast<int>(TokenKind::kLimitRatio) - static_cast<int>(TokenKind::kSum) ==
              static_cast<int>(AggregateOp::kLimitRatio));

bool HasParam(AggregateOp op) { return op >= AggregateOp::kTopk; }
bool IsExperimental(AggregateOp op) { return op >= AggregateOp::kLimitk; }

}  // namespace

Grammar::Grammar(std::string_view text, const ParseOptions& options) : text_(text), options_(options), lexer_(text) {
  Advance();
}

void Grammar::Advance() {
  taken_end_ = token_.end;
  token_ = lexer_.Next();
}

bool Grammar::TakeIf(TokenKind kind) {
  if (!At(kind)) return false;
  Advance();
  return true;
}

bool Grammar::AtExprStart() const {
  switch (token_.kind) {
    case TokenKind::kNumber:
    case TokenKind::kDuration:
    case TokenKind::kString:
    case TokenKind::kLeftParen:
    case TokenKind::kLeftBrace:
    case TokenKind::kAdd:
    case TokenKind::kSub: return true;
    default: return MayNameMetric(token_.kind);
  }
}

Status Grammar::Nested::Check() const {
  if (grammar_.depth_ <= grammar_.options_.depth_max) return {};
  return ErrorAt(grammar_.text_, grammar_.token_.start,
                 fmt::format("expression is nested too deeply: more than {} levels", grammar_.options_.depth_max),
                 ErrorCode::kLimitExceeded);
}

Status Grammar::Grow(Expr& parent, const Expr& child) const {
  if (child.height >= parent.height) parent.height = child.height + 1;
  if (parent.height <= options_.height_max) return {};
  return ErrorAt(text_, taken_end_,
                 fmt::format("expression is too long a chain: more than {} levels", options_.height_max),
                 ErrorCode::kLimitExceeded);
}

Error Grammar::Fail(uint32_t offset, std::string_view message) const { return ErrorAt(text_, offset, message); }

Error Grammar::Unexpected() const {
  return Unexpected(aggregations_ > 0 ? std::string_view("aggregation") : std::string_view(), {});
}

Error Grammar::Unexpected(std::string_view context, std::string_view expected) const {
  if (At(TokenKind::kError)) return Fail(token_.start, token_.text);
  std::string message = "unexpected " + Describe(token_);
  if (!context.empty()) message += fmt::format(" in {}", context);
  if (!expected.empty()) message += fmt::format(", expected {}", expected);
  return Fail(token_.start, message + MetricsQlHint());
}

// What to write instead, where the query is MetricsQL: the words of its own are identifiers in a wrong place.
std::string Grammar::MetricsQlHint() const {
  if (At(TokenKind::kIdentifier)) {
    if (std::string hint = MetricsQlWordHint(token_.text); !hint.empty()) return hint;
  }
  Lexer again(text_);
  const Token first = again.Next();
  const bool with = first.kind == TokenKind::kIdentifier && first.text.size() == 4 && (first.text[0] | 0x20) == 'w' &&
                    (first.text[1] | 0x20) == 'i' && (first.text[2] | 0x20) == 't' && (first.text[3] | 0x20) == 'h';
  if (!with || again.Next().kind != TokenKind::kLeftParen) return {};
  return " (PromQL has no WITH templates: write the expressions out, or record them with a rule)";
}

Result<ExprPtr> Grammar::WholeExpr() {
  if (At(TokenKind::kEnd)) return Fail(0, "no expression found in input");
  TM_TRY_ASSIGN(ExprPtr expr, ParseExpr(kLowest));
  if (!At(TokenKind::kEnd)) return Unexpected();
  return expr;
}

Result<ExprPtr> Grammar::ParseExpr(int precedence_min) {
  Chain chain;
  TM_TRY_ASSIGN(chain.operands.emplace_back(), ParseOperand());
  while (true) {
    const Token op = token_;
    const int precedence = IsBinaryOperator(op.kind) ? PrecedenceOf(op.kind) : 0;
    if (precedence == 0 || precedence < precedence_min) return FinishChain(std::move(chain));
    Advance();
    auto binary = std::make_unique<BinaryExpr>();
    binary->op = BinaryOpOf(op.kind);
    binary->matching.emplace();
    TM_RETURN_IF_ERROR(ParseBinaryModifiers(*binary));
    if (precedence == kPower) {
      const Nested nested(*this);
      TM_RETURN_IF_ERROR(nested.Check());
      TM_TRY_ASSIGN(binary->rhs, ParseExpr(precedence));
    } else {
      TM_TRY_ASSIGN(binary->rhs, ParseExpr(precedence + 1));
    }
    TM_RETURN_IF_ERROR(Extend(&chain, std::move(binary)));
  }
}

Result<ExprPtr> Grammar::ParseOperand() {
  if (At(TokenKind::kAdd) || At(TokenKind::kSub)) return ParseUnary();
  TM_TRY_ASSIGN(ExprPtr primary, ParsePrimary());
  return ParseModifiers(std::move(primary));
}

Result<ExprPtr> Grammar::ParseUnary() {
  const Nested nested(*this);
  TM_RETURN_IF_ERROR(nested.Check());
  const Token sign = token_;
  Advance();
  TM_TRY_ASSIGN(ExprPtr operand, ParseExpr(kPower));
  if (auto* number = TryAs<NumberLiteral>(*operand)) {
    if (sign.kind == TokenKind::kSub) number->value = -number->value;
    number->range.start = sign.start;
    return operand;
  }
  auto unary = std::make_unique<UnaryExpr>();
  unary->op = sign.kind == TokenKind::kSub ? UnaryOp::kMinus : UnaryOp::kPlus;
  unary->type = operand->type;
  unary->range = {sign.start, operand->range.end};
  TM_RETURN_IF_ERROR(Grow(*unary, *operand));
  unary->expr = std::move(operand);
  return unary;
}

Result<ExprPtr> Grammar::ParsePrimary() {
  switch (token_.kind) {
    case TokenKind::kNumber:
    case TokenKind::kDuration: return ParseNumber();
    case TokenKind::kString: return ParseString();
    case TokenKind::kLeftParen: return ParseParen();
    case TokenKind::kLeftBrace: return ParseSelector(nullptr);
    default: return MayNameMetric(token_.kind) ? ParseWord() : Unexpected();
  }
}

Result<ExprPtr> Grammar::ParseParen() {
  const Nested nested(*this);
  TM_RETURN_IF_ERROR(nested.Check());
  auto paren = std::make_unique<ParenExpr>();
  paren->range.start = token_.start;
  Advance();
  TM_TRY_ASSIGN(paren->expr, ParseExpr(kLowest));
  if (!TakeIf(TokenKind::kRightParen)) return Unexpected();
  paren->range.end = taken_end_;
  paren->type = paren->expr->type;
  TM_RETURN_IF_ERROR(Grow(*paren, *paren->expr));
  return paren;
}

// Takes the token, which is a number or a duration.
Result<Grammar::Number> Grammar::TakeNumber() {
  const Token token = token_;
  Advance();
  if (token.kind == TokenKind::kDuration) {
    const auto ns = ParseDurationNs(token.text);
    if (!ns.ok()) return Fail(token.start, ns.error().message);
    return Number{static_cast<double>(*ns) / kNsPerSecond, true};
  }
  const auto value = promql::ParseNumber(token.text);
  if (!value.ok()) return Fail(token.start, value.error().message);
  return Number{*value, false};
}

Result<ExprPtr> Grammar::ParseNumber() {
  auto literal = std::make_unique<NumberLiteral>();
  literal->range = {token_.start, token_.end};
  TM_TRY_ASSIGN(const Number number, TakeNumber());
  literal->value = number.value;
  literal->is_duration = number.is_duration;
  return literal;
}

Result<ExprPtr> Grammar::ParseString() {
  auto string = std::make_unique<StringLiteral>();
  string->range = {token_.start, token_.end};
  string->value = Unquote(token_.text);
  Advance();
  return string;
}

// A function's call, an aggregation or a metric: the token behind the word tells.
Result<ExprPtr> Grammar::ParseWord() {
  const Token word = token_;
  Advance();
  const bool calls = At(TokenKind::kLeftParen);
  if (IsAggregator(word.kind) && (calls || At(TokenKind::kBy) || At(TokenKind::kWithout))) return ParseAggregate(word);
  if (calls && (word.kind == TokenKind::kIdentifier || IsFunctionWord(word.kind))) return ParseCall(word);
  return ParseSelector(&word);
}

Result<ExprPtr> Grammar::ParseCall(const Token& name) {
  auto call = std::make_unique<Call>();
  TM_TRY_ASSIGN(call->args, ParseArguments());
  call->function = FindFunction(name.text);
  if (call->function == nullptr) {
    std::string hint = MetricsQlFunctionHint(name.text);
    if (hint.empty()) hint = MetricsQlHint();
    return Fail(name.start, "unknown function with name " + Quote(name.text) + hint);
  }
  if (call->function->experimental && !options_.experimental_functions) {
    return Fail(name.start, fmt::format("function {} is not enabled", Quote(name.text)));
  }
  call->type = call->function->result;
  call->range = {name.start, taken_end_};
  for (const ExprPtr& arg : call->args) TM_RETURN_IF_ERROR(Grow(*call, *arg));
  return call;
}

// (a, b), the parenthesis being next.
Result<std::vector<ExprPtr>> Grammar::ParseArguments() {
  const Nested nested(*this);
  TM_RETURN_IF_ERROR(nested.Check());
  if (!TakeIf(TokenKind::kLeftParen)) return Unexpected();
  std::vector<ExprPtr> args;
  if (TakeIf(TokenKind::kRightParen)) return args;
  while (true) {
    TM_TRY_ASSIGN(ExprPtr arg, ParseExpr(kLowest));
    args.push_back(std::move(arg));
    if (TakeIf(TokenKind::kRightParen)) return args;
    const Token comma = token_;
    if (!TakeIf(TokenKind::kComma)) return Unexpected();
    if (At(TokenKind::kError)) return Unexpected();
    if (!AtExprStart()) return Fail(comma.start, "trailing commas not allowed in function call args");
  }
}

Result<ExprPtr> Grammar::ParseAggregate(const Token& op) {
  auto aggregate = std::make_unique<AggregateExpr>();
  aggregate->op = AggregateOpOf(op.kind);
  ++aggregations_;
  const bool grouped_before = !At(TokenKind::kLeftParen);
  if (grouped_before) TM_RETURN_IF_ERROR(ParseGroupingOf(*aggregate));
  TM_TRY_ASSIGN(std::vector<ExprPtr> args, ParseArguments());
  if (!grouped_before) {
    if (At(TokenKind::kError)) return Unexpected();
    TM_RETURN_IF_ERROR(ParseGroupingOf(*aggregate));
  }
  --aggregations_;

  if (args.empty()) return Fail(op.start, "no arguments for aggregate expression provided");
  if (IsExperimental(aggregate->op) && !options_.experimental_functions) {
    return Fail(
        op.start,
        fmt::format("{}() is experimental and must be enabled with --enable-feature=promql-experimental-functions",
                    Name(aggregate->op)));
  }
  const size_t wanted = HasParam(aggregate->op) ? 2 : 1;
  if (args.size() != wanted) {
    return Fail(op.start,
                fmt::format("wrong number of arguments for aggregate expression provided, expected {}, got {}", wanted,
                            args.size()));
  }
  for (const ExprPtr& arg : args) TM_RETURN_IF_ERROR(Grow(*aggregate, *arg));
  aggregate->expr = std::move(args.back());
  if (wanted == 2) aggregate->param = std::move(args.front());
  aggregate->range = {op.start, taken_end_};
  return aggregate;
}

// by (...) or without (...), if it is next.
Status Grammar::ParseGroupingOf(AggregateExpr& aggregate) {
  if (!At(TokenKind::kBy) && !At(TokenKind::kWithout)) return {};
  aggregate.without = At(TokenKind::kWithout);
  Advance();
  TM_TRY_ASSIGN(aggregate.grouping, ParseGroupingLabels());
  return {};
}

// bool, on or ignoring, group_left or group_right, fill: in this order, each optional.
Status Grammar::ParseBinaryModifiers(BinaryExpr& binary) {
  binary.return_bool = TakeIf(TokenKind::kBool);
  VectorMatching& matching = *binary.matching;
  if (At(TokenKind::kOn) || At(TokenKind::kIgnoring)) {
    matching.on = At(TokenKind::kOn);
    Advance();
    TM_TRY_ASSIGN(matching.labels, ParseGroupingLabels());
    if (At(TokenKind::kGroupLeft) || At(TokenKind::kGroupRight)) {
      matching.card = At(TokenKind::kGroupLeft) ? MatchCardinality::kManyToOne : MatchCardinality::kOneToMany;
      Advance();
      if (At(TokenKind::kLeftParen)) {
        TM_TRY_ASSIGN(matching.include, ParseGroupingLabels());
      }
    }
  }
  return ParseFill(binary);
}

Status Grammar::ParseFill(BinaryExpr& binary) {
  VectorMatching& matching = *binary.matching;
  const uint32_t start = token_.start;
  if (TakeIf(TokenKind::kFill)) {
    TM_TRY_ASSIGN(matching.fill_left, ParseFillValue());
    matching.fill_right = matching.fill_left;
  } else {
    for (int side = 0; side < 2; ++side) {
      if (At(TokenKind::kFillLeft) && !matching.fill_left) {
        Advance();
        TM_TRY_ASSIGN(matching.fill_left, ParseFillValue());
      } else if (At(TokenKind::kFillRight) && !matching.fill_right) {
        Advance();
        TM_TRY_ASSIGN(matching.fill_right, ParseFillValue());
      }
    }
  }
  if ((matching.fill_left || matching.fill_right) && !options_.fill_modifiers) {
    return Fail(start, "binop fill modifiers are experimental and not enabled");
  }
  return {};
}

Result<double> Grammar::ParseFillValue() {
  if (!TakeIf(TokenKind::kLeftParen)) return Unexpected();
  const bool negative = At(TokenKind::kSub);
  if (At(TokenKind::kAdd) || negative) Advance();
  if (!At(TokenKind::kNumber) && !At(TokenKind::kDuration)) return Unexpected();
  TM_TRY_ASSIGN(const Number number, TakeNumber());
  if (!TakeIf(TokenKind::kRightParen)) return Unexpected();
  return negative ? -number.value : number.value;
}

Result<std::vector<std::string>> Grammar::ParseGroupingLabels() {
  constexpr std::string_view kContext = "grouping opts";
  if (!TakeIf(TokenKind::kLeftParen)) return Unexpected(kContext, "\"(\"");
  std::vector<std::string> labels;
  while (!TakeIf(TokenKind::kRightParen)) {
    TM_TRY_ASSIGN(std::string label, ParseGroupingLabel());
    labels.push_back(std::move(label));
    if (TakeIf(TokenKind::kRightParen)) break;
    if (!TakeIf(TokenKind::kComma)) return Unexpected(kContext, "\",\" or \")\"");
  }
  return labels;
}

Result<std::string> Grammar::ParseGroupingLabel() {
  const Token token = token_;
  std::string label;
  if (token.kind == TokenKind::kString) {
    label = Unquote(token.text);
  } else if (MayNameLabel(token.kind)) {
    label = token.text;
  } else {
    return Unexpected("grouping opts", "label");
  }
  Advance();
  if (label.empty() || !IsUtf8(label)) {
    return Fail(token.start, "invalid label name for grouping: " + Quote(label));
  }
  return label;
}

}  // namespace tidemark::query::promql
