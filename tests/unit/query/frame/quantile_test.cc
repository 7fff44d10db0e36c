// Quantiles of many values: those of a sorted list, and given up when the query is cancelled.
#include "query/frame/quantile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

namespace tidemark::query::frame {
namespace {

// Fails at one of the looks.
class CountedInterrupt final : public Interrupt {
 public:
  explicit CountedInterrupt(size_t fails_at = SIZE_MAX) : fails_at_(fails_at) {}
  [[nodiscard]] Status CheckInterrupt() const override {
    return looks++ == fails_at_ ? Status(MakeError(ErrorCode::kCancelled, "cancelled")) : Status();
  }
  mutable size_t looks = 0;

 private:
  const size_t fails_at_;
};

double OfSorted(double q, std::vector<double> values) {
  // NaN is smaller than everything.
  std::sort(values.begin(), values.end(),
            [](double a, double b) { return std::isnan(a) != std::isnan(b) ? std::isnan(a) : a < b; });
  const double rank = q * (static_cast<double>(values.size()) - 1);
  const auto low = static_cast<size_t>(std::floor(rank));
  const size_t high = std::min(values.size() - 1, low + 1);
  const double weight = rank - std::floor(rank);
  const double high_value = high == low ? values[low] : values[high];
  return values[low] * (1 - weight) + high_value * weight;
}

std::vector<std::vector<double>> ManyValues() {
  constexpr size_t kMany = 200'000;
  std::mt19937_64 random(3);
  const std::vector<std::function<double(size_t)>> kinds = {
      [&](size_t) { return static_cast<double>(random() % 1'000'000'007); },
      [&](size_t) { return static_cast<double>(random() % 3); },
      [](size_t) { return 7.0; },
      [](size_t i) { return static_cast<double>(i); },
      [](size_t i) { return -static_cast<double>(i); },
      [](size_t i) { return static_cast<double>(i < kMany / 2 ? i : kMany - i); },
      [&](size_t i) { return i % 5 == 0 ? std::nan("") : static_cast<double>(random() % 1000); },
      [](size_t i) { return i == 0 ? 1.0 : 2.0; },
  };
  std::vector<std::vector<double>> all;
  for (const auto& kind : kinds) {
    std::vector<double>& values = all.emplace_back(kMany);
    for (size_t i = 0; i < kMany; ++i) values[i] = kind(i);
  }
  return all;
}

TEST(QuantileTest, AgreesWithASortedList) {
  for (const std::vector<double>& values : ManyValues()) {
    for (const double q : {0.0, 0.000'001, 0.25, 0.5, 0.9, 0.999'99, 1.0}) {
      const double expected = OfSorted(q, values);
      std::vector<double> copy = values;
      const double got = Quantile(q, copy);
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(got)) << q;
      } else {
        EXPECT_EQ(got, expected) << q;
      }
    }
  }
}

TEST(QuantileTest, LooksOftenAndEndsWhenItIsCancelled) {
  for (const std::vector<double>& values : ManyValues()) {
    std::vector<double> copy = values;
    const CountedInterrupt counted;
    ASSERT_TRUE(Quantile(0.5, copy, counted).ok());
    EXPECT_GE(counted.looks, values.size() / 16'384);
    EXPECT_LE(counted.looks, 400U) << "the work is a few times the number of values";
    for (const size_t at : {size_t{0}, counted.looks / 2, counted.looks - 1}) {
      copy = values;
      EXPECT_EQ(Quantile(0.5, copy, CountedInterrupt(at)).error().code, ErrorCode::kCancelled) << at;
    }
  }
}

}  // namespace
}  // namespace tidemark::query::frame
