#include "tests/unit/query/engine/slow_evaluator.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <set>

#include "query/promql/functions.h"

namespace tidemark::query::engine {
namespace {

using promql::As;
using promql::BinaryOp;
using promql::ExprKind;

constexpr int64_t kLookbackMs = 300'000;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool IsStaleMarker(double value) { return std::bit_cast<uint64_t>(value) == 0x7ff0000000000002; }

bool Selected(const promql::VectorSelector& selector, const SlowLabels& labels) {
  for (const model::Matcher& matcher : selector.matchers) {
    const auto at = labels.find(matcher.name);
    const std::string value = at == labels.end() ? "" : at->second;
    const bool equal = value == matcher.value;
    if (equal != (matcher.op == model::MatchOp::kEqual)) return false;
  }
  return true;
}

SlowLabels Only(const SlowLabels& labels, const std::vector<std::string>& names, bool keep) {
  SlowLabels out;
  for (const auto& [name, value] : labels) {
    const bool named = std::find(names.begin(), names.end(), name) != names.end();
    if (named == keep && (keep || name != "__name__")) out[name] = value;
  }
  return out;
}

bool Holds(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kEqual: return a == b;
    case BinaryOp::kNotEqual: return a != b;
    case BinaryOp::kLess: return a < b;
    case BinaryOp::kLessEqual: return a <= b;
    case BinaryOp::kGreater: return a > b;
    default: return a >= b;
  }
}

double Calculate(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd: return a + b;
    case BinaryOp::kSub: return a - b;
    case BinaryOp::kMul: return a * b;
    case BinaryOp::kDiv: return a / b;
    case BinaryOp::kMod: return std::fmod(a, b);
    case BinaryOp::kPow: return std::pow(a, b);
    default: return std::atan2(a, b);
  }
}

double Quantile(double q, std::vector<double> values) {
  if (values.empty() || std::isnan(q)) return kNan;
  if (q < 0) return -std::numeric_limits<double>::infinity();
  if (q > 1) return std::numeric_limits<double>::infinity();
  std::sort(values.begin(), values.end());
  const double rank = q * (static_cast<double>(values.size()) - 1);
  const auto low = static_cast<size_t>(rank);
  const size_t high = std::min(low + 1, values.size() - 1);
  const double weight = rank - std::floor(rank);
  return values[low] * (1 - weight) + values[high] * weight;
}

// rate(), increase(), delta() as the documentation and extrapolatedRate have them.
double Extrapolated(const std::string& name, const SlowSeries& series, int64_t end_ms, int64_t window_ms) {
  const auto& samples = series.samples;
  const bool counter = name != "delta";
  double change = samples.back().second - samples.front().second;
  for (size_t i = 1; counter && i < samples.size(); ++i) {
    if (samples[i].second < samples[i - 1].second) change += samples[i - 1].second;
  }
  double to_start = static_cast<double>(samples.front().first - (end_ms - window_ms)) / 1000;
  double to_end = static_cast<double>(end_ms - samples.back().first) / 1000;
  const double sampled = static_cast<double>(samples.back().first - samples.front().first) / 1000;
  const double average = sampled / static_cast<double>(samples.size() - 1);
  if (to_start >= average * 1.1) to_start = average / 2;
  if (to_end >= average * 1.1) to_end = average / 2;
  if (counter && change > 0 && samples.front().second >= 0) {
    to_start = std::min(to_start, sampled * (samples.front().second / change));
  }
  const double whole = change * ((sampled + to_start + to_end) / sampled);
  return name == "rate" ? whole / (static_cast<double>(window_ms) / 1000) : whole;
}

// The value at `at_ms` on the line from sample `i` to the next.
double Between(const SlowSeries& series, size_t i, int64_t at_ms, bool counter) {
  const auto& [from_ms, from] = series.samples[i];
  const auto& [to_ms, to] = series.samples[i + 1];
  const double start = counter && to < from ? 0 : from;
  return start + (to - start) * static_cast<double>(at_ms - from_ms) / static_cast<double>(to_ms - from_ms);
}

