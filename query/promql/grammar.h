// Grammar: the recursive descent over one query text. Private to the parser; parser.h is the way in.
//
// Expressions climb precedences (Pratt); each other construct has one function. Where upstream's generated parser would
// recover from an error, its words depend on the innermost construct that has an error rule: that is what the context
// and the expectation given to Unexpected are, and why aggregations are counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/promql/ast.h"
#include "query/promql/lexer.h"
#include "query/promql/parser.h"
#include "query/promql/token.h"
#include "storage/base/result.h"

namespace tidemark::query::promql {

class Grammar {
 public:
  Grammar(std::string_view text, const ParseOptions& options);

  // One expression up to the end of the text, its types not checked yet.
  Result<ExprPtr> WholeExpr();

  // One vector selector without modifiers up to the end of the text.
  Result<std::unique_ptr<VectorSelector>> WholeSelector();

 private:
  using DurationPtr = std::unique_ptr<DurationExpr>;

  // Where a duration stands decides what an error expects.
  struct DurationPlace {
    std::string_view context;
    std::string_view expected;
  };

  struct Number {
    double value = 0;
    bool is_duration = false;  // seconds, written with units
  };

  // One level of nesting; gives it back at the end of the scope.
  class Nested {
   public:
    explicit Nested(Grammar& grammar) : grammar_(grammar) { ++grammar_.depth_; }
    ~Nested() { --grammar_.depth_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;
    Status Check() const;

   private:
    Grammar& grammar_;
  };

  // grammar_chain.cc: the operands of one operator, as far as they have been read, and the links between them.
  struct Chain {
    std::unique_ptr<BinaryExpr> link;  // as the last one; its sides are null
    std::vector<ExprPtr> operands;
  };
  // Takes a link whose right side has been read; the left one is the chain.
  Status Extend(Chain* chain, std::unique_ptr<BinaryExpr> link) const;
  Result<ExprPtr> FinishChain(Chain chain) const;
  Result<ExprPtr> Balance(const BinaryExpr& link, std::span<ExprPtr> operands) const;
  Result<ExprPtr> Join(std::unique_ptr<BinaryExpr> link, ExprPtr lhs, ExprPtr rhs) const;

  // Tokens.
  void Advance();
  bool TakeIf(TokenKind kind);
  bool At(TokenKind kind) const { return token_.kind == kind; }
  bool AtExprStart() const;

  // Errors.
  Error Fail(uint32_t offset, std::string_view message) const;
  Error Unexpected() const;
  Error Unexpected(std::string_view context, std::string_view expected) const;
  Error Unexpected(const DurationPlace& place) const { return Unexpected(place.context, place.expected); }
  std::string MetricsQlHint() const;
  Status Grow(Expr& parent, const Expr& child) const;

  // grammar_expr.cc
  Result<ExprPtr> ParseExpr(int precedence_min);
  Result<ExprPtr> ParseOperand();
  Result<ExprPtr> ParseUnary();
  Result<ExprPtr> ParsePrimary();
  Result<ExprPtr> ParseParen();
  Result<ExprPtr> ParseNumber();
  Result<ExprPtr> ParseString();
  Result<ExprPtr> ParseWord();
  Result<ExprPtr> ParseCall(const Token& name);
  Result<ExprPtr> ParseAggregate(const Token& op);
  Result<std::vector<ExprPtr>> ParseArguments();
  Status ParseGroupingOf(AggregateExpr& aggregate);
  Status ParseBinaryModifiers(BinaryExpr& binary);
  Status ParseFill(BinaryExpr& binary);
  Result<double> ParseFillValue();
  Result<std::vector<std::string>> ParseGroupingLabels();
  Result<std::string> ParseGroupingLabel();
  Result<Number> TakeNumber();

  // grammar_selector.cc
  Result<std::unique_ptr<VectorSelector>> ParseSelector(const Token* name);
  Status ParseMatchers(VectorSelector& selector);
  Result<model::Matcher> ParseMatcher();
  Result<ExprPtr> ParseModifiers(ExprPtr expr);
  Result<ExprPtr> ParseBrackets(ExprPtr expr);
  Result<ExprPtr> FinishRange(ExprPtr expr, const Token& bracket, DurationPtr window);
  Result<ExprPtr> FinishSubquery(ExprPtr expr, DurationPtr window);
  Status ParseOffset(Expr& expr);
  Status ParseAt(Expr& expr);
  Status ParseExtendedRange(Expr& expr);

  // grammar_duration.cc
  Result<DurationPtr> ParseDuration(const DurationPlace& place, int precedence_min);
  Result<DurationPtr> ParseDurationUnary(const DurationPlace& place);
  Result<DurationPtr> ParseDurationPrimary(const DurationPlace& place);
  Result<DurationPtr> ParseDurationCall(const DurationPlace& place);
  Result<DurationPtr> ParseOffsetDuration();
  Result<DurationPtr> ParseDurationLiteral(uint32_t start, bool negative);
  Result<DurationPtr> NewDuration(DurationExpr::Op op, uint32_t start);
  Status RequireDurationExpressions(const DurationExpr& expr) const;
  Result<Duration> FinishWindow(DurationPtr expr) const;
  Result<Duration> FinishOffset(DurationPtr expr) const;

  std::string_view text_;
  const ParseOptions& options_;
  Lexer lexer_;
  Token token_;             // the next one
  uint32_t taken_end_ = 0;  // where the last taken one ends
  size_t depth_ = 0;
  size_t aggregations_ = 0;    // that are being parsed, one in another
  size_t duration_nodes_ = 0;  // of the duration that is being parsed
};

}  // namespace tidemark::query::promql
