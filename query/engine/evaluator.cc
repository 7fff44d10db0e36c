#include "query/engine/evaluator.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/core.h>

#include "query/operators/aggregate.h"
#include "query/operators/aggregate_rank.h"
#include "query/operators/matching.h"
#include "query/plan/arithmetic.h"
#include "query/plan/planner.h"
#include "query/promql/quote.h"
#include "query/scan/pooled_quantile.h"
#include "storage/base/check.h"
#include "storage/base/mutex.h"

namespace tidemark::query::engine {

using frame::Frame;
using frame::NameFate;
using frame::RowHead;
using functions::CallArguments;
using functions::FoldUse;
using functions::JoinInfo;
using functions::Kernel;
using functions::KernelFor;
using functions::MapTimestamp;
using operators::AggregateRanked;
using operators::CombineSets;
using operators::IsRunningAggregate;
using operators::MatchVectors;
using operators::RunningAggregation;
using plan::As;
using plan::Node;
using plan::NodeKind;
using plan::StepGrid;
using promql::ValueType;
using run::OperatorTime;
using run::QueryState;
using run::Reservation;
using scan::BlockSink;
using scan::BlockSize;
using scan::FindSeries;
using scan::ForEachBlock;
using scan::SeriesSource;

namespace {

std::string OperatorName(const Node& node) {
  switch (node.kind) {
    case NodeKind::kConstant: return "number";
    case NodeKind::kText: return "string";
    case NodeKind::kSelect: return "select";
    case NodeKind::kRange: return "range";
    case NodeKind::kRollup: return std::string(promql::Signature(As<plan::RollupNode>(node).function).name);
    case NodeKind::kCall: return std::string(promql::Signature(As<plan::CallNode>(node).function).name);
    case NodeKind::kNegate: return "-";
    case NodeKind::kScalarBinary:
    case NodeKind::kVectorScalar:
    case NodeKind::kVectorBinary: return std::string(promql::Symbol(As<plan::BinaryNode>(node).binary->op));
    case NodeKind::kAggregate: return std::string(promql::Name(As<plan::AggregateNode>(node).aggregate->op));
  }
  return "";
}

}  // namespace

// Measures one operator: its own time is what passed less what operators inside it took.
class OperatorTimer {
 public:
  OperatorTimer(Evaluator* evaluator, const Node& node, const StepGrid& grid, bool reused = false)
      : evaluator_(evaluator),
        index_(evaluator->times_.size()),
        started_(Now()),
        inner_before_(std::exchange(evaluator->inner_, {})) {
    OperatorTime& time = evaluator_->times_.emplace_back();
    time.name = OperatorName(node);
    time.depth = evaluator_->depth_++;
    time.steps = grid.count;
    time.reused = reused;
    const std::string_view query = evaluator_->state_->context().text;
    const promql::SourceRange& range = node.source->range;
    if (range.start < range.end && range.end <= query.size()) {
      time.text = query.substr(range.start, range.end - range.start);
    }
  }
  OperatorTimer(const OperatorTimer&) = delete;
  OperatorTimer& operator=(const OperatorTimer&) = delete;
  ~OperatorTimer() {
    const Evaluator::Work now = Now();
    const Evaluator::Work inner = evaluator_->inner_;
    OperatorTime& time = evaluator_->times_[index_];
    time.self_ns = now.ns - started_.ns - inner.ns;
    time.samples = now.samples - started_.samples - inner.samples;
    time.tier_buckets = now.tier_buckets - started_.tier_buckets - inner.tier_buckets;
    evaluator_->inner_ = {.ns = inner_before_.ns + now.ns - started_.ns,
                          .samples = inner_before_.samples + now.samples - started_.samples,
                          .tier_buckets = inner_before_.tier_buckets + now.tier_buckets - started_.tier_buckets};
    --evaluator_->depth_;
  }

 private:
  [[nodiscard]] Evaluator::Work Now() const {
    const QueryState& state = *evaluator_->state_;
    return {.ns = state.clock().SteadyNs(), .samples = state.samples(), .tier_buckets = state.tier_buckets()};
  }

