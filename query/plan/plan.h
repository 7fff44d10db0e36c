// Plan: what a query does, as a tree of operators over columns, made from the syntax tree for one range of evaluation
// times. The engine walks it.
//
// Planning settles everything that does not depend on data: constants are folded; `@` and offset become absolute or
// relative times of each selector; expressions that give the same value at every step are marked, so that they are
// evaluated once; equal selectors share one slot, so that the index is asked once.
//
// A plan points into the syntax tree (matchers, label names, positions), which must outlive it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "query/promql/ast.h"
#include "query/promql/functions.h"
#include "storage/model/matcher.h"

namespace tidemark::query::plan {

// StepGrid: evaluation times start_ms, start_ms + step_ms, ... `count` of them. May be empty (count 0).
struct StepGrid {
  int64_t start_ms = 0;
  int64_t step_ms = 1;  // > 0
  size_t count = 1;

  [[nodiscard]] int64_t TimeMs(size_t step) const { return start_ms + static_cast<int64_t>(step) * step_ms; }
  [[nodiscard]] int64_t end_ms() const { return TimeMs(count == 0 ? 0 : count - 1); }
  friend bool operator==(const StepGrid&, const StepGrid&) = default;
};

enum class NodeKind : uint8_t {
  kConstant,      // number
  kText,          // string literal
  kSelect,        // instant selector: the newest sample within the look-back
  kRange,         // range selector or subquery; input of kRollup, or the whole of an instant query
  kRollup,        // function over a kRange
  kCall,          // any other function
  kNegate,        // unary minus
  kScalarBinary,  // scalar op scalar
  kVectorScalar,  // vector op scalar or scalar op vector
  kVectorBinary,  // vector op vector, set operators included
  kAggregate,
};

struct Node {
  Node(NodeKind k, promql::ValueType t, const promql::Expr& s) : kind(k), type(t), source(&s) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() = default;

  NodeKind kind;
  promql::ValueType type;
  const promql::Expr* source;  // for positions in messages
  // The same value at every step of the grid that this node is evaluated on: evaluated at one step and repeated.
  bool step_invariant = false;
  // Index in Plan::shares, for nodes that stand for an expression worth keeping.
  std::optional<size_t> share;
};

using NodePtr = std::unique_ptr<Node>;

struct ConstantNode : Node {
  static constexpr NodeKind kKind = NodeKind::kConstant;
  ConstantNode(const promql::Expr& s, double v) : Node(kKind, promql::ValueType::kScalar, s), value(v) {
    step_invariant = true;
  }
  double value;
};

struct TextNode : Node {
  static constexpr NodeKind kKind = NodeKind::kText;
  explicit TextNode(const promql::StringLiteral& s) : Node(kKind, promql::ValueType::kString, s), value(&s.value) {
    step_invariant = true;
  }
  const std::string* value;
};

// Where a selector looks, seen from evaluation time t: at `at_ms` if it is given, else at t, less `offset_ms`.
struct Reference {
  std::optional<int64_t> at_ms;
  int64_t offset_ms = 0;
  [[nodiscard]] int64_t TimeMs(int64_t eval_ms) const { return at_ms.value_or(eval_ms) - offset_ms; }
};

struct SelectNode : Node {
  static constexpr NodeKind kKind = NodeKind::kSelect;
  SelectNode(const promql::Expr& s, const promql::VectorSelector& v)
      : Node(kKind, promql::ValueType::kVector, s), selector(&v) {}
  const promql::VectorSelector* selector;
  size_t slot = 0;  // index in Plan::selectors
  Reference reference;
  // timestamp(selector): the sample's time in seconds instead of its value.
  bool timestamps = false;
  // `smoothed`: between the samples before and after, each within the look-back.
  bool smoothed = false;
};

struct RangeNode : Node {
  static constexpr NodeKind kKind = NodeKind::kRange;
  explicit RangeNode(const promql::Expr& s) : Node(kKind, promql::ValueType::kMatrix, s) {}
  const promql::VectorSelector* selector = nullptr;  // null in a subquery
  size_t slot = 0;
  NodePtr subquery;  // null in a range selector
  int64_t subquery_step_ms = 0;
  int64_t window_ms = 0;  // samples in (reference - window_ms, reference]
  // `anchored` and `smoothed`: how far samples beyond the window's start and end may be.
  int64_t before_ms = 0;
  int64_t after_ms = 0;
  Reference reference;
  bool closed = false;  // samples at the window's start too, and steps of a subquery
};

struct RollupNode : Node {
  static constexpr NodeKind kKind = NodeKind::kRollup;
  explicit RollupNode(const promql::Call& s) : Node(kKind, promql::ValueType::kVector, s), function(s.function->id) {}
  promql::FunctionId function;
  std::unique_ptr<RangeNode> range;
  std::vector<NodePtr> scalars;  // the other arguments, in order
};

struct CallNode : Node {
  static constexpr NodeKind kKind = NodeKind::kCall;
  explicit CallNode(const promql::Call& s) : Node(kKind, s.type, s), function(s.function->id) {}
  promql::FunctionId function;
  std::vector<NodePtr> args;
  // info(): the times of the info series (a SelectNode), and what is asked of them, their names included.
  NodePtr info;
  const std::vector<model::Matcher>* info_matchers = nullptr;
};

struct NegateNode : Node {
  static constexpr NodeKind kKind = NodeKind::kNegate;
  explicit NegateNode(const promql::Expr& s) : Node(kKind, s.type, s) {}
  NodePtr operand;
};

struct BinaryNode : Node {
  BinaryNode(NodeKind k, const promql::BinaryExpr& s) : Node(k, s.type, s), binary(&s) {}
  const promql::BinaryExpr* binary;
  NodePtr lhs;
  NodePtr rhs;
};

struct AggregateNode : Node {
  static constexpr NodeKind kKind = NodeKind::kAggregate;
  explicit AggregateNode(const promql::AggregateExpr& s) : Node(kKind, promql::ValueType::kVector, s), aggregate(&s) {}
  const promql::AggregateExpr* aggregate;
  std::vector<std::string> grouping;  // sorted, unique
  NodePtr operand;
  NodePtr param;
};

template <typename N>
const N& As(const Node& node) {
  return static_cast<const N&>(node);
}

// One set of matchers that the index is asked for, over the union of the times that its users need: (after, last] in
// milliseconds.
struct SelectorSlot {
  const std::vector<model::Matcher>* matchers = nullptr;
  int64_t after_ms = 0;
  int64_t last_ms = 0;
};

// Share: an expression on one grid that may occur several times in a query.
struct Share {
  size_t uses = 0;
  bool whole = false;  // one of them is an operand of an operator between vectors, which needs the whole table
};

struct Plan {
  NodePtr root;
  StepGrid grid;
  std::vector<SelectorSlot> selectors;
  std::vector<Share> shares;
  // Matchers that are not in the syntax tree.
  std::deque<std::vector<model::Matcher>> made_matchers;
};

}  // namespace tidemark::query::plan
