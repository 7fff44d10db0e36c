#include "query/plan/planner.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include <fmt/core.h>

#include "query/plan/arithmetic.h"
#include "query/promql/info_time.h"
#include "query/promql/printer.h"
#include "storage/base/hash.h"
#include "storage/model/labels.h"

namespace tidemark::query::plan {
namespace {

using promql::As;
using promql::Expr;
using promql::ExprKind;
using promql::ValueType;

// What a duration of 64 bits of nanoseconds is at most. A window of it holds all there is, and some of them may be
// added to the farthest time without overflow.
constexpr int64_t kDurationMsMax = 9'223'372'036'855;
// The farthest times from 1970 that Prometheus takes.
constexpr int64_t kTimeMsMax = 9'223'309'901'257'974'999;

// The end of the range that any time of `grid` reaches, seen through `reference`: (first - window, last].
struct Reach {
  int64_t first_ms;
  int64_t last_ms;
};

Reach ReachOf(const Reference& reference, const StepGrid& grid) {
  return {reference.TimeMs(grid.start_ms), reference.TimeMs(grid.end_ms())};
}

bool IsLiteral(const Expr& expr) {
  return expr.kind == ExprKind::kNumberLiteral || expr.kind == ExprKind::kStringLiteral;
}

// Whether each operand of the expression contains all others but for literals, so that no two can be equal. Most
// queries are like that.
bool IsChain(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kParen: return IsChain(*As<promql::ParenExpr>(expr).expr);
    case ExprKind::kUnary: return IsChain(*As<promql::UnaryExpr>(expr).expr);
    case ExprKind::kSubquery: return IsChain(*As<promql::SubqueryExpr>(expr).expr);
    case ExprKind::kBinary: {
      const auto& binary = As<promql::BinaryExpr>(expr);
      if (IsLiteral(*binary.lhs)) return IsChain(*binary.rhs);
      return IsLiteral(*binary.rhs) && IsChain(*binary.lhs);
    }
    case ExprKind::kAggregate: {
      const auto& aggregate = As<promql::AggregateExpr>(expr);
      return (aggregate.param == nullptr || IsLiteral(*aggregate.param)) && IsChain(*aggregate.expr);
    }
    case ExprKind::kCall: {
      const Expr* longer = nullptr;
      for (const promql::ExprPtr& arg : As<promql::Call>(expr).args) {
        if (IsLiteral(*arg)) continue;
        if (longer != nullptr) return false;
        longer = arg.get();
      }
      return longer == nullptr || IsChain(*longer);
    }
    default: return true;
  }
}

uint64_t HashOf(const std::vector<model::Matcher>& matchers) {
  uint64_t hash = 0;
  for (const model::Matcher& matcher : matchers) {
    hash = Hash64(matcher.name, hash + static_cast<uint64_t>(matcher.op));
    hash = Hash64(matcher.value, hash);
  }
  return hash;
}

class Planner {
 public:
  explicit Planner(const PlanOptions& options) : options_(options) { plan_.grid = options.grid; }

  Result<Plan> Run(const Expr& expr) {
    chain_ = IsChain(expr);
    TM_TRY_ASSIGN(plan_.root, BuildNode(expr, options_.grid));
    return std::move(plan_);
  }

 private:
  Result<NodePtr> BuildNode(const Expr& expr, const StepGrid& grid) {
    TM_TRY_ASSIGN(NodePtr node, BuildOwn(expr, grid));
    if (!chain_ && !node->share && WorthKeeping(*node)) NoteUse(grid, node.get());
    return node;
  }

  static bool WorthKeeping(const Node& node) {
    switch (node.kind) {
      case NodeKind::kRollup:
      case NodeKind::kVectorBinary:
      case NodeKind::kAggregate: return true;
      case NodeKind::kCall: return node.type == ValueType::kVector;
      default: return false;
    }
  }