  Evaluator* evaluator_;
  size_t index_;
  Evaluator::Work started_;
  Evaluator::Work inner_before_;
};

Result<HeldFrame> Evaluator::Held(Frame&& frame) {
  TM_RETURN_IF_ERROR(state_->CheckPoints(frame.size(), frame.steps));
  HeldFrame held{.frame = std::move(frame), .memory = Reservation(state_)};
  TM_RETURN_IF_ERROR(held.Recount());
  return held;
}

Result<const SeriesSource*> Evaluator::Source(size_t slot) {
  if (!sources_[slot]) {
    TM_TRY_ASSIGN(SeriesSource source, FindSeries(plan_.selectors[slot], state_));
    sources_[slot] = std::make_unique<SeriesSource>(std::move(source));
  }
  return sources_[slot].get();
}

Result<std::vector<double>> Evaluator::Scalar(const Node& node, const StepGrid& grid) {
  TM_RETURN_IF_ERROR(state_->CheckInterrupt());
  if (node.kind == NodeKind::kConstant) return std::vector<double>(grid.count, As<plan::ConstantNode>(node).value);
  if (node.step_invariant && grid.count > 1) {
    TM_TRY_ASSIGN(const std::vector<double> once, Scalar(node, FirstStep(grid)));
    return std::vector<double>(grid.count, once[0]);
  }
  const OperatorTimer timer(this, node, grid);
  if (node.kind == NodeKind::kNegate) {
    TM_TRY_ASSIGN(std::vector<double> values, Scalar(*As<plan::NegateNode>(node).operand, grid));
    for (double& value : values) value = -value;
    return values;
  }
  if (node.kind == NodeKind::kScalarBinary) {
    const auto& binary = As<plan::BinaryNode>(node);
    const promql::BinaryOp op = binary.binary->op;
    TM_TRY_ASSIGN(std::vector<double> a, Scalar(*binary.lhs, grid));
    TM_TRY_ASSIGN(const std::vector<double> b, Scalar(*binary.rhs, grid));
    for (size_t i = 0; i < a.size(); ++i) {
      a[i] = promql::IsComparison(op) ? (plan::Compare(op, a[i], b[i]) ? 1.0 : 0.0) : plan::Calculate(op, a[i], b[i]);
    }
    return a;
  }
  TM_CHECK(node.kind == NodeKind::kCall);
  const auto& call = As<plan::CallNode>(node);
  TM_TRY_ASSIGN(const Scalars scalars, EvaluateScalars(call.args, grid));
  Frame frame(grid.count);
  std::optional<Reservation> memory;
  for (const plan::NodePtr& arg : call.args) {
    if (arg->type != ValueType::kVector) continue;
    TM_TRY_ASSIGN(HeldFrame held, Vector(*arg, grid));
    frame = std::move(held.frame);
    memory.emplace(std::move(held.memory));
  }
  std::vector<double> out(grid.count);
  const CallArguments arguments{
      .node = call, .grid = grid, .query = query_, .scalars = scalars.pointers, .state = state_};
  KernelFor(call.function).scalar(arguments, frame, out);
  return out;
}

Result<Evaluator::Scalars> Evaluator::EvaluateScalars(const std::vector<plan::NodePtr>& args, const StepGrid& grid) {
  Scalars out;
  out.columns.resize(args.size());
  out.pointers.resize(args.size(), nullptr);
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i]->type != ValueType::kScalar) continue;
    TM_TRY_ASSIGN(out.columns[i], Scalar(*args[i], grid));
    out.pointers[i] = out.columns[i].data();
  }
  return out;
}

bool Evaluator::Streams(const Node& node) {
  switch (node.kind) {
    case NodeKind::kSelect:
    case NodeKind::kNegate:
    case NodeKind::kVectorScalar: return true;
    case NodeKind::kRollup: return KernelFor(As<plan::RollupNode>(node).function).fold_use == FoldUse::kEachSeries;
    case NodeKind::kCall: {
      const auto& call = As<plan::CallNode>(node);
      const bool has_vector =
          std::ranges::any_of(call.args, [](const plan::NodePtr& arg) { return arg->type == ValueType::kVector; });
      return has_vector && KernelFor(call.function).map != nullptr;
    }
    default: return false;
  }
}

Result<HeldFrame> Evaluator::Vector(const Node& node, const StepGrid& grid) {
  TM_RETURN_IF_ERROR(state_->CheckInterrupt());
  if (node.step_invariant && grid.count > 1) return Repeat(node, grid);
  return node.share && IsShared(node) ? SharedVector(*node.share, node, grid) : Compute(node, grid);
}

bool Evaluator::IsShared(const Node& node) const {
  if (!node.share) return false;
  const plan::Share& share = plan_.shares[*node.share];
  return share.uses > 1 && (share.whole || !Streams(node));
}

