// The running state of one group at one step, for each aggregation. Empty when default-made. Orders of operations are
// those of Prometheus (promql/engine.go, aggregation); Merge adds the state of values that come later.
#pragma once

#include <cmath>
#include <limits>

#include "query/frame/kahan.h"

namespace tidemark::query::operators {

struct SumCell {
  frame::KahanSum sum;
  bool seen = false;
  [[nodiscard]] bool empty() const { return !seen; }
  void Add(double value) {
    if (!seen) {
      sum.sum = value;
      seen = true;
    } else {
      sum.Add(value);
    }
  }
  void Merge(const SumCell& other) {
    if (!seen) {
      *this = other;
      return;
    }
    sum.Add(other.sum.sum);
    if (!std::isinf(sum.sum)) sum.compensation += other.sum.compensation;
  }
  [[nodiscard]] double Value() const { return sum.sum + sum.compensation; }
};

struct AvgCell {
  frame::KahanMean mean;
  [[nodiscard]] bool empty() const { return mean.count == 0; }
  void Add(double value) { mean.Add(value); }
  void Merge(const AvgCell& other) { mean.Merge(other.mean); }
  [[nodiscard]] double Value() const { return mean.Value(); }
};

struct CountCell {
  double count = 0;
  [[nodiscard]] bool empty() const { return count == 0; }
  void Add(double) { count += 1; }
  void Merge(const CountCell& other) { count += other.count; }
  [[nodiscard]] double Value() const { return count; }
};

struct GroupCell {
  bool seen = false;
  [[nodiscard]] bool empty() const { return !seen; }
  void Add(double) { seen = true; }
  void Merge(const GroupCell&) { seen = true; }
  [[nodiscard]] double Value() const { return 1; }
};

// NaN loses against everything.
struct MinCell {
  double best = 0;
  bool seen = false;
  [[nodiscard]] bool empty() const { return !seen; }
  void Add(double value) {
    if (!seen || best > value || std::isnan(best)) best = value;
    seen = true;
  }
  void Merge(const MinCell& other) { Add(other.best); }
  [[nodiscard]] double Value() const { return best; }
};

struct MaxCell {
  double best = 0;
  bool seen = false;
  [[nodiscard]] bool empty() const { return !seen; }
  void Add(double value) {
    if (!seen || best < value || std::isnan(best)) best = value;
    seen = true;
  }
  void Merge(const MaxCell& other) { Add(other.best); }
  [[nodiscard]] double Value() const { return best; }
};

// Welford's running variance; merged with Chan, Golub and LeVeque's formula (1979).
struct StdvarCell {
  double count = 0;
  double mean = 0;
  double squares = 0;
  [[nodiscard]] bool empty() const { return count == 0; }
  void Add(double value) {
    count += 1;
    if (count == 1) {
      mean = value;
      squares = std::isfinite(value) ? 0 : std::numeric_limits<double>::quiet_NaN();
      return;
    }
    const double delta = value - mean;
    mean += delta / count;
    squares += delta * (value - mean);
  }
  void Merge(const StdvarCell& other) {
    if (count == 0) {
      *this = other;
      return;
    }
    const double all = count + other.count;
    const double delta = other.mean - mean;
    mean += delta * (other.count / all);
    squares += other.squares + delta * delta * (count * other.count / all);
    count = all;
  }
  [[nodiscard]] double Value() const { return squares / count; }
};

struct StddevCell : StdvarCell {
  [[nodiscard]] double Value() const { return std::sqrt(StdvarCell::Value()); }
};

}  // namespace tidemark::query::operators