  // Equal text on an equal grid is an equal value: start(), end() and the look-back are the whole query's.
  void NoteUse(const StepGrid& grid, Node* node) {
    // The text of deep trees is long, and there is one for each level.
    constexpr size_t kTextMax = 4096;
    if (node->source->range.end - node->source->range.start > kTextMax) return;
    const std::string key =
        fmt::format("{} {} {} {}", grid.start_ms, grid.step_ms, grid.count, promql::ToString(*node->source));
    node->share = share_of_.emplace(key, plan_.shares.size()).first->second;
    if (*node->share == plan_.shares.size()) plan_.shares.emplace_back();
    ++plan_.shares[*node->share].uses;
  }

  Result<NodePtr> BuildOwn(const Expr& expr, const StepGrid& grid) {
    switch (expr.kind) {
      case ExprKind::kNumberLiteral: {
        return NodePtr(std::make_unique<ConstantNode>(expr, As<promql::NumberLiteral>(expr).value));
      }
      case ExprKind::kStringLiteral: return NodePtr(std::make_unique<TextNode>(As<promql::StringLiteral>(expr)));
      case ExprKind::kParen: return BuildNode(*As<promql::ParenExpr>(expr).expr, grid);
      case ExprKind::kVectorSelector: return BuildSelect(As<promql::VectorSelector>(expr), expr, grid, false);
      case ExprKind::kMatrixSelector:
      case ExprKind::kSubquery: {
        TM_TRY_ASSIGN(std::unique_ptr<RangeNode> range, BuildRange(expr, grid, nullptr));
        return NodePtr(std::move(range));
      }
      case ExprKind::kUnary: return BuildUnary(As<promql::UnaryExpr>(expr), grid);
      case ExprKind::kBinary: return BuildBinary(As<promql::BinaryExpr>(expr), grid);
      case ExprKind::kAggregate: return BuildAggregate(As<promql::AggregateExpr>(expr), grid);
      case ExprKind::kCall: return BuildCall(As<promql::Call>(expr), grid);
    }
    return Unsupported("unknown kind of expression");
  }

  // start() and end() of `@` mean those of the whole query, also inside subqueries.
  [[nodiscard]] Reference Resolve(const promql::AtModifier& at, int64_t offset_ms) const {
    using Kind = promql::AtModifier::Kind;
    Reference out{.at_ms = std::nullopt, .offset_ms = std::clamp(offset_ms, -kDurationMsMax, kDurationMsMax)};
    switch (at.kind) {
      case Kind::kNone: break;
      case Kind::kTimestamp: out.at_ms = std::clamp(at.timestamp_ms, -kTimeMsMax, kTimeMsMax); break;
      case Kind::kStart: out.at_ms = options_.start_ms; break;
      case Kind::kEnd: out.at_ms = options_.end_ms; break;
    }
    return out;
  }

  // Over (t - before_ms, t + ahead_ms] of the reference's times t.
  size_t SlotFor(const std::vector<model::Matcher>& matchers, const Reference& reference, int64_t before_ms,
                 const StepGrid& grid, int64_t ahead_ms = 0) {
    Reach reach = ReachOf(reference, grid);
    reach.last_ms += ahead_ms;
    const int64_t after_ms = reach.first_ms - before_ms;
    std::vector<size_t>& alike = slots_of_[HashOf(matchers)];
    for (const size_t i : alike) {
      SelectorSlot& slot = plan_.selectors[i];
      if (*slot.matchers != matchers) continue;
      slot.after_ms = std::min(slot.after_ms, after_ms);
      slot.last_ms = std::max(slot.last_ms, reach.last_ms);
      return i;
    }
    plan_.selectors.push_back({&matchers, after_ms, reach.last_ms});
    alike.push_back(plan_.selectors.size() - 1);
    return plan_.selectors.size() - 1;
  }