Result<HeldFrame> Evaluator::Copy(const Frame& frame) {
  Reservation memory(state_);
  TM_RETURN_IF_ERROR(memory.Set(frame.bytes()));
  return HeldFrame{.frame = frame, .memory = std::move(memory)};
}

Result<HeldFrame> Evaluator::SharedVector(size_t share, const Node& node, const StepGrid& grid) {
  const auto kept = kept_.find(share);
  if (kept != kept_.end() && kept->second.grid == grid) {
    const OperatorTimer timer(this, node, grid, true);
    state_->SayAgain(*kept->second.source, *node.source);
    return Copy(kept->second.held.frame);
  }
  TM_TRY_ASSIGN(HeldFrame held, Compute(node, grid));
  TM_TRY_ASSIGN(HeldFrame copy, Copy(held.frame));
  kept_.insert_or_assign(share, Kept{.grid = grid, .held = std::move(copy), .source = node.source});
  return held;
}

Result<HeldFrame> Evaluator::Compute(const Node& node, const StepGrid& grid) {
  if (Streams(node)) return Collect(node, grid);
  const OperatorTimer timer(this, node, grid);
  switch (node.kind) {
    case NodeKind::kRollup: {
      const auto& rollup = As<plan::RollupNode>(node);
      return KernelFor(rollup.function).fold_use == FoldUse::kPooled ? Pooled(rollup, grid)
                                                                     : AbsentOverTime(rollup, grid);
    }
    case NodeKind::kCall: return CallFrame(As<plan::CallNode>(node), grid);
    case NodeKind::kVectorBinary: return Binary(As<plan::BinaryNode>(node), grid);
    case NodeKind::kAggregate: return Aggregate(As<plan::AggregateNode>(node), grid);
    default: return MakeError(ErrorCode::kInternal, "an operator that gives no vector was asked for one");
  }
}

Result<HeldFrame> Evaluator::Repeat(const Node& node, const StepGrid& grid) {
  TM_TRY_ASSIGN(const HeldFrame once, Vector(node, FirstStep(grid)));
  Reservation memory(state_);
  TM_RETURN_IF_ERROR(memory.Set(once.frame.size() * grid.count * (sizeof(double) + sizeof(uint8_t))));
  Frame out(grid.count);
  out.Resize(once.frame.size());
  out.rows = once.frame.rows;
  for (size_t row = 0; row < out.size(); ++row) {
    std::ranges::fill(out.RowValues(row), once.frame.values[row]);
    std::ranges::fill(out.RowPresent(row), once.frame.present[row]);
  }
  return HeldFrame{.frame = std::move(out), .memory = std::move(memory)};
}

// Puts the blocks of a stream together in their order.
Result<HeldFrame> Evaluator::Collect(const Node& node, const StepGrid& grid) {
  Mutex mutex;
  std::map<size_t, HeldFrame> blocks;
  size_t rows_in_all = 0;
  TM_RETURN_IF_ERROR(StreamRows(node, grid, true, [&](size_t block, Frame&& frame) -> Status {
    if (frame.size() == 0) return {};
    TM_TRY_ASSIGN(HeldFrame held, Held(std::move(frame)));
    MutexLock lock(mutex);
    rows_in_all += held.frame.size();
    blocks.emplace(block, std::move(held));
    return state_->CheckPoints(rows_in_all, grid.count);
  }));
  if (blocks.size() == 1) return std::move(blocks.begin()->second);
  Frame out(grid.count);
  size_t rows = 0;
  for (const auto& [_, held] : blocks) rows += held.frame.size();
  Reservation copy(state_);
  TM_RETURN_IF_ERROR(copy.Set(rows * grid.count * (sizeof(double) + sizeof(uint8_t))));
  out.rows.reserve(rows);
  out.values.reserve(rows * grid.count);
  out.present.reserve(rows * grid.count);
  while (!blocks.empty()) {
    const Frame& from = blocks.begin()->second.frame;
    out.rows.insert(out.rows.end(), from.rows.begin(), from.rows.end());
    out.values.insert(out.values.end(), from.values.begin(), from.values.end());
    out.present.insert(out.present.end(), from.present.begin(), from.present.end());
    blocks.erase(blocks.begin());
  }
  HeldFrame held{.frame = std::move(out), .memory = std::move(copy)};
  TM_RETURN_IF_ERROR(held.Recount());
  return held;
}

