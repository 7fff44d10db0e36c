#include "query/frame/quantile.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tidemark::query::frame {

double Quantile(double q, std::span<double> values) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (values.empty() || std::isnan(q)) return std::numeric_limits<double>::quiet_NaN();
  if (q < 0) return -kInfinity;
  if (q > 1) return kInfinity;
  // NaN first; what is left has an order that nth_element may rely on.
  const auto numbers = std::partition(values.begin(), values.end(), [](double v) { return std::isnan(v); });
  const auto nans = static_cast<size_t>(numbers - values.begin());
  const double n = static_cast<double>(values.size());
  const double rank = q * (n - 1);
  const double lower = std::max(0.0, std::floor(rank));
  const double upper = std::min(n - 1, lower + 1);
  const double weight = rank - std::floor(rank);
  const auto low = static_cast<size_t>(lower);
  const auto high = static_cast<size_t>(upper);
  if (low >= nans) {
    std::nth_element(numbers, values.begin() + static_cast<std::ptrdiff_t>(low), values.end());
  }
  const double low_value = values[low];
  // What stands behind the nth element is not smaller than it: the next one in order is the least of it.
  const double high_value =
      high == low ? low_value
      : high < nans
          ? values[high]
          : *std::min_element(values.begin() + static_cast<std::ptrdiff_t>(std::max(high, nans)), values.end());
  return low_value * (1 - weight) + high_value * weight;
}

}  // namespace tidemark::query::frame
