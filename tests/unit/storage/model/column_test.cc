#include "storage/model/column.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace tidemark::model {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TEST(Times, RegularBoundsEqualExplicitBounds) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 200; ++round) {
    Times regular{.size = 1 + random() % 20,
                  .first_ns = static_cast<int64_t>(random() % 2000) - 1000,
                  .step_ns = static_cast<int64_t>(1 + random() % 50)};
    if (regular.size == 1) regular.step_ns = 0;
    std::vector<int64_t> all;
    for (size_t i = 0; i < regular.size; ++i) all.push_back(regular[i]);
    const Times explicit_times{.size = all.size(), .explicit_ns = all.data()};
    for (int probe = 0; probe < 50; ++probe) {
      const int64_t ns = static_cast<int64_t>(random() % 4000) - 2000;
      EXPECT_EQ(regular.LowerBound(ns), explicit_times.LowerBound(ns));
      EXPECT_EQ(regular.UpperBound(ns), explicit_times.UpperBound(ns));
    }
    for (const int64_t ns : {kMin, kMax}) {
      EXPECT_EQ(regular.LowerBound(ns), explicit_times.LowerBound(ns));
      EXPECT_EQ(regular.UpperBound(ns), explicit_times.UpperBound(ns));
    }
  }
}

TEST(Times, FarApartEndsDoNotOverflow) {
  const Times times{.size = 2, .first_ns = kMin + 2, .step_ns = kMax};
  EXPECT_EQ(times.LowerBound(kMax), 2U);
  EXPECT_EQ(times.LowerBound(0), 1U);
}

TEST(Times, SlicesAreTheSameTimes) {
  const Times regular{.size = 10, .first_ns = 100, .step_ns = 10};
  const Times slice = regular.Slice(3, 7);
  EXPECT_EQ(slice.size, 4U);
  EXPECT_EQ(slice.front(), 130);
  EXPECT_EQ(slice.back(), 160);
}

TEST(Column, DoublesOfEveryType) {
  const int64_t ints[] = {1, -25, 3};
  const double floats[] = {0.5, -0.0, 2};
  Column column{.type = FieldType::kFloat, .scale = 1, .times = {.size = 3, .step_ns = 1}, .ints = ints};
  double out[3];
  ToDoubles(column, 0, 3, out);
  EXPECT_EQ(out[1], -2.5);
  EXPECT_EQ(DoubleAt(column, 1), -2.5);
  EXPECT_TRUE(column.scaled());
  column.floats = floats;
  column.ints = nullptr;
  ToDoubles(column, 1, 3, out);
  EXPECT_TRUE(std::signbit(out[0]));
  column = {.type = FieldType::kUInt, .times = {.size = 3}, .ints = ints};
  EXPECT_EQ(DoubleAt(column, 1), static_cast<double>(std::bit_cast<uint64_t>(int64_t{-25})));
  ToDoubles(column, 1, 2, out);
  EXPECT_EQ(out[0], DoubleAt(column, 1));
  column = {.type = FieldType::kString, .times = {.size = 3}};
  EXPECT_TRUE(std::isnan(DoubleAt(column, 0)));
}

}  // namespace
}  // namespace tidemark::model
