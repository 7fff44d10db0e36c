#include "storage/model/quantile_sketch.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tidemark::model {
namespace {

constexpr double kGamma = (1 + QuantileSketch::kRelativeError) / (1 - QuantileSketch::kRelativeError);
// ln(kGamma), written out so that every build has the same keys.
constexpr double kLogGamma = 0.020000666706669435;
// Keys of positive numbers are all above zero: the least double has -37,221 for its exponent of kGamma.
constexpr int32_t kShift = 40'000;
constexpr int32_t kInfinity = 100'000;
constexpr int32_t kNan = -200'000;
// Bins that wait to be sorted, besides as many as are sorted.
constexpr size_t kWaiting = 1024;

}  // namespace

int32_t QuantileSketch::KeyOf(double value) {
  if (value == 0) return 0;
  if (std::isnan(value)) return kNan;
  if (std::isinf(value)) return value < 0 ? -kInfinity : kInfinity;
  const auto exponent = static_cast<int32_t>(std::ceil(std::log(std::fabs(value)) / kLogGamma));
  return value < 0 ? -(exponent + kShift) : exponent + kShift;
}

double QuantileSketch::ValueOf(int32_t key) {
  if (key == 0) return 0;
  if (key <= kNan) return std::numeric_limits<double>::quiet_NaN();
  const int32_t size = std::abs(key);
  if (size >= kInfinity)
    return key < 0 ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  // The bin is (gamma^(exponent - 1), gamma^exponent].
  const double middle = std::exp((size - kShift) * kLogGamma) * (2 / (kGamma + 1));
  const double value = std::min(middle, std::numeric_limits<double>::max());
  return key < 0 ? -value : value;
}

void QuantileSketch::Clear() {
  bins_.clear();
  sorted_ = 0;
  count_ = 0;
}

void QuantileSketch::AddBin(SketchBin bin) {
  count_ += bin.count;
  // Values near each other often come one after the other.
  if (!bins_.empty() && bins_.back().key == bin.key) {
    bins_.back().count += bin.count;
    return;
  }
  bins_.push_back(bin);
  if (bins_.size() > 2 * sorted_ + kWaiting) Sort();
}

void QuantileSketch::Merge(std::span<const SketchBin> bins) {
  for (const SketchBin& bin : bins) AddBin(bin);
}

void QuantileSketch::Sort() const {
  if (sorted_ == bins_.size()) return;
  const auto by_key = [](const SketchBin& a, const SketchBin& b) { return a.key < b.key; };
  std::sort(bins_.begin() + static_cast<std::ptrdiff_t>(sorted_), bins_.end(), by_key);
  std::inplace_merge(bins_.begin(), bins_.begin() + static_cast<std::ptrdiff_t>(sorted_), bins_.end(), by_key);
  size_t out = 0;
  for (size_t i = 1; i < bins_.size(); ++i) {
    if (bins_[i].key == bins_[out].key) {
      bins_[out].count += bins_[i].count;
    } else {
      bins_[++out] = bins_[i];
    }
  }
  bins_.resize(out + 1);
  sorted_ = bins_.size();
}

std::span<const SketchBin> QuantileSketch::bins() const {
  Sort();
  return bins_;
}

double QuantileSketch::Quantile(double q) const {
  if (count_ == 0 || std::isnan(q)) return std::numeric_limits<double>::quiet_NaN();
  if (q < 0) return -std::numeric_limits<double>::infinity();
  if (q > 1) return std::numeric_limits<double>::infinity();
  Sort();
  const double rank = q * static_cast<double>(count_ - 1);
  const auto low_rank = static_cast<uint64_t>(rank);
  const uint64_t high_rank = std::min(count_ - 1, low_rank + 1);
  const double weight = rank - std::floor(rank);
  size_t bin = 0;
  uint64_t before = 0;
  const auto value_at = [&](uint64_t at) {
    while (before + bins_[bin].count <= at) before += bins_[bin++].count;
    return ValueOf(bins_[bin].key);
  };
  const double low = value_at(low_rank);
  const double high = value_at(high_rank);
  return low * (1 - weight) + high * weight;
}

}  // namespace tidemark::model
