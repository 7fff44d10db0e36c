#include "query/frame/quantile.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

namespace tidemark::query::frame {

namespace {

// Values that are looked at without asking whether to go on: less than a millisecond.
constexpr size_t kPiece = size_t{1} << 14;
// Below this nth_element is quick enough.
constexpr size_t kFew = size_t{1} << 16;

Status Check(const Interrupt* interrupt, size_t index) {
  return interrupt != nullptr && index % kPiece == 0 ? interrupt->CheckInterrupt() : Status();
}

// Moves the values that `belongs` takes to the front, and gives how many they are.
template <typename Belongs>
Result<size_t> MoveToFront(std::span<double> values, const Belongs& belongs, const Interrupt* interrupt) {
  size_t front = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    TM_RETURN_IF_ERROR(Check(interrupt, i));
    if (belongs(values[i])) std::swap(values[i], values[front++]);
  }
  return front;
}

// The middle of some values from all over.
double PivotOf(std::span<const double> values) {
  std::array<double, 25> some{};
  uint64_t random = values.size();
  for (double& each : some) {
    random = random * 6'364'136'223'846'793'005 + 1'442'695'040'888'963'407;
    each = values[(random >> 20) % values.size()];
  }
  std::nth_element(some.begin(), some.begin() + some.size() / 2, some.end());
  return some[some.size() / 2];
}

// std::nth_element of the value at `nth`, without NaN among them. Hoare's selection: each pass leaves one side of a
// value in the middle, so that all of them together look at a few times as many values as there are.
Status SelectNth(std::span<double> values, size_t nth, const Interrupt* interrupt) {
  while (values.size() > kFew) {
    const double pivot = PivotOf(values);
    TM_TRY_ASSIGN(size_t smaller, MoveToFront(values, [&](double v) { return v < pivot; }, interrupt));
    if (nth < smaller) {
      values = values.first(smaller);
      continue;
    }
    if (smaller == 0) {  // the pivot is the least: what equals it goes to the front
      TM_TRY_ASSIGN(smaller, MoveToFront(values, [&](double v) { return v == pivot; }, interrupt));
      if (nth < smaller) return {};
    }
    values = values.subspan(smaller);
    nth -= smaller;
  }
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(nth), values.end());
  return {};
}

Result<double> QuantileOf(double q, std::span<double> values, const Interrupt* interrupt) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (values.empty() || std::isnan(q)) return std::numeric_limits<double>::quiet_NaN();
  if (q < 0) return -kInfinity;
  if (q > 1) return kInfinity;
  // NaN first; what is left has an order that a selection may rely on.
  TM_TRY_ASSIGN(const size_t nans, MoveToFront(values, [](double v) { return std::isnan(v); }, interrupt));
  const double n = static_cast<double>(values.size());
  const double rank = q * (n - 1);
  const double lower = std::max(0.0, std::floor(rank));
  const double upper = std::min(n - 1, lower + 1);
  const double weight = rank - std::floor(rank);
  const auto low = static_cast<size_t>(lower);
  const auto high = static_cast<size_t>(upper);
  if (low >= nans) TM_RETURN_IF_ERROR(SelectNth(values.subspan(nans), low - nans, interrupt));
  const double low_value = values[low];
  // What stands behind the nth element is not smaller than it: the next one in order is the least of it.
  const double high_value =
      high == low ? low_value
      : high < nans
          ? values[high]
          : *std::min_element(values.begin() + static_cast<std::ptrdiff_t>(std::max(high, nans)), values.end());
  return low_value * (1 - weight) + high_value * weight;
}

}  // namespace

double Quantile(double q, std::span<double> values) { return *QuantileOf(q, values, nullptr); }

Result<double> Quantile(double q, std::span<double> values, const Interrupt& interrupt) {
  return QuantileOf(q, values, &interrupt);
}

}  // namespace tidemark::query::frame
