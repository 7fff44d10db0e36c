// The kernels of all functions of PromQL, found by FunctionId: one of the shape that fits the function. What else there
// is to know of a function stands in query/promql/functions.h. README.md says how to add one.
#pragma once

#include <span>
#include <vector>

#include "query/frame/frame.h"
#include "query/functions/fold_kernels.h"
#include "query/plan/plan.h"
#include "query/promql/functions.h"
#include "query/run/query_state.h"
#include "query/scan/scan.h"
#include "storage/base/result.h"

namespace tidemark::query::functions {

// Arguments of a call that are not vectors. `scalars[i]` is argument i, one value for each step, or null.
struct CallArguments {
  const plan::CallNode& node;
  const plan::StepGrid& grid;
  const run::RangeSpec& query;  // times of the whole query; `grid` differs from them inside subqueries
  std::vector<const double*> scalars;
  run::QueryState* state;

  // Argument i, which is a string literal.
  [[nodiscard]] const std::string& Text(size_t i) const { return *plan::As<plan::TextNode>(*node.args[i]).value; }
  [[nodiscard]] const promql::SourceRange& Position(size_t i) const { return node.args[i]->source->range; }
};

// One value from one value: a row of the vector at a time, in place. May clear `present`.
using MapKernel = void (*)(const CallArguments& call, std::span<double> values, std::span<uint8_t> present);
// Looks at the whole vector, which it may change or replace. Functions without a vector argument get an empty one.
using FrameKernel = Status (*)(const CallArguments& call, frame::Frame* frame);
// Gives a scalar for each step. `frame` is the vector argument, or empty.
using ScalarKernel = void (*)(const CallArguments& call, const frame::Frame& frame, std::span<double> out);

// Looks at the scalar arguments of a fold, each with `steps` values, before it is used.
struct FoldArguments {
  const plan::RollupNode& node;
  std::span<const double* const> scalars;
  size_t steps;
  run::QueryState* state;
};
using ArgumentCheck = Status (*)(const FoldArguments& arguments);

// What a range function does before series are read: its windows, and the columns that its kernel gets in place of
// the arguments as they are written.
struct RollupSetup {
  const plan::RollupNode& node;
  run::QueryState* state;
  scan::ScanSpec* spec;                      // with the windows and scalars of the call; a text has null
  std::vector<std::vector<double>> columns;  // what spec->arguments may point to
};
using SetUp = Status (*)(RollupSetup* setup);

// How the evaluator uses a fold.
enum class FoldUse : uint8_t {
  kEachSeries,
  kAbsence,  // where no series has a value
  kPooled,   // all series of a group are one: the evaluator collects their samples
};

// One of fold, map, frame and scalar is set.
struct Kernel {
  scan::FoldKernel fold = nullptr;
  scan::FoldKernel extended_fold = nullptr;  // the same over anchored and smoothed ranges
  MapKernel map = nullptr;
  FrameKernel frame = nullptr;
  ScalarKernel scalar = nullptr;
  // What a fold or map does to the metric's name.
  frame::NameFate name = frame::NameFate::kDrop;
  // Of a fold, and only if some series has a value: null where any argument will do.
  ArgumentCheck check = nullptr;
  // Of a fold: null where it takes its arguments and windows as they are.
  SetUp set_up = nullptr;
  // What a fold gets for rows that are gone; see scan::GoneRowsOf where it gives what rollup tiers know.
  scan::GoneRows gone_rows = scan::GoneRows::kNone;
  // A fold gives times of samples.
  bool gives_times = false;
  // The fold wants to see stale markers.
  bool sees_stale = false;
  FoldUse fold_use = FoldUse::kEachSeries;
  // The argument counts up; a name that does not look like a counter's is worth an info.
  bool counter = false;