// rate(), increase(), delta() of an anchored or smoothed range; `series` has the samples around it too.
std::optional<double> Extended(const std::string& name, const SlowSeries& series, int64_t end_ms, int64_t window_ms,
                               bool smoothed) {
  const auto& samples = series.samples;
  const bool counter = name != "delta";
  const int64_t start_ms = end_ms - window_ms;
  if (samples.empty()) return std::nullopt;
  size_t first = 0;
  size_t last = samples.size() - 1;
  for (size_t i = 0; i < samples.size() && samples[i].first <= start_ms; ++i) first = i;
  while (smoothed && last > 0 && samples[last - 1].first >= end_ms) --last;
  if (samples[last].first <= start_ms || (smoothed && samples[first].first > end_ms)) return std::nullopt;
  const bool left_line = smoothed && samples[first].first < start_ms;
  const bool right_line = smoothed && last > 0 && samples[last].first > end_ms;
  const double left = left_line ? Between(series, first, start_ms, counter) : samples[first].second;
  const double right = right_line ? Between(series, last - 1, end_ms, counter) : samples[last].second;
  double change = right - left;
  double before = left;
  for (const auto& [at, value] : samples) {
    if (at <= start_ms || at >= end_ms || !counter) continue;
    if (value < before) change += before;
    before = value;
  }
  if (counter && right < before) change += before;
  return name == "rate" ? change / (static_cast<double>(window_ms) / 1000) : change;
}

std::optional<double> OverWindow(const std::string& name, const SlowSeries& series, int64_t end_ms, int64_t window_ms,
                                 double parameter) {
  std::vector<double> values;
  for (const auto& [_, value] : series.samples) values.push_back(value);
  if (values.empty()) return std::nullopt;
  const auto count = static_cast<double>(values.size());
  if (name == "rate" || name == "increase" || name == "delta") {
    if (values.size() < 2) return std::nullopt;
    return Extrapolated(name, series, end_ms, window_ms);
  }
  double sum = 0;
  for (const double value : values) sum += value;
  if (name == "sum_over_time") return sum;
  if (name == "avg_over_time") return sum / count;
  if (name == "count_over_time") return count;
  if (name == "min_over_time") return *std::min_element(values.begin(), values.end());
  if (name == "max_over_time") return *std::max_element(values.begin(), values.end());
  if (name == "last_over_time") return values.back();
  if (name == "first_over_time") return values.front();
  if (name == "present_over_time") return 1;
  if (name == "quantile_over_time") return Quantile(parameter, values);
  if (name == "stdvar_over_time") {
    double squares = 0;
    for (const double value : values) squares += (value - sum / count) * (value - sum / count);
    return squares / count;
  }
  double number = 0;  // changes, resets
  for (size_t i = 1; i < values.size(); ++i) {
    if (name == "changes" ? values[i] != values[i - 1] : values[i] < values[i - 1]) ++number;
  }
  return number;
}

}  // namespace

std::optional<std::map<SlowLabels, double>> SlowEvaluator::At(const promql::Expr& expr, int64_t time_ms) {
  failed_ = false;
  std::map<SlowLabels, double> out;
  if (expr.type == promql::ValueType::kScalar) {
    out[{}] = Scalar(expr, time_ms);
    if (failed_) return std::nullopt;
    return out;
  }
  for (Sample& sample : Eval(expr, time_ms)) {
    if (sample.drop_name) sample.labels.erase("__name__");
    if (!out.emplace(sample.labels, sample.value).second) failed_ = true;
  }
  if (failed_) return std::nullopt;
  return out;
}

int64_t SlowEvaluator::Reference(const promql::AtModifier& at, int64_t offset_ms, int64_t time_ms) const {
  using Kind = promql::AtModifier::Kind;
  if (at.kind == Kind::kTimestamp) time_ms = at.timestamp_ms;
  if (at.kind == Kind::kStart) time_ms = start_ms_;
  if (at.kind == Kind::kEnd) time_ms = end_ms_;
  return time_ms - offset_ms;
}

