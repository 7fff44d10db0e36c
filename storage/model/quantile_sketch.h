// QuantileSketch: the distribution of many values in a few hundred bins, from which any quantile follows with a
// relative error of at most kRelativeError in each of the two values that it lies between, whatever the distribution.
// Sketches of parts, put together in any order, are that of the whole.
//
//   QuantileSketch all;
//   for (const QuantileSketch& part : parts) all.Merge(part.bins());
//   double p99 = all.Quantile(0.99);
//
// Source: Masson, Rim, Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees",
// VLDB 2019. Bins are never joined to save room, so that the error holds for every quantile: a sketch has at most one
// bin per value, and at most 145,000.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tidemark::model {

// The values that share `key`, which ascends with the value. Keys are stored on disk: KeyOf never changes.
struct SketchBin {
  int32_t key = 0;
  uint64_t count = 0;  // >= 1
  friend bool operator==(const SketchBin&, const SketchBin&) = default;
};

// Not thread-safe, const calls neither.
class QuantileSketch {
 public:
  static constexpr double kRelativeError = 0.01;

  // NaN comes before all numbers, as in the quantiles of Prometheus; zero, infinities and NaN have bins of their own.
  static int32_t KeyOf(double value);
  // A value no farther than kRelativeError from any of the bin.
  static double ValueOf(int32_t key);

  void Clear();
  void Add(double value) { AddBin({KeyOf(value), 1}); }
  // Bins in any order.
  void Merge(std::span<const SketchBin> bins);
  [[nodiscard]] uint64_t count() const { return count_; }
  // Ascending by key, each once. Valid until the next change.
  [[nodiscard]] std::span<const SketchBin> bins() const;
  // As quantile_over_time: between the values at the ranks floor and ceiling of q * (count - 1), by the fraction. NaN
  // without values and for q NaN, -Inf for q < 0, +Inf for q > 1.
  [[nodiscard]] double Quantile(double q) const;

 private:
  void AddBin(SketchBin bin);
  void Sort() const;

  mutable std::vector<SketchBin> bins_;
  mutable size_t sorted_ = 0;  // so many of them ascend, each key once
  uint64_t count_ = 0;
};

}  // namespace tidemark::model
