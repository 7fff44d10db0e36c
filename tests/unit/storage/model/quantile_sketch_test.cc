// A sketch's quantiles are within 1 % of the exact ones, whatever the distribution, also when it was put together.
#include "storage/model/quantile_sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace tidemark::model {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

double Exact(double q, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double rank = q * static_cast<double>(values.size() - 1);
  const auto low = static_cast<size_t>(rank);
  const size_t high = std::min(values.size() - 1, low + 1);
  const double weight = rank - std::floor(rank);
  return values[low] * (1 - weight) + values[high] * weight;
}

struct Distribution {
  const char* name;
  std::function<double(std::mt19937_64&)> draw;
};

class QuantileSketchTest : public ::testing::TestWithParam<size_t> {
 public:
  static const std::vector<Distribution>& All() {
    static const std::vector<Distribution> all = {
        {"uniform", [](auto& r) { return std::uniform_real_distribution<>(0, 1000)(r); }},
        {"normal", [](auto& r) { return std::normal_distribution<>(0, 50)(r); }},
        {"negative", [](auto& r) { return -std::lognormal_distribution<>(3, 2)(r); }},
        {"heavy tail", [](auto& r) { return std::pow(1 - std::uniform_real_distribution<>(0, 1)(r), -1.5); }},
        {"many zeros", [](auto& r) { return r() % 3 != 0 ? 0.0 : std::normal_distribution<>(0, 1)(r); }},
        {"integers", [](auto& r) { return static_cast<double>(r() % 100) - 50; }},
        {"all exponents",
         [](auto& r) {
           return std::ldexp(1 + std::uniform_real_distribution<>(0, 1)(r), static_cast<int>(r() % 2000) - 1000) *
                  (r() % 2 == 0 ? 1 : -1);
         }},
        {"two far heaps",
         [](auto& r) { return (r() % 2 == 0 ? 1e-9 : 1e9) * (1 + 1e-3 * static_cast<double>(r() % 100)); }},
    };
    return all;
  }
};

TEST_P(QuantileSketchTest, WithinOnePercentOfExact) {
  const Distribution& distribution = All()[GetParam()];
  SCOPED_TRACE(distribution.name);
  std::mt19937_64 random(17);
  for (const size_t count : {1, 2, 10, 1000, 20'000}) {
    std::vector<double> values;
    QuantileSketch whole;
    std::vector<QuantileSketch> parts(7);
    for (size_t i = 0; i < count; ++i) {
      values.push_back(distribution.draw(random));
      whole.Add(values.back());
      parts[random() % parts.size()].Add(values.back());
    }
    QuantileSketch merged;
    for (const QuantileSketch& part : parts) merged.Merge(part.bins());
    ASSERT_EQ(merged.count(), count);
    ASSERT_TRUE(std::ranges::equal(merged.bins(), whole.bins()));
    for (const double q : {0.0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0}) {
      // Of both values that the quantile lies between; of one sign that is 1 % of the quantile.
      const double rank = q * static_cast<double>(count - 1);
      std::vector<double> sorted = values;
      std::sort(sorted.begin(), sorted.end());
      const double low = sorted[static_cast<size_t>(rank)];
      const double high = sorted[std::min(count - 1, static_cast<size_t>(rank) + 1)];
      const double exact = Exact(q, values);
      const double allowed = 1.0001 * QuantileSketch::kRelativeError *
                             ((low < 0) == (high < 0) ? std::fabs(exact) : std::max(std::fabs(low), std::fabs(high)));
      EXPECT_NEAR(whole.Quantile(q), exact, allowed) << "q " << q << " of " << count;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Distributions, QuantileSketchTest,
                         ::testing::Range<size_t>(0, QuantileSketchTest::All().size()));

TEST(QuantileSketch, ValuesThatAreNoOrdinaryNumbers) {
  QuantileSketch sketch;
  EXPECT_TRUE(std::isnan(sketch.Quantile(0.5)));
  sketch.Add(std::numeric_limits<double>::quiet_NaN());
  sketch.Add(-kInf);
  sketch.Add(-0.0);
  sketch.Add(0.0);
  sketch.Add(kInf);
  EXPECT_EQ(sketch.bins().size(), 4U);
  EXPECT_TRUE(std::isnan(sketch.Quantile(0)));
  EXPECT_EQ(sketch.Quantile(0.5), 0);
  EXPECT_EQ(sketch.Quantile(-0.1), -kInf);
  EXPECT_EQ(sketch.Quantile(1.1), kInf);
  EXPECT_TRUE(std::isnan(sketch.Quantile(std::numeric_limits<double>::quiet_NaN())));
  for (const double edge : {std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest(),
                            std::numeric_limits<double>::min()}) {
    EXPECT_NEAR(QuantileSketch::ValueOf(QuantileSketch::KeyOf(edge)) / edge, 1, 0.0101) << edge;
  }
  EXPECT_GT(QuantileSketch::KeyOf(std::numeric_limits<double>::denorm_min()), 0);
  EXPECT_LT(QuantileSketch::KeyOf(-kInf), QuantileSketch::KeyOf(std::numeric_limits<double>::lowest()));
  EXPECT_GT(QuantileSketch::KeyOf(kInf), QuantileSketch::KeyOf(std::numeric_limits<double>::max()));
}

TEST(QuantileSketch, KeysNeverChange) {
  // They are on disk.
  EXPECT_EQ(QuantileSketch::KeyOf(1), 40'000);
  EXPECT_EQ(QuantileSketch::KeyOf(-1), -40'000);
  EXPECT_EQ(QuantileSketch::KeyOf(100), 40'231);
  EXPECT_EQ(QuantileSketch::KeyOf(0.001), 39'655);
}

}  // namespace
}  // namespace tidemark::model