double SlowEvaluator::Scalar(const promql::Expr& expr, int64_t time_ms) {
  switch (expr.kind) {
    case ExprKind::kNumberLiteral: return As<promql::NumberLiteral>(expr).value;
    case ExprKind::kParen: return Scalar(*As<promql::ParenExpr>(expr).expr, time_ms);
    case ExprKind::kUnary: {
      const auto& unary = As<promql::UnaryExpr>(expr);
      const double value = Scalar(*unary.expr, time_ms);
      return unary.op == promql::UnaryOp::kMinus ? -value : value;
    }
    case ExprKind::kBinary: {
      const auto& binary = As<promql::BinaryExpr>(expr);
      const double a = Scalar(*binary.lhs, time_ms);
      const double b = Scalar(*binary.rhs, time_ms);
      if (promql::IsComparison(binary.op)) return Holds(binary.op, a, b) ? 1 : 0;
      return Calculate(binary.op, a, b);
    }
    default: break;
  }
  const auto& call = As<promql::Call>(expr);
  if (call.function->name == "time") return static_cast<double>(time_ms) / 1000;
  const Vector vector = Eval(*call.args[0], time_ms);  // scalar()
  return vector.size() == 1 ? vector[0].value : kNan;
}

SlowEvaluator::Vector SlowEvaluator::Eval(const promql::Expr& expr, int64_t time_ms) {
  switch (expr.kind) {
    case ExprKind::kParen: return Eval(*As<promql::ParenExpr>(expr).expr, time_ms);
    case ExprKind::kVectorSelector: return Select(As<promql::VectorSelector>(expr), time_ms);
    case ExprKind::kAggregate: return Aggregate(As<promql::AggregateExpr>(expr), time_ms);
    case ExprKind::kBinary: return Binary(As<promql::BinaryExpr>(expr), time_ms);
    case ExprKind::kCall: return Call(As<promql::Call>(expr), time_ms);
    default: break;
  }
  const auto& unary = As<promql::UnaryExpr>(expr);
  Vector out = Eval(*unary.expr, time_ms);
  if (unary.op == promql::UnaryOp::kPlus) return out;
  for (Sample& sample : out) {
    sample.value = -sample.value;
    sample.drop_name = true;
  }
  return out;
}

SlowEvaluator::Vector SlowEvaluator::Select(const promql::VectorSelector& selector, int64_t time_ms) {
  const int64_t end_ms = Reference(selector.at, selector.offset.ms, time_ms);
  Vector out;
  for (const SlowSeries& series : data_) {
    if (!Selected(selector, series.labels)) continue;
    SlowSeries near{series.labels, {}};  // what `smoothed` sees
    std::optional<size_t> before;
    std::optional<double> newest;
    for (const auto& [at, value] : series.samples) {
      if (at <= end_ms - kLookbackMs || at > end_ms + kLookbackMs) continue;
      if (at <= end_ms) newest = value;
      if (IsStaleMarker(value)) continue;
      if (at <= end_ms) before = near.samples.size();
      near.samples.emplace_back(at, value);
    }
    if (selector.smoothed) {
      if (!before) continue;
      const bool exact = near.samples[*before].first == end_ms || *before + 1 == near.samples.size();
      newest = exact ? near.samples[*before].second : Between(near, *before, end_ms, false);
    }
    if (newest && !IsStaleMarker(*newest)) out.push_back({series.labels, *newest, false});
  }
  return out;
}

