// The PromQL syntax tree, as Parse (parser.h) returns it: checked for types, not yet planned.
//
//   switch (expr.kind) {
//     case ExprKind::kCall: return PlanCall(As<Call>(expr));
//     ...
//   }
//
// Plain structs. A node owns its children; nothing in it points into the query text. Trees are at most
// ParseOptions::height_max high, so that walking and freeing them recursively is safe. A finished tree may be read from
// any number of threads.
//
// Times and durations are int64 milliseconds. Source: https://prometheus.io/docs/prometheus/latest/querying/basics/
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/matcher.h"

namespace tidemark::query::promql {

struct FunctionSignature;  // functions.h

// What an expression yields: one number, a set of series with one sample each, a set of series with a range of
// samples each, or a text.
enum class ValueType : uint8_t { kScalar, kVector, kMatrix, kString };

// "scalar", "instant vector", "range vector", "string": the words of error messages.
std::string_view Phrase(ValueType type);

// "scalar", "vector", "matrix", "string": the words of the HTTP API's resultType.
std::string_view Name(ValueType type);

// Byte offsets into the query text: `start` inclusive, `end` exclusive.
struct SourceRange {
  uint32_t start = 0;
  uint32_t end = 0;
  friend bool operator==(const SourceRange&, const SourceRange&) = default;
};

enum class ExprKind : uint8_t {
  kNumberLiteral,
  kStringLiteral,
  kVectorSelector,
  kMatrixSelector,
  kSubquery,
  kParen,
  kUnary,
  kBinary,
  kAggregate,
  kCall,
};

struct Expr {
  Expr(ExprKind k, ValueType t) : kind(k), type(t) {}
  Expr(const Expr&) = delete;
  Expr& operator=(const Expr&) = delete;
  Expr(Expr&&) = default;
  Expr& operator=(Expr&&) = default;
  virtual ~Expr() = default;

  ExprKind kind;
  ValueType type;       // final after Parse; kParen and kUnary take their operand's
  uint32_t height = 1;  // 1 for a leaf
  SourceRange range;
};

using ExprPtr = std::unique_ptr<Expr>;

// `expr` as the node type `Node`. The kind must be Node::kKind; check `expr.kind` first.
template <typename Node>
const Node& As(const Expr& expr) {
  return static_cast<const Node&>(expr);
}
template <typename Node>
Node& As(Expr& expr) {
  return static_cast<Node&>(expr);
}

// `expr` as `Node`, or nullptr when it is of another kind.
template <typename Node>
const Node* TryAs(const Expr& expr) {
  return expr.kind == Node::kKind ? &As<Node>(expr) : nullptr;
}
template <typename Node>
Node* TryAs(Expr& expr) {
  return expr.kind == Node::kKind ? &As<Node>(expr) : nullptr;
}

// The expression inside any number of parentheses.
const Expr& SkipParens(const Expr& expr);

// DurationExpr: arithmetic on durations, as in [5m * 2] or offset (step() + 1m). The operands are seconds. step() and
// range() are known only when a query runs; everything else is folded while parsing.
struct DurationExpr {
  enum class Op : uint8_t { kLiteral, kStep, kRange, kNegate, kAdd, kSub, kMul, kDiv, kMod, kPow, kMinOf, kMaxOf };
  Op op = Op::kLiteral;
  bool in_parens = false;             // written inside parentheses; kept for printing
  bool is_duration = false;           // kLiteral: written with units (5m) rather than as a number (300)
  double seconds = 0;                 // kLiteral
  std::unique_ptr<DurationExpr> lhs;  // absent in kLiteral, kStep and kRange; the operand of kNegate
  std::unique_ptr<DurationExpr> rhs;  // only in the binary ones, kMinOf and kMaxOf
  SourceRange range;
};

// Duration: a length in a selector or subquery. `ms` is final after Parse unless `expr` asks for step() or range();
// ResolveDurations (durations.h) then sets it for one query.
struct Duration {
  int64_t ms = 0;
  std::unique_ptr<DurationExpr> expr;  // only where the text is more than one literal
};

// AtModifier: `@ 1609746000`, `@ start()`, `@ end()`.
struct AtModifier {
  enum class Kind : uint8_t { kNone, kTimestamp, kStart, kEnd };
  Kind kind = Kind::kNone;
  int64_t timestamp_ms = 0;  // kTimestamp
  friend bool operator==(const AtModifier&, const AtModifier&) = default;
};

struct NumberLiteral : Expr {
  static constexpr ExprKind kKind = ExprKind::kNumberLiteral;
  NumberLiteral() : Expr(kKind, ValueType::kScalar) {}
  double value = 0;
  bool is_duration = false;  // written with units, as 5m (= 300); kept for printing
};

struct StringLiteral : Expr {
  static constexpr ExprKind kKind = ExprKind::kStringLiteral;
  StringLiteral() : Expr(kKind, ValueType::kString) {}
  std::string value;  // unescaped; any bytes
};

// VectorSelector: metric{label="value"} offset 5m @ end().
struct VectorSelector : Expr {
  static constexpr ExprKind kKind = ExprKind::kVectorSelector;
  VectorSelector() : Expr(kKind, ValueType::kVector) {}
  // The metric name as written before the braces, empty when there is none or it stands inside them. It is in
  // `matchers` too, so that planning needs only those.
  std::string name;
  // All conditions, the name's as __name__ included; at least one of them does not match the empty string, except in
  // the second argument of info(). Regular expressions are known to compile. In source order, the name before the
  // braces last.
  std::vector<model::Matcher> matchers;
  Duration offset;  // positive: look back; negative: look ahead
  AtModifier at;
  bool anchored = false;  // experimental range modifiers; meaningful in a MatrixSelector, smoothed also alone
  bool smoothed = false;
  // The range of the matrix selector, when this is inside one, is in MatrixSelector.
};

// MatrixSelector: metric{...}[5m]. The selector carries offset and @.
struct MatrixSelector : Expr {
  static constexpr ExprKind kKind = ExprKind::kMatrixSelector;
  MatrixSelector() : Expr(kKind, ValueType::kMatrix) {}
  VectorSelector selector;
  Duration window;  // > 0; samples in (t - window, t]
};

// SubqueryExpr: expr[1h:5m] offset 1d @ start().
struct SubqueryExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kSubquery;
  SubqueryExpr() : Expr(kKind, ValueType::kMatrix) {}
  ExprPtr expr;     // yields an instant vector
  Duration window;  // > 0
  Duration step;    // 0: the default, the global evaluation interval
  Duration offset;
  AtModifier at;
};

