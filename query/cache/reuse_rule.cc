#include "query/cache/reuse_rule.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "query/promql/functions.h"
#include "query/promql/info_time.h"
#include "query/promql/printer.h"

namespace tidemark::query::cache {
namespace {

using promql::AggregateOp;
using promql::As;
using promql::AtModifier;
using promql::Expr;
using promql::ExprKind;
using run::QueryContext;
using run::RangeSpec;
using run::Resolution;

// Beyond these ends lies no data, and sums of a few such numbers do not overflow.
constexpr int64_t kFarMs = 100'000'000'000'000'000;

int64_t Near(int64_t ms) { return std::clamp(ms, -kFarMs, kFarMs); }

// Evaluation times of a part of the query: seen from step t they lie in [t + first, t + last], or they are the same for
// all steps and lie in [first, last].
struct Times {
  int64_t first_ms = 0;
  int64_t last_ms = 0;
  bool fixed = false;
};

class RuleFinder {
 public:
  explicit RuleFinder(int64_t lookback_ms) : lookback_ms_(lookback_ms) {}

  // Whether there is a rule for `expr` evaluated at `times`.
  bool Visit(const Expr& expr, const Times& times) {
    switch (expr.kind) {
      case ExprKind::kNumberLiteral:
      case ExprKind::kStringLiteral: return true;
      case ExprKind::kVectorSelector: return VisitSelector(As<promql::VectorSelector>(expr), times, lookback_ms_);
      case ExprKind::kMatrixSelector: {
        const auto& matrix = As<promql::MatrixSelector>(expr);
        lengths_ += fmt::format(" {}", matrix.window.ms);
        const bool extended = matrix.selector.anchored || matrix.selector.smoothed;
        return VisitSelector(matrix.selector, times, Near(matrix.window.ms) + (extended ? lookback_ms_ : 0));
      }
      case ExprKind::kSubquery: return VisitSubquery(As<promql::SubqueryExpr>(expr), times);
      case ExprKind::kParen: return Visit(*As<promql::ParenExpr>(expr).expr, times);
      case ExprKind::kUnary: return Visit(*As<promql::UnaryExpr>(expr).expr, times);
      case ExprKind::kBinary: {
        const auto& binary = As<promql::BinaryExpr>(expr);
        return Visit(*binary.lhs, times) && Visit(*binary.rhs, times);
      }
      case ExprKind::kAggregate: return VisitAggregate(As<promql::AggregateExpr>(expr), times);
      case ExprKind::kCall: return VisitCall(As<promql::Call>(expr), times);
    }
    return false;
  }

  [[nodiscard]] bool reads_data() const { return any_ || !rule_.fixed.empty(); }
  [[nodiscard]] const std::string& lengths() const { return lengths_; }
  ReuseRule Take() { return std::move(rule_); }

 private:
  bool VisitSelector(const promql::VectorSelector& selector, const Times& times, int64_t back_ms) {
    Times seen;
    if (!See(selector.at, selector.offset.ms, times, &seen)) return false;
    Read(seen, back_ms, selector.smoothed ? lookback_ms_ : 0);
    return true;
  }

  bool VisitSubquery(const promql::SubqueryExpr& subquery, const Times& times) {
    Times seen;
    if (!See(subquery.at, subquery.offset.ms, times, &seen)) return false;
    lengths_ += fmt::format(" {} {}", subquery.window.ms, subquery.step.ms);
    seen.first_ms = Near(seen.first_ms - Near(subquery.window.ms));
    return Visit(*subquery.expr, seen);
  }

  bool VisitAggregate(const promql::AggregateExpr& aggregate, const Times& times) {
    switch (aggregate.op) {
      case AggregateOp::kStddev:
      case AggregateOp::kStdvar:
      case AggregateOp::kLimitk: return false;
      default: break;
    }
    return Visit(*aggregate.expr, times) && (!aggregate.param || Visit(*aggregate.param, times));
  }

  bool VisitCall(const promql::Call& call, const Times& times) {
    const promql::FunctionFacts& facts = call.function->facts;
    if (!facts.cacheable) return false;
    if (facts.joins_info) {
      // The second argument only names the info series.
      const promql::InfoTime info = promql::InfoTimeOf(*call.args.front());
      Times seen;
      if (!See(info.at, info.offset_ms, times, &seen)) return false;
      Read(seen, lookback_ms_, 0);
      return Visit(*call.args.front(), times);
    }
    return std::ranges::all_of(call.args, [&](const promql::ExprPtr& arg) { return Visit(*arg, times); });
  }

  // The times at which a selector with these modifiers looks.
  bool See(const AtModifier& at, int64_t offset_ms, const Times& times, Times* seen) {
    if (at.kind == AtModifier::Kind::kStart || at.kind == AtModifier::Kind::kEnd) return false;
    lengths_ += fmt::format(" {}", offset_ms);
    *seen = times;
    if (at.kind == AtModifier::Kind::kTimestamp) *seen = {Near(at.timestamp_ms), Near(at.timestamp_ms), true};
    seen->first_ms = Near(seen->first_ms - Near(offset_ms));
    seen->last_ms = Near(seen->last_ms - Near(offset_ms));
    return true;
  }

  void Read(const Times& times, int64_t back_ms, int64_t ahead_ms) {
    const int64_t after_ms = Near(times.first_ms - Near(back_ms));
    const int64_t last_ms = Near(times.last_ms + ahead_ms);
    if (times.fixed) {
      rule_.fixed.push_back({after_ms, last_ms});
      return;
    }
    rule_.before_ms = any_ ? std::max(rule_.before_ms, -after_ms) : -after_ms;
    rule_.after_ms = any_ ? std::max(rule_.after_ms, last_ms) : last_ms;
    any_ = true;
  }

  const int64_t lookback_ms_;
  ReuseRule rule_;
  bool any_ = false;  // whether the rule has times that move with the steps
  std::string lengths_;
};

}  // namespace

std::optional<ReuseRule> FindReuseRule(const Expr& expr, const RangeSpec& range, const QueryContext& context) {
  if (range.instant || range.step_ms <= 0) return std::nullopt;
  if (context.resolution.kind == Resolution::Kind::kTier) return std::nullopt;
  RuleFinder finder(Near(context.lookback_ms));
  if (!finder.Visit(expr, {}) || !finder.reads_data()) return std::nullopt;
  ReuseRule rule = finder.Take();
  int64_t phase = range.start_ms % range.step_ms;
  if (phase < 0) phase += range.step_ms;
  // Lengths stand beside the text, which may have step() in them.
  rule.name = fmt::format(
      "{} {} {} {} {}{} {}", range.step_ms, phase, context.lookback_ms, context.default_subquery_step_ms,
      context.resolution.kind == Resolution::Kind::kRaw ? "raw" : "auto", finder.lengths(), promql::ToString(expr));
  return rule;
}

}  // namespace tidemark::query::cache