std::vector<SlowSeries> SlowEvaluator::Range(const promql::Expr& expr, int64_t time_ms, int64_t* end_ms,
                                             int64_t* window_ms) {
  std::vector<SlowSeries> out;
  if (expr.kind == ExprKind::kMatrixSelector) {
    const auto& matrix = As<promql::MatrixSelector>(expr);
    *end_ms = Reference(matrix.selector.at, matrix.selector.offset.ms, time_ms);
    *window_ms = matrix.window.ms;
    for (const SlowSeries& series : data_) {
      if (!Selected(matrix.selector, series.labels)) continue;
      const bool smoothed = matrix.selector.smoothed;
      const int64_t before_ms = smoothed || matrix.selector.anchored ? kLookbackMs : 0;
      const int64_t after_ms = smoothed ? kLookbackMs : 0;
      SlowSeries& cut = out.emplace_back(SlowSeries{series.labels, {}});
      for (const auto& [at, value] : series.samples) {
        const bool inside = at > *end_ms - *window_ms - before_ms && at <= *end_ms + after_ms;
        if (inside && !IsStaleMarker(value)) cut.samples.emplace_back(at, value);
      }
    }
    return out;
  }
  const auto& subquery = As<promql::SubqueryExpr>(expr);
  *end_ms = Reference(subquery.at, subquery.offset.ms, time_ms);
  *window_ms = subquery.window.ms;
  std::map<SlowLabels, SlowSeries> by_labels;
  for (int64_t at = -1000 * subquery.step.ms; at <= *end_ms; at += subquery.step.ms) {
    if (at <= *end_ms - *window_ms) continue;
    for (Sample& sample : Eval(*subquery.expr, at)) {
      if (sample.drop_name) sample.labels.erase("__name__");
      SlowSeries& series = by_labels[sample.labels];
      series.labels = sample.labels;
      series.samples.emplace_back(at, sample.value);
    }
  }
  for (auto& [_, series] : by_labels) out.push_back(std::move(series));
  return out;
}

SlowEvaluator::Vector SlowEvaluator::Call(const promql::Call& call, int64_t time_ms) {
  const std::string name(call.function->name);
  Vector out;
  if (name == "vector") return {{{}, Scalar(*call.args[0], time_ms), false}};
  const promql::Expr& last = promql::SkipParens(*call.args.back());
  if (last.type == promql::ValueType::kMatrix) {
    int64_t end_ms = 0;
    int64_t window_ms = 0;
    const double parameter = call.args.size() > 1 ? Scalar(*call.args[0], time_ms) : 0;
    const bool keeps_name = name == "last_over_time" || name == "first_over_time";
    const auto* const matrix = promql::TryAs<promql::MatrixSelector>(last);
    const bool extended = matrix != nullptr && (matrix->selector.anchored || matrix->selector.smoothed);
    for (const SlowSeries& series : Range(last, time_ms, &end_ms, &window_ms)) {
      const auto value = extended ? Extended(name, series, end_ms, window_ms, matrix->selector.smoothed)
                                  : OverWindow(name, series, end_ms, window_ms, parameter);
      if (value) out.push_back({series.labels, *value, !keeps_name});
    }
    return out;
  }
  out = Eval(*call.args[0], time_ms);
  for (Sample& sample : out) {
    if (name == "abs") sample.value = std::fabs(sample.value);
    if (name == "ceil") sample.value = std::ceil(sample.value);
    if (name == "floor") sample.value = std::floor(sample.value);
    if (name == "sgn") sample.value = sample.value > 0 ? 1 : sample.value < 0 ? -1 : sample.value;
    if (name == "clamp_max") sample.value = std::min(sample.value, Scalar(*call.args[1], time_ms));
    sample.drop_name = true;
  }
  return out;
}

SlowEvaluator::Vector SlowEvaluator::Aggregate(const promql::AggregateExpr& expr, int64_t time_ms) {
  std::map<SlowLabels, std::vector<double>> groups;
  for (const Sample& sample : Eval(*expr.expr, time_ms)) {
    groups[Only(sample.labels, expr.grouping, !expr.without)].push_back(sample.value);
  }
  const std::string op(promql::Name(expr.op));
  Vector out;
  for (const auto& [labels, values] : groups) {
    const auto count = static_cast<double>(values.size());
    double sum = 0;
    for (const double value : values) sum += value;
    double squares = 0;
    for (const double value : values) squares += (value - sum / count) * (value - sum / count);
    double value = 1;  // group
    if (op == "sum") value = sum;
    if (op == "avg") value = sum / count;
    if (op == "count") value = count;
    if (op == "min") value = *std::min_element(values.begin(), values.end());
    if (op == "max") value = *std::max_element(values.begin(), values.end());
    if (op == "stdvar") value = squares / count;
    if (op == "quantile") value = Quantile(Scalar(*expr.param, time_ms), values);
    out.push_back({labels, value, false});
  }
  return out;
}