struct ParenExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kParen;
  ParenExpr() : Expr(kKind, ValueType::kScalar) {}
  ExprPtr expr;
};

enum class UnaryOp : uint8_t { kPlus, kMinus };

struct UnaryExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kUnary;
  UnaryExpr() : Expr(kKind, ValueType::kScalar) {}
  UnaryOp op = UnaryOp::kMinus;
  ExprPtr expr;  // scalar or instant vector
};

enum class BinaryOp : uint8_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kAtan2,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAnd,
  kOr,
  kUnless,
  kTrimUpper,  // </ and
  kTrimLower,  // >/: native histograms only, experimental
};

// "+", "atan2", "unless", ...: as written.
std::string_view Symbol(BinaryOp op);
constexpr bool IsComparison(BinaryOp op) { return op >= BinaryOp::kEqual && op <= BinaryOp::kGreaterEqual; }
constexpr bool IsTrim(BinaryOp op) { return op == BinaryOp::kTrimUpper || op == BinaryOp::kTrimLower; }
constexpr bool IsSetOperator(BinaryOp op) { return op >= BinaryOp::kAnd && op <= BinaryOp::kUnless; }

enum class MatchCardinality : uint8_t { kOneToOne, kManyToOne, kOneToMany, kManyToMany };

// VectorMatching: how samples of two vectors find each other.
struct VectorMatching {
  MatchCardinality card = MatchCardinality::kOneToOne;  // kManyToMany exactly for the set operators
  bool on = false;                                      // `labels` are the ones compared; otherwise the ones left out
  std::vector<std::string> labels;
  std::vector<std::string> include;  // group_left(...) or group_right(...): labels copied from the "one" side
  std::optional<double> fill_left;   // experimental: the value of a sample missing on that side
  std::optional<double> fill_right;
};

struct BinaryExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kBinary;
  BinaryExpr() : Expr(kKind, ValueType::kVector) {}
  BinaryOp op = BinaryOp::kAdd;
  bool return_bool = false;
  ExprPtr lhs;  // both sides are scalars or instant vectors
  ExprPtr rhs;
  std::optional<VectorMatching> matching;  // present exactly when both sides are instant vectors
};

enum class AggregateOp : uint8_t {
  kSum,
  kAvg,
  kCount,
  kMin,
  kMax,
  kGroup,
  kStddev,
  kStdvar,
  kTopk,
  kBottomk,
  kCountValues,
  kQuantile,
  kLimitk,
  kLimitRatio,
};

// "sum", "count_values", ...
std::string_view Name(AggregateOp op);

struct AggregateExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kAggregate;
  AggregateExpr() : Expr(kKind, ValueType::kVector) {}
  AggregateOp op = AggregateOp::kSum;
  ExprPtr expr;   // yields an instant vector
  ExprPtr param;  // topk, bottomk, limitk, limit_ratio and quantile: scalar; count_values: string; otherwise null
  std::vector<std::string> grouping;
  bool without = false;  // `grouping` are the labels left out; otherwise the ones kept
};

struct Call : Expr {
  static constexpr ExprKind kKind = ExprKind::kCall;
  Call() : Expr(kKind, ValueType::kVector) {}
  const FunctionSignature* function = nullptr;  // a row of the table in functions.cc, never null after Parse
  std::vector<ExprPtr> args;                    // as many as written; types checked against the signature
};

}  // namespace tidemark::query::promql