Status Evaluator::Stream(const Node& node, const StepGrid& grid, bool labels, const BlockSink& sink) {
  TM_RETURN_IF_ERROR(state_->CheckInterrupt());
  if ((node.step_invariant && grid.count > 1) || !Streams(node) || IsShared(node)) {
    TM_TRY_ASSIGN(const HeldFrame whole, Vector(node, grid));
    return StreamFrame(whole, sink);
  }
  return StreamRows(node, grid, labels, sink);
}

Status Evaluator::StreamRows(const Node& node, const StepGrid& grid, bool labels, const BlockSink& sink) {
  const OperatorTimer timer(this, node, grid);
  switch (node.kind) {
    case NodeKind::kSelect: return StreamSelect(As<plan::SelectNode>(node), grid, labels, sink);
    case NodeKind::kRollup: return StreamRollup(As<plan::RollupNode>(node), grid, labels, sink);
    case NodeKind::kCall: return StreamMap(As<plan::CallNode>(node), grid, labels, sink);
    case NodeKind::kNegate: return StreamNegate(As<plan::NegateNode>(node), grid, labels, sink);
    default: return StreamVectorScalar(As<plan::BinaryNode>(node), grid, labels, sink);
  }
}

Status Evaluator::StreamFrame(const HeldFrame& whole, const BlockSink& sink) {
  const Frame& frame = whole.frame;
  return ForEachBlock(frame.size(), BlockSize(frame.steps), state_, [&](size_t block, size_t first, size_t last) {
    Frame part(frame.steps);
    const auto at = [](size_t i) { return static_cast<std::ptrdiff_t>(i); };
    part.rows.assign(frame.rows.begin() + at(first), frame.rows.begin() + at(last));
    part.values.assign(frame.values.begin() + at(first * frame.steps), frame.values.begin() + at(last * frame.steps));
    part.present.assign(frame.present.begin() + at(first * frame.steps),
                        frame.present.begin() + at(last * frame.steps));
    return sink(block, std::move(part));
  });
}

void Evaluator::NoteTrim(const plan::BinaryNode& node) {
  const std::string_view symbol = promql::Symbol(node.binary->op);
  state_->Info(fmt::format("incompatible sample types encountered for binary operator {}: float {} float",
                           promql::Quote(symbol), symbol),
               node.source->range);
}

Status Evaluator::StreamMap(const plan::CallNode& node, const StepGrid& grid, bool labels, const BlockSink& sink) {
  TM_TRY_ASSIGN(const Scalars scalars, EvaluateScalars(node.args, grid));
  const CallArguments arguments{
      .node = node, .grid = grid, .query = query_, .scalars = scalars.pointers, .state = state_};
  const Kernel& kernel = KernelFor(node.function);
  const auto vector = std::ranges::find(node.args, ValueType::kVector, [](const auto& arg) { return arg->type; });
  return Stream(**vector, grid, labels, [&](size_t block, Frame&& frame) {
    for (size_t row = 0; row < frame.size(); ++row) {
      kernel.map(arguments, frame.RowValues(row), frame.RowPresent(row));
      frame.rows[row].name = kernel.name;
    }
    // clamp() with limits the wrong way round leaves nothing.
    frame.DropEmptyRows();
    return sink(block, std::move(frame));
  });
}

Status Evaluator::StreamNegate(const plan::NegateNode& node, const StepGrid& grid, bool labels, const BlockSink& sink) {
  return Stream(*node.operand, grid, labels, [&](size_t block, Frame&& frame) {
    for (double& value : frame.values) value = -value;
    for (RowHead& row : frame.rows) row.name = NameFate::kDrop;
    return sink(block, std::move(frame));
  });
}

Status Evaluator::StreamVectorScalar(const plan::BinaryNode& node, const StepGrid& grid, bool labels,
                                     const BlockSink& sink) {
  const promql::BinaryExpr& expr = *node.binary;
  const bool scalar_left = node.lhs->type == ValueType::kScalar;
  TM_TRY_ASSIGN(const std::vector<double> scalar, Scalar(scalar_left ? *node.lhs : *node.rhs, grid));
  const bool comparison = promql::IsComparison(expr.op);
  const bool trim = promql::IsTrim(expr.op);
  return Stream(scalar_left ? *node.rhs : *node.lhs, grid, labels, [&](size_t block, Frame&& frame) {
    if (trim) {
      if (frame.size() > 0) NoteTrim(node);
      frame.Resize(0);
    }
    for (size_t row = 0; row < frame.size(); ++row) {
      const auto values = frame.RowValues(row);
      const auto present = frame.RowPresent(row);
      for (size_t step = 0; step < frame.steps; ++step) {
        const double a = scalar_left ? scalar[step] : values[step];
        const double b = scalar_left ? values[step] : scalar[step];
        if (!comparison) {
          values[step] = plan::Calculate(expr.op, a, b);
          continue;
        }
        const bool holds = plan::Compare(expr.op, a, b);
        // A comparison keeps the vector's value, on whichever side the vector stands.
        if (expr.return_bool) {
          values[step] = holds ? 1.0 : 0.0;
        } else if (!holds) {
          present[step] = 0;
        }
      }
      if (!comparison || expr.return_bool) frame.rows[row].name = NameFate::kDrop;
    }
    if (comparison && !expr.return_bool) frame.DropEmptyRows();
    return sink(block, std::move(frame));
  });
}

