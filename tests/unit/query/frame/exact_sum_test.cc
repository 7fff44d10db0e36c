#include "query/frame/exact_sum.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace tidemark::query::frame {
namespace {

TEST(ExactSumTest, IsTheSameForAllLengthsAndSigns) {
  std::mt19937_64 random(11);
  for (size_t size = 0; size < 70; ++size) {
    for (const int shift : {0, 1, 11, 40, 63}) {
      std::vector<int64_t> values(size);
      for (int64_t& value : values) value = static_cast<int64_t>(random()) >> shift;
      const IntegerSum wanted = SumOfPlainly(values);
      const IntegerSum got = SumOf(values);
      EXPECT_EQ(got.sum, wanted.sum) << size << ' ' << shift;
      EXPECT_EQ(got.bits, wanted.bits) << size << ' ' << shift;
      uint64_t sum = 0;
      for (const int64_t value : values) sum += static_cast<uint64_t>(value);
      EXPECT_EQ(static_cast<uint64_t>(wanted.sum), sum);
    }
  }
}

TEST(ExactSumTest, SaysWhereDoublesWouldRound) {
  constexpr int64_t kExact = int64_t{1} << 53;
  const auto exact = [](std::vector<int64_t> values) { return AddUpExactly(SumOf(values).bits, values.size()); };
  EXPECT_TRUE(exact({}));
  EXPECT_TRUE(exact({kExact - 1}));
  EXPECT_TRUE(exact({-kExact}));
  EXPECT_FALSE(exact({kExact}));
  EXPECT_FALSE(exact({kExact + 1}));
  EXPECT_FALSE(exact({kExact - 1, 1}));
  EXPECT_TRUE(exact({kExact / 2 - 1, -kExact / 2}));
  EXPECT_FALSE(exact({std::numeric_limits<int64_t>::max()}));
  EXPECT_FALSE(exact({std::numeric_limits<int64_t>::min()}));
}

}  // namespace
}  // namespace tidemark::query::frame