  // Whether the function takes the modifier of its range.
  static Status CheckExtended(const promql::VectorSelector& selector, const promql::Call& call) {
    if (!selector.anchored && !selector.smoothed) return {};
    const auto takes = [&](const promql::FunctionSignature& function) {
      using Modifiers = promql::RangeModifiers;
      const Modifiers modifiers = function.facts.modifiers;
      return modifiers == Modifiers::kAnchoredOrSmoothed || (selector.anchored && modifiers == Modifiers::kAnchored);
    };
    if (takes(*call.function)) return {};
    std::string names;
    for (const promql::FunctionSignature& function : promql::Functions()) {
      if (takes(function)) names.append(names.empty() ? "" : ", ").append(function.name);
    }
    return InvalidArgument(fmt::format("{} modifier can only be used with: {} - not with {}",
                                       selector.anchored ? "anchored" : "smoothed", names, call.function->name));
  }

  Result<NodePtr> BuildSelect(const promql::VectorSelector& selector, const Expr& source, const StepGrid& grid,
                              bool timestamps) {
    if (selector.anchored) return InvalidArgument("anchored modifier can only be used with a range selector");
    if (selector.smoothed && timestamps) return InvalidArgument("smoothed modifier can not be used with timestamp");
    auto node = std::make_unique<SelectNode>(source, selector);
    node->reference = Resolve(selector.at, selector.offset.ms);
    node->step_invariant = node->reference.at_ms.has_value() && !timestamps;
    node->timestamps = timestamps;
    node->smoothed = selector.smoothed;
    node->slot = SlotFor(selector.matchers, node->reference, options_.lookback_ms + StartMs(), grid,
                         selector.smoothed ? options_.lookback_ms : 0);
    return NodePtr(std::move(node));
  }

  // By how much closed windows reach further back.
  [[nodiscard]] int64_t StartMs() const { return options_.closed_windows ? 1 : 0; }

  // `call`: the function around it, or null.
  Result<std::unique_ptr<RangeNode>> BuildRange(const Expr& expr, const StepGrid& grid, const promql::Call* call) {
    auto node = std::make_unique<RangeNode>(expr);
    node->closed = options_.closed_windows;
    if (const auto* matrix = promql::TryAs<promql::MatrixSelector>(expr)) {
      const promql::VectorSelector& selector = matrix->selector;
      if (call != nullptr) TM_RETURN_IF_ERROR(CheckExtended(selector, *call));
      node->selector = &matrix->selector;
      node->window_ms = std::min(matrix->window.ms, kDurationMsMax);
      node->reference = Resolve(matrix->selector.at, matrix->selector.offset.ms);
      node->before_ms = selector.anchored || selector.smoothed ? options_.lookback_ms : 0;
      node->after_ms = selector.smoothed ? options_.lookback_ms : 0;
      node->slot = SlotFor(selector.matchers, node->reference, node->window_ms + node->before_ms + StartMs(), grid,
                           node->after_ms);
    } else {
      const auto& subquery = As<promql::SubqueryExpr>(expr);
      node->window_ms = std::min(subquery.window.ms, kDurationMsMax);
      node->reference = Resolve(subquery.at, subquery.offset.ms);
      const bool own_step = subquery.step.ms != 0 || subquery.step.expr != nullptr;
      node->subquery_step_ms = own_step ? subquery.step.ms : options_.default_subquery_step_ms;
      if (node->subquery_step_ms <= 0) return InvalidArgument("the step of a subquery must be positive");
      TM_TRY_ASSIGN(node->subquery, BuildNode(*subquery.expr, SubqueryGrid(*node, grid)));
    }
    node->step_invariant = node->reference.at_ms.has_value();
    return node;
  }