Result<HeldFrame> Evaluator::CallFrame(const plan::CallNode& node, const StepGrid& grid) {
  TM_TRY_ASSIGN(const Scalars scalars, EvaluateScalars(node.args, grid));
  const CallArguments arguments{
      .node = node, .grid = grid, .query = query_, .scalars = scalars.pointers, .state = state_};
  HeldFrame held{.frame = Frame(grid.count), .memory = Reservation(state_)};
  for (const plan::NodePtr& arg : node.args) {
    if (arg->type != ValueType::kVector) continue;
    TM_TRY_ASSIGN(HeldFrame input, Vector(*arg, grid));
    if (node.info) {
      TM_TRY_ASSIGN(const HeldFrame times, Vector(*node.info, grid));
      TM_RETURN_IF_ERROR(JoinInfo(arguments, times.frame, &input.frame));
      TM_RETURN_IF_ERROR(input.Recount());
      return input;
    }
    return FinishCall(arguments, std::move(input));
  }
  const Kernel& kernel = KernelFor(node.function);
  if (kernel.map != nullptr) {
    // A date function without argument: of the evaluation time.
    const size_t row = held.frame.AddRow({});
    MapTimestamp(arguments, held.frame.RowValues(row), held.frame.RowPresent(row));
    std::ranges::fill(held.frame.RowPresent(row), uint8_t{1});
    kernel.map(arguments, held.frame.RowValues(row), held.frame.RowPresent(row));
    return held;
  }
  return FinishCall(arguments, std::move(held));
}

Result<HeldFrame> Evaluator::FinishCall(const CallArguments& arguments, HeldFrame held) {
  TM_RETURN_IF_ERROR(KernelFor(arguments.node.function).frame(arguments, &held.frame));
  TM_RETURN_IF_ERROR(held.Recount());
  return held;
}

Result<HeldFrame> Evaluator::Aggregate(const plan::AggregateNode& node, const StepGrid& grid) {
  if (IsRunningAggregate(node.aggregate->op)) {
    RunningAggregation running(node, grid.count, state_);
    const bool labels = node.aggregate->without || !node.grouping.empty();
    TM_RETURN_IF_ERROR(Stream(*node.operand, grid, labels,
                              [&](size_t block, Frame&& frame) { return running.Add(block, std::move(frame)); }));
    TM_TRY_ASSIGN(Frame out, running.Finish());
    return Held(std::move(out));
  }
  std::vector<double> param;
  if (node.param->type == ValueType::kScalar) {
    TM_TRY_ASSIGN(param, Scalar(*node.param, grid));
  }
  TM_TRY_ASSIGN(HeldFrame input, Vector(*node.operand, grid));
  if (grid.count == 0) return input;
  TM_TRY_ASSIGN(Frame out, AggregateRanked(node, std::move(input.frame), param, state_));
  return Held(std::move(out));
}

Result<HeldFrame> Evaluator::Binary(const plan::BinaryNode& node, const StepGrid& grid) {
  TM_TRY_ASSIGN(HeldFrame lhs, Vector(*node.lhs, grid));
  TM_TRY_ASSIGN(HeldFrame rhs, Vector(*node.rhs, grid));
  const promql::BinaryExpr& expr = *node.binary;
  auto out = promql::IsSetOperator(expr.op) ? CombineSets(expr, std::move(lhs.frame), std::move(rhs.frame), state_)
                                            : MatchVectors(expr, std::move(lhs.frame), std::move(rhs.frame), state_);
  if (!out.ok()) return std::move(out).error();
  if (promql::IsTrim(expr.op)) {
    if (out->size() > 0) NoteTrim(node);
    out->Resize(0);
  }
  return Held(std::move(out).value());
}

}  // namespace tidemark::query::engine
