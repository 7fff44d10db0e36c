// Evaluator: walks a plan. Vectors come either whole (Vector) or as a stream of blocks that workers make (Stream), so
// that an aggregation over many series never holds them all.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "query/frame/frame.h"
#include "query/functions/kernels.h"
#include "query/plan/plan.h"
#include "query/run/query_context.h"
#include "query/run/query_state.h"
#include "query/scan/scan.h"
#include "query/scan/series_source.h"
#include "storage/base/result.h"

namespace tidemark::query::engine {

// A frame whose memory is counted.
struct HeldFrame {
  frame::Frame frame;
  run::Reservation memory;

  [[nodiscard]] Status Recount() { return memory.Set(frame.bytes()); }
};

// One per query. Its methods are called on one thread; the work inside is spread by the scheduler.
class Evaluator {
 public:
  Evaluator(const plan::Plan& plan, const run::RangeSpec& query, run::QueryState* state)
      : plan_(plan), query_(query), state_(state), sources_(plan.selectors.size()) {}

  // A node of scalar type: one value for each step.
  Result<std::vector<double>> Scalar(const plan::Node& node, const plan::StepGrid& grid);
  // A node of vector type.
  Result<HeldFrame> Vector(const plan::Node& node, const plan::StepGrid& grid);
  // The raw samples of a range selector or subquery seen from one time.
  Result<std::vector<run::RawSeries>> Raw(const plan::RangeNode& node, const plan::StepGrid& grid);

  [[nodiscard]] std::vector<run::OperatorTime> TakeTimes() { return std::move(times_); }

 private:
  // Hands the rows of a vector node to `sink`, in blocks numbered from 0 without gaps. `labels` false: nobody looks at
  // the rows' labels.
  Status Stream(const plan::Node& node, const plan::StepGrid& grid, bool labels, const scan::BlockSink& sink);
  Status StreamRows(const plan::Node& node, const plan::StepGrid& grid, bool labels, const scan::BlockSink& sink);
  Status StreamSelect(const plan::SelectNode& node, const plan::StepGrid& grid, bool labels,
                      const scan::BlockSink& sink);
  Status StreamRollup(const plan::RollupNode& node, const plan::StepGrid& grid, bool labels,
                      const scan::BlockSink& sink);
  Status StreamSubquery(const plan::RollupNode& node, const plan::StepGrid& grid, scan::ScanSpec spec,
                        const scan::BlockSink& sink);
  Status StreamMap(const plan::CallNode& node, const plan::StepGrid& grid, bool labels, const scan::BlockSink& sink);
  Status StreamNegate(const plan::NegateNode& node, const plan::StepGrid& grid, bool labels,
                      const scan::BlockSink& sink);
  Status StreamVectorScalar(const plan::BinaryNode& node, const plan::StepGrid& grid, bool labels,
                            const scan::BlockSink& sink);
  Status StreamFrame(const HeldFrame& whole, const scan::BlockSink& sink);

  // Whether the node works row by row, so that streaming it saves memory.
  [[nodiscard]] static bool Streams(const plan::Node& node);
  Result<HeldFrame> Collect(const plan::Node& node, const plan::StepGrid& grid);
  Result<HeldFrame> CallFrame(const plan::CallNode& node, const plan::StepGrid& grid);
  Result<HeldFrame> FinishCall(const functions::CallArguments& arguments, HeldFrame held);
  Result<HeldFrame> Aggregate(const plan::AggregateNode& node, const plan::StepGrid& grid);
  Result<HeldFrame> Binary(const plan::BinaryNode& node, const plan::StepGrid& grid);
  Result<HeldFrame> Pooled(const plan::RollupNode& node, const plan::StepGrid& grid);
  Result<HeldFrame> AbsentOverTime(const plan::RollupNode& node, const plan::StepGrid& grid);
  // The same value at every step of `grid`, from one evaluation.
  Result<HeldFrame> Repeat(const plan::Node& node, const plan::StepGrid& grid);
  Result<HeldFrame> Held(frame::Frame&& frame);

  // A node that occurs more than once: its value, kept from the first time. Nodes that stream are kept only where one
  // of the places needs the whole table anyway.
  [[nodiscard]] bool IsShared(const plan::Node& node) const;
  // `share`: that of the node.
  Result<HeldFrame> SharedVector(size_t share, const plan::Node& node, const plan::StepGrid& grid);
  Result<HeldFrame> Compute(const plan::Node& node, const plan::StepGrid& grid);
  Result<HeldFrame> Copy(const frame::Frame& frame);
  struct Kept {
    plan::StepGrid grid;
    HeldFrame held;
    const promql::Expr* source;  // the occurrence that was evaluated
  };
  std::map<size_t, Kept> kept_;  // by Node::share

  // The scalar arguments of a call, with the columns they point to.
  struct Scalars {
    std::vector<std::vector<double>> columns;
    std::vector<const double*> pointers;
  };
  Result<Scalars> EvaluateScalars(const std::vector<plan::NodePtr>& args, const plan::StepGrid& grid);

  Result<const scan::SeriesSource*> Source(size_t slot);
  // Operators that are for native histograms only: what they give for floats.
  void NoteTrim(const plan::BinaryNode& node);
  void NoteCounterNames(const plan::RollupNode& node, const std::vector<std::string>& names);

  const plan::Plan& plan_;
  run::RangeSpec query_;
  run::QueryState* state_;
  std::vector<std::unique_ptr<scan::SeriesSource>> sources_;  // by slot, once asked for

  friend class OperatorTimer;
  std::vector<run::OperatorTime> times_;
  // Of the operators inside the one that runs.
  struct Work {
    int64_t ns = 0;
    uint64_t samples = 0;
    uint64_t tier_buckets = 0;
  };
  Work inner_;
  uint32_t depth_ = 0;
};

// The one-step grid on which step-invariant nodes are evaluated.
inline plan::StepGrid FirstStep(const plan::StepGrid& grid) {
  return {.start_ms = grid.start_ms, .step_ms = grid.step_ms, .count = 1};
}

}  // namespace tidemark::query::engine
