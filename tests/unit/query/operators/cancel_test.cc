// Operators that need whole tables, over a million series: none of them works for long without asking whether to go on.
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "query/functions/kernels.h"
#include "query/operators/aggregate_rank.h"
#include "query/plan/planner.h"
#include "query/promql/parser.h"
#include "query/run/query_state.h"
#include "storage/base/check.h"

namespace tidemark::query::operators {
namespace {

using frame::Frame;
using frame::LabelSet;
using frame::RowHead;
using run::QueryContext;
using run::QueryState;

constexpr size_t kSeries = 1'000'000;
constexpr size_t kSteps = 3;
constexpr int64_t kNsPerMs = 1'000'000;

int64_t ThreadCpuNs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// Notes the processor time from one look to the next, and lets the query's time be over at one of them.
class LookClock final : public Clock {
 public:
  explicit LookClock(size_t over_at) : over_at_(over_at) {}
  void Begin() const { last_ns_ = ThreadCpuNs(); }
  [[nodiscard]] int64_t NowNs() const override { return SteadyNs(); }
  [[nodiscard]] int64_t SteadyNs() const override {
    Look();
    return looks_ > over_at_ ? 2 : 0;
  }
  void Look() const {
    const int64_t now_ns = ThreadCpuNs();
    longest_ns_ = std::max(longest_ns_, now_ns - last_ns_);
    last_ns_ = now_ns;
    ++looks_;
  }
  [[nodiscard]] size_t looks() const { return looks_; }
  [[nodiscard]] int64_t longest_ns() const { return longest_ns_; }

 private:
  size_t over_at_;
  mutable size_t looks_ = 0;
  mutable int64_t last_ns_ = 0;
  mutable int64_t longest_ns_ = 0;
};

// All series differ in one label, and have values in most steps.
class Table {
 public:
  explicit Table(size_t steps) : frame_(steps), texts_(kSeries), labels_(2 * kSeries) {
    std::mt19937_64 random(5);
    frame_.Resize(kSeries);
    for (size_t row = 0; row < kSeries; ++row) {
      texts_[row] = std::to_string(random() % 10'000'000'000);
      labels_[2 * row] = {"__name__", "m"};
      labels_[2 * row + 1] = {"n", texts_[row]};
      frame_.rows[row] = {.labels = LabelSet(&labels_[2 * row], 2)};
      for (size_t step = 0; step < steps; ++step) {
        frame_.RowValues(row)[step] = static_cast<double>(random() % 1'000'000);
        frame_.RowPresent(row)[step] = random() % 8 != 0;
      }
    }
  }
  [[nodiscard]] const Frame& frame() const { return frame_; }

 private:
  Frame frame_;
  std::vector<std::string> texts_;
  std::vector<model::LabelView> labels_;
};

struct Case {
  const char* text;
  size_t steps;
};
const Case kCases[] = {{"topk(10, m)", kSteps},
                       {"topk(500000, m)", 1},
                       {"bottomk(10, m)", 1},
                       {"bottomk(5000, m)", kSteps},
                       {"quantile(0.9, m)", kSteps},
                       {"limitk(400000, m)", kSteps},
                       {"limit_ratio(0.5, m)", kSteps},
                       {"sort(m)", 1},
                       {"sort_desc(m)", 1},
                       {"sort_by_label(m, \"n\")", 1}};

// Does the outermost operator of a query over the table.
Status Operate(const Case& tried, const Frame& table, const LookClock& clock) {
  const auto expr = promql::Parse(tried.text, {.experimental_functions = true});
  TM_CHECK(expr.ok());
  const plan::PlanOptions options{.grid = {.start_ms = 0, .step_ms = 1000, .count = tried.steps}};
  const auto plan = plan::Build(**expr, options);
  TM_CHECK(plan.ok());
  QueryContext context;
  context.clock = &clock;
  context.deadline_ns = 1;
  QueryState state(context);
  Frame frame = table;
  clock.Begin();
  const plan::Node& root = *plan->root;
  if (root.kind == plan::NodeKind::kAggregate) {
    const auto& node = plan::As<plan::AggregateNode>(root);
    const std::vector<double> param(tried.steps, plan::As<plan::ConstantNode>(*node.param).value);
    auto done = AggregateRanked(node, std::move(frame), param, &state);
    clock.Look();
    return done.ok() ? Status() : Status(done.error());
  }
  const auto& node = plan::As<plan::CallNode>(root);
  const run::RangeSpec range{.start_ms = 0, .end_ms = 0, .step_ms = 1000, .instant = true};
  const functions::CallArguments arguments{
      .node = node, .grid = plan->grid, .query = range, .scalars = {nullptr, nullptr}, .state = &state};
  Status done = functions::KernelFor(node.function).frame(arguments, &frame);
  clock.Look();
  return done;
}

// A cancel is seen at the next look, so that what a query still does after it is what it does between two of them, and
// the way out. Ten milliseconds of an optimised build; where all is slower, as under sanitizers, in proportion.
TEST(CancelTest, NoOperatorOverAMillionSeriesWorksLongWithoutALook) {
  const Table instant(1);
  const Table range(kSteps);
  for (const Case& tried : kCases) {
    SCOPED_TRACE(tried.text);
    const Table& table = tried.steps == 1 ? instant : range;
    const LookClock whole(SIZE_MAX);
    const int64_t began_ns = ThreadCpuNs();
    ASSERT_TRUE(Operate(tried, table.frame(), whole).ok());
    const int64_t whole_ns = ThreadCpuNs() - began_ns;
    ASSERT_GT(whole.looks(), 100U);
    const int64_t most_ns = std::max(10 * kNsPerMs, whole_ns / 20);
    EXPECT_LE(whole.longest_ns(), most_ns) << whole.looks() << " looks in " << whole_ns / kNsPerMs << " ms";
    const LookClock clock(whole.looks() / 2);
    const Status done = Operate(tried, table.frame(), clock);
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code, ErrorCode::kTimeout);
    EXPECT_LT(clock.looks(), whole.looks());
    EXPECT_LE(clock.longest_ns(), most_ns) << "with the way out";
  }
}

}  // namespace
}  // namespace tidemark::query::operators