  Result<NodePtr> BuildUnary(const promql::UnaryExpr& expr, const StepGrid& grid) {
    TM_TRY_ASSIGN(NodePtr operand, BuildNode(*expr.expr, grid));
    if (expr.op == promql::UnaryOp::kPlus) return operand;
    if (operand->kind == NodeKind::kConstant) {
      return NodePtr(std::make_unique<ConstantNode>(expr, -plan::As<ConstantNode>(*operand).value));
    }
    auto node = std::make_unique<NegateNode>(expr);
    node->step_invariant = operand->step_invariant;
    node->operand = std::move(operand);
    return NodePtr(std::move(node));
  }

  Result<NodePtr> BuildBinary(const promql::BinaryExpr& expr, const StepGrid& grid) {
    if (promql::IsTrim(expr.op) && expr.type == ValueType::kScalar) {
      return InvalidArgument(fmt::format("operator \"{}\" not allowed for Scalar operations", promql::Symbol(expr.op)));
    }
    TM_TRY_ASSIGN(NodePtr lhs, BuildNode(*expr.lhs, grid));
    TM_TRY_ASSIGN(NodePtr rhs, BuildNode(*expr.rhs, grid));
    if (lhs->kind == NodeKind::kConstant && rhs->kind == NodeKind::kConstant) {
      const double a = plan::As<ConstantNode>(*lhs).value;
      const double b = plan::As<ConstantNode>(*rhs).value;
      const double value =
          promql::IsComparison(expr.op) ? (Compare(expr.op, a, b) ? 1.0 : 0.0) : Calculate(expr.op, a, b);
      return NodePtr(std::make_unique<ConstantNode>(expr, value));
    }
    const bool left_vector = lhs->type == ValueType::kVector;
    const bool right_vector = rhs->type == ValueType::kVector;
    const NodeKind kind = left_vector && right_vector   ? NodeKind::kVectorBinary
                          : left_vector || right_vector ? NodeKind::kVectorScalar
                                                        : NodeKind::kScalarBinary;
    auto node = std::make_unique<BinaryNode>(kind, expr);
    node->step_invariant = lhs->step_invariant && rhs->step_invariant;
    if (kind == NodeKind::kVectorBinary) {
      for (const Node* side : {lhs.get(), rhs.get()}) {
        if (side->share) plan_.shares[*side->share].whole = true;
      }
    }
    node->lhs = std::move(lhs);
    node->rhs = std::move(rhs);
    return NodePtr(std::move(node));
  }

  Result<NodePtr> BuildAggregate(const promql::AggregateExpr& expr, const StepGrid& grid) {
    auto node = std::make_unique<AggregateNode>(expr);
    node->grouping = expr.grouping;
    std::ranges::sort(node->grouping);
    node->grouping.erase(std::ranges::unique(node->grouping).begin(), node->grouping.end());
    TM_TRY_ASSIGN(node->operand, BuildNode(*expr.expr, grid));
    node->step_invariant = node->operand->step_invariant;
    if (expr.param) {
      TM_TRY_ASSIGN(node->param, BuildNode(*expr.param, grid));
      node->step_invariant = node->step_invariant && node->param->step_invariant;
    }
    return NodePtr(std::move(node));
  }

  Result<NodePtr> BuildCall(const promql::Call& call, const StepGrid& grid) {
    const promql::FunctionFacts& facts = call.function->facts;
    const bool rollup = std::ranges::any_of(call.args, [](const auto& arg) { return arg->type == ValueType::kMatrix; });
    if (rollup) return BuildRollup(call, grid);
    if (facts.of_sample_times) {
      const Expr& arg = promql::SkipParens(*call.args[0]);
      // The time of the sample itself, which an evaluated vector does not have any more.
      if (const auto* selector = promql::TryAs<promql::VectorSelector>(arg)) {
        return BuildSelect(*selector, call, grid, true);
      }
    }
    auto node = std::make_unique<CallNode>(call);
    node->step_invariant = !facts.of_time;
    if (facts.joins_info) BuildInfo(call, grid, node.get());
    for (const auto& arg : call.args) {
      if (node->info && arg != call.args.front()) break;
      TM_TRY_ASSIGN(NodePtr built, BuildNode(*arg, grid));
      node->step_invariant = node->step_invariant && built->step_invariant;
      node->args.push_back(std::move(built));
    }
    return NodePtr(std::move(node));
  }

