// SlowEvaluator: PromQL read from the documentation, one evaluation time and one value at a time, with maps and copies
// and no cleverness. Tests compare the engine with it. It knows the part of the language that random_test.cc makes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "query/promql/ast.h"

namespace tidemark::query::engine {

using SlowLabels = std::map<std::string, std::string>;

struct SlowSeries {
  SlowLabels labels;
  std::vector<std::pair<int64_t, double>> samples;  // milliseconds, ascending
};

class SlowEvaluator {
 public:
  struct Sample {
    SlowLabels labels;
    double value = 0;
    bool drop_name = false;
  };
  using Vector = std::vector<Sample>;

  // start() and end() of `@` are those of the query.
  SlowEvaluator(const std::vector<SlowSeries>& data, int64_t start_ms, int64_t end_ms)
      : data_(data), start_ms_(start_ms), end_ms_(end_ms) {}

  // The value at one time with names dropped, a scalar as one sample without labels; nothing where the query fails.
  std::optional<std::map<SlowLabels, double>> At(const promql::Expr& expr, int64_t time_ms);

 private:
  double Scalar(const promql::Expr& expr, int64_t time_ms);
  Vector Eval(const promql::Expr& expr, int64_t time_ms);
  Vector Select(const promql::VectorSelector& selector, int64_t time_ms);
  // The window of each series: samples, and the time of its end.
  std::vector<SlowSeries> Range(const promql::Expr& expr, int64_t time_ms, int64_t* end_ms, int64_t* window_ms);
  Vector Call(const promql::Call& call, int64_t time_ms);
  Vector Aggregate(const promql::AggregateExpr& expr, int64_t time_ms);
  Vector Binary(const promql::BinaryExpr& expr, int64_t time_ms);
  [[nodiscard]] int64_t Reference(const promql::AtModifier& at, int64_t offset_ms, int64_t time_ms) const;

  const std::vector<SlowSeries>& data_;
  int64_t start_ms_;
  int64_t end_ms_;
  bool failed_ = false;
};

}  // namespace tidemark::query::engine