  // How many of the four are set.
  [[nodiscard]] int count() const {
    return (fold != nullptr ? 1 : 0) + (map != nullptr ? 1 : 0) + (frame != nullptr ? 1 : 0) +
           (scalar != nullptr ? 1 : 0);
  }
};

const Kernel& KernelFor(promql::FunctionId id);

// argument_checks.cc
Status WarnOfQuantiles(const FoldArguments& arguments);
Status CheckSmoothing(const FoldArguments& arguments);

// calendar_functions.cc
Status SetUpCalendar(RollupSetup* setup);
// The same, with rows before the bucket to begin from.
Status SetUpCalendarIncrease(RollupSetup* setup);
Status SetUpChange(RollupSetup* setup);
Status FrameCalendarStart(const CallArguments& call, frame::Frame* frame);
Status FrameLocalTime(const CallArguments& call, frame::Frame* frame);

// forecast_kernels.cc
Status SetUpSeason(RollupSetup* setup);
// The probability is the last argument, which may be left out.
Status WarnOfProbability(const FoldArguments& arguments);

// math_functions.cc
template <double (*function)(double)>
void MapEach(const CallArguments&, std::span<double> values, std::span<uint8_t>) {
  for (double& value : values) value = function(value);
}
double Sign(double value);
double ToDegrees(double value);
double ToRadians(double value);
void MapRound(const CallArguments& call, std::span<double> values, std::span<uint8_t> present);
void MapClamp(const CallArguments& call, std::span<double> values, std::span<uint8_t> present);
void MapClampMin(const CallArguments& call, std::span<double> values, std::span<uint8_t> present);
void MapClampMax(const CallArguments& call, std::span<double> values, std::span<uint8_t> present);
void ScalarPi(const CallArguments& call, const frame::Frame& frame, std::span<double> out);
void ScalarMaxOf(const CallArguments& call, const frame::Frame& frame, std::span<double> out);
void ScalarMinOf(const CallArguments& call, const frame::Frame& frame, std::span<double> out);
void ScalarOfVector(const CallArguments& call, const frame::Frame& frame, std::span<double> out);
Status FrameOfScalar(const CallArguments& call, frame::Frame* frame);

// time_functions.cc. The functions of a date take seconds since 1970 as their values, in UTC.
double DayOfMonth(double seconds);
double DayOfWeek(double seconds);
double DayOfYear(double seconds);
double DaysInMonth(double seconds);
double Hour(double seconds);
double Minute(double seconds);
double Month(double seconds);
double Year(double seconds);
void MapTimestamp(const CallArguments& call, std::span<double> values, std::span<uint8_t> present);
void ScalarTime(const CallArguments& call, const frame::Frame& frame, std::span<double> out);
void ScalarStart(const CallArguments& call, const frame::Frame& frame, std::span<double> out);
void ScalarEnd(const CallArguments& call, const frame::Frame& frame, std::span<double> out);
void ScalarRange(const CallArguments& call, const frame::Frame& frame, std::span<double> out);
void ScalarStep(const CallArguments& call, const frame::Frame& frame, std::span<double> out);

// label_functions.cc
Status FrameLabelReplace(const CallArguments& call, frame::Frame* frame);
Status FrameLabelJoin(const CallArguments& call, frame::Frame* frame);
Status FrameAbsent(const CallArguments& call, frame::Frame* frame);
// The labels that absent() and absent_over_time() give to a selector's absence: those its matchers fix to one value.
frame::LabelSet LabelsOfAbsence(const promql::VectorSelector& selector, frame::LabelArena* arena);

// sort_functions.cc. Order matters in instant queries only; a range query orders its series by labels.
Status FrameSort(const CallArguments& call, frame::Frame* frame);
Status FrameSortDesc(const CallArguments& call, frame::Frame* frame);
Status FrameSortByLabel(const CallArguments& call, frame::Frame* frame);
Status FrameSortByLabelDesc(const CallArguments& call, frame::Frame* frame);

// histogram_functions.cc
Status FrameHistogramQuantile(const CallArguments& call, frame::Frame* frame);
Status FrameHistogramQuantiles(const CallArguments& call, frame::Frame* frame);
Status FrameHistogramFraction(const CallArguments& call, frame::Frame* frame);
// Functions of what no float has: native histograms, start timestamps.
Status FrameNothing(const CallArguments& call, frame::Frame* frame);

// info_function.cc. `times`: the info series, with their samples' times in seconds as values.
Status JoinInfo(const CallArguments& call, const frame::Frame& times, frame::Frame* frame);
// Stands in the table for info(), which the evaluator gives two vectors.
Status FrameInfo(const CallArguments& call, frame::Frame* frame);

}  // namespace tidemark::query::functions