  // The info series stand at the time that the first argument's samples come from.
  void BuildInfo(const promql::Call& call, const StepGrid& grid, CallNode* node) {
    static const std::vector<model::Matcher> kNone;
    const auto* labels =
        call.args.size() > 1 ? &As<promql::VectorSelector>(promql::SkipParens(*call.args[1])) : nullptr;
    std::vector<model::Matcher> matchers = labels != nullptr ? labels->matchers : kNone;
    bool named = false;
    bool positive = false;
    for (const model::Matcher& matcher : matchers) {
      if (matcher.name != model::kMetricNameLabel) continue;
      named = true;
      positive = positive || matcher.op == model::MatchOp::kEqual || matcher.op == model::MatchOp::kRegex;
    }
    const std::string name(model::kMetricNameLabel);
    if (!named) {
      matchers.push_back({model::MatchOp::kEqual, name, "target_info"});
    } else if (!positive) {
      // A name that is not to be: of all that are called info.
      matchers.push_back({model::MatchOp::kRegex, name, ".+_info"});
    }
    const auto& made = plan_.made_matchers.emplace_back(std::move(matchers));
    node->info_matchers = &made;
    static const promql::VectorSelector kPlain;
    auto select = std::make_unique<SelectNode>(call, labels != nullptr ? *labels : kPlain);
    select->timestamps = true;
    const promql::InfoTime time = promql::InfoTimeOf(*call.args.front());
    select->reference = Resolve(time.at, time.offset_ms);
    select->slot = SlotFor(made, select->reference, options_.lookback_ms, grid);
    node->info = std::move(select);
  }

  Result<NodePtr> BuildRollup(const promql::Call& call, const StepGrid& grid) {
    auto node = std::make_unique<RollupNode>(call);
    node->step_invariant = !call.function->facts.of_time;
    for (const auto& arg : call.args) {
      if (arg->type == ValueType::kMatrix) {
        TM_TRY_ASSIGN(node->range, BuildRange(promql::SkipParens(*arg), grid, &call));
        node->step_invariant = node->step_invariant && node->range->step_invariant;
      } else {
        TM_TRY_ASSIGN(NodePtr built, BuildNode(*arg, grid));
        node->step_invariant = node->step_invariant && built->step_invariant;
        node->scalars.push_back(std::move(built));
      }
    }
    return NodePtr(std::move(node));
  }

  const PlanOptions& options_;
  Plan plan_;
  bool chain_ = false;
  std::unordered_map<std::string, size_t> share_of_;
  std::unordered_map<uint64_t, std::vector<size_t>> slots_of_;  // by HashOf their matchers
};

}  // namespace

StepGrid SubqueryGrid(const RangeNode& range, const StepGrid& outer) {
  const Reach reach = ReachOf(range.reference, outer);
  const int64_t step = range.subquery_step_ms;
  // Windows of subqueries inside each other add up; beyond the ends there are no times.
  const int64_t after = std::max(reach.first_ms - range.window_ms, -kTimeMsMax);
  // The first multiple of the step that is greater than `after`, or it where windows are closed; division rounds
  // towards zero.
  int64_t start = after / step * step;
  if (start < after || (start == after && !range.closed)) start += step;
  StepGrid grid{.start_ms = start, .step_ms = step, .count = 0};
  const int64_t last = std::min(reach.last_ms, kTimeMsMax);
  if (outer.count > 0 && last >= start) grid.count = static_cast<size_t>((last - start) / step) + 1;
  return grid;
}

Result<Plan> Build(const Expr& expr, const PlanOptions& options) { return Planner(options).Run(expr); }

}  // namespace tidemark::query::plan
