#include "query/engine/engine.h"

#include <memory>
#include <utility>

#include <fmt/core.h>

#include "query/engine/evaluator.h"
#include "query/frame/frame_order.h"
#include "query/plan/planner.h"
#include "query/run/query_state.h"

namespace tidemark::query::engine {
namespace {

using frame::DropNames;
using frame::Frame;
using frame::LabelArena;
using frame::SortByLabels;
using promql::ValueType;
using run::QueryContext;
using run::QueryResult;
using run::QueryState;
using run::RangeSpec;

// What Prometheus takes, to both sides of 1970.
constexpr int64_t kTimeMsMax = 9'223'309'901'257'974'999;

Result<plan::StepGrid> GridOf(const RangeSpec& range) {
  for (const int64_t ms : {range.start_ms, range.end_ms}) {
    if (ms < -kTimeMsMax || ms > kTimeMsMax) return InvalidArgument("the time of a query is out of range");
  }
  if (range.instant) return plan::StepGrid{.start_ms = range.end_ms, .step_ms = 1, .count = 1};
  if (range.step_ms <= 0) return InvalidArgument("the step of a range query must be positive");
  if (range.end_ms < range.start_ms) return InvalidArgument("the end of a range query must not be before its start");
  const uint64_t length_ms = static_cast<uint64_t>(range.end_ms) - static_cast<uint64_t>(range.start_ms);
  return plan::StepGrid{.start_ms = range.start_ms,
                        .step_ms = range.step_ms,
                        .count = static_cast<size_t>(length_ms / static_cast<uint64_t>(range.step_ms)) + 1};
}

Status CheckType(const promql::Expr& expr, const RangeSpec& range) {
  if (range.instant || expr.type == ValueType::kScalar || expr.type == ValueType::kVector) return {};
  return InvalidArgument(fmt::format("invalid expression type \"{}\" for range query, must be Scalar or instant Vector",
                                     promql::Phrase(expr.type)));
}

Status Fill(const plan::Plan& plan, const RangeSpec& range, Evaluator* evaluator, QueryState* state,
            QueryResult* result) {
  const plan::Node& root = *plan.root;
  switch (root.type) {
    case ValueType::kString: result->text = *plan::As<plan::TextNode>(root).value; return {};
    case ValueType::kMatrix: {
      TM_TRY_ASSIGN(result->raw, evaluator->Raw(plan::As<plan::RangeNode>(root), plan.grid));
      return {};
    }
    case ValueType::kScalar: {
      TM_TRY_ASSIGN(const std::vector<double> values, evaluator->Scalar(root, plan.grid));
      if (range.instant) {
        result->scalar = values[0];
        return {};
      }
      Frame frame(plan.grid.count);
      frame.AddRow({});
      frame.values = values;
      frame.present.assign(values.size(), 1);
      result->frame = std::move(frame);
      return {};
    }
    case ValueType::kVector: break;
  }
  TM_TRY_ASSIGN(HeldFrame held, evaluator->Vector(root, plan.grid));
  auto arena = std::make_unique<LabelArena>();
  TM_RETURN_IF_ERROR(DropNames(&held.frame, arena.get(), state));
  state->Keep(std::move(arena));
  if (!range.instant) TM_RETURN_IF_ERROR(SortByLabels(&held.frame, state));
  result->frame = std::move(held.frame);
  return {};
}

}  // namespace

Result<QueryResult> Execute(const promql::Expr& expr, const RangeSpec& range, const QueryContext& context) {
  TM_RETURN_IF_ERROR(CheckType(expr, range));
  TM_TRY_ASSIGN(const plan::StepGrid grid, GridOf(range));
  const RangeSpec query{.start_ms = range.instant ? range.end_ms : range.start_ms,
                        .end_ms = range.end_ms,
                        .step_ms = range.instant ? 0 : range.step_ms,
                        .instant = range.instant};
  const plan::PlanOptions options{.grid = grid,
                                  .start_ms = query.start_ms,
                                  .end_ms = query.end_ms,
                                  .lookback_ms = context.lookback_ms,
                                  .default_subquery_step_ms = context.default_subquery_step_ms,
                                  .closed_windows = context.closed_windows};
  TM_TRY_ASSIGN(const plan::Plan plan, plan::Build(expr, options));
  QueryState state(context);
  TM_RETURN_IF_ERROR(state.CheckSteps(grid.count, "query"));
  Evaluator evaluator(plan, query, &state);
  QueryResult result;
  result.type = range.instant ? plan.root->type : ValueType::kMatrix;
  result.grid = grid;
  TM_RETURN_IF_ERROR(Fill(plan, range, &evaluator, &state, &result));
  state.Finish(&result);
  result.stats.operators = evaluator.TakeTimes();
  return result;
}

}  // namespace tidemark::query::engine