SlowEvaluator::Vector SlowEvaluator::Binary(const promql::BinaryExpr& expr, int64_t time_ms) {
  const bool comparison = promql::IsComparison(expr.op);
  Vector out;
  // Adds `sample` with the operator's value, `kept` being what a comparison keeps.
  const auto add = [&](Sample sample, double a, double b, double kept) {
    if (!comparison) {
      sample.value = Calculate(expr.op, a, b);
      sample.drop_name = true;
    } else if (expr.return_bool) {
      sample.value = Holds(expr.op, a, b) ? 1 : 0;
      sample.drop_name = true;
    } else {
      if (!Holds(expr.op, a, b)) return;
      sample.value = kept;
    }
    out.push_back(std::move(sample));
  };
  if (!expr.matching) {
    const bool scalar_left = expr.lhs->type == promql::ValueType::kScalar;
    const double scalar = Scalar(scalar_left ? *expr.lhs : *expr.rhs, time_ms);
    for (const Sample& sample : Eval(scalar_left ? *expr.rhs : *expr.lhs, time_ms)) {
      add(sample, scalar_left ? scalar : sample.value, scalar_left ? sample.value : scalar, sample.value);
    }
    return out;
  }
  const promql::VectorMatching& matching = *expr.matching;
  const Vector lhs = Eval(*expr.lhs, time_ms);
  const Vector rhs = Eval(*expr.rhs, time_ms);
  const auto key = [&](const Sample& sample) { return Only(sample.labels, matching.labels, matching.on); };
  const auto has = [&](const Vector& side, const Sample& sample) {
    return std::any_of(side.begin(), side.end(), [&](const Sample& other) { return key(other) == key(sample); });
  };
  if (promql::IsSetOperator(expr.op)) {
    for (const Sample& sample : lhs) {
      if (expr.op == BinaryOp::kOr || has(rhs, sample) == (expr.op == BinaryOp::kAnd)) out.push_back(sample);
    }
    for (const Sample& sample : rhs) {
      if (expr.op == BinaryOp::kOr && !has(lhs, sample)) out.push_back(sample);
    }
    return out;
  }
  if ((lhs.empty() && !matching.fill_left) || (rhs.empty() && !matching.fill_right)) return out;
  const bool one_to_one = matching.card == promql::MatchCardinality::kOneToOne;
  std::map<SlowLabels, const Sample*> one;
  for (const Sample& sample : rhs) {
    if (!one.emplace(key(sample), &sample).second) failed_ = true;
  }
  std::set<SlowLabels> matched;
  for (const Sample& sample : lhs) {
    const auto other = one.find(key(sample));
    if (other == one.end() && !matching.fill_right) continue;
    if (one_to_one && !matched.insert(key(sample)).second) failed_ = true;
    Sample result = sample;
    if (one_to_one) {
      for (const auto& [name, _] : sample.labels) {
        const bool named = std::find(matching.labels.begin(), matching.labels.end(), name) != matching.labels.end();
        if (named != matching.on && !(comparison && !matching.on && name == "__name__")) result.labels.erase(name);
      }
    }
    // The generator includes no labels.
    add(std::move(result), sample.value, other == one.end() ? *matching.fill_right : other->second->value,
        sample.value);
  }
  for (const Sample& sample : rhs) {
    if (!matching.fill_left || has(lhs, sample)) continue;
    add({key(sample), 0, true}, *matching.fill_left, sample.value, *matching.fill_left);
  }
  return out;
}

}  // namespace tidemark::query::engine
