// Buckets against a plain reading of their definition, and the edges: reset, NaN, overflow, open and closed ends.
#include "storage/rollup/buckets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "tests/unit/storage/rollup/bucket_data.h"

namespace tidemark::rollup {
namespace {

using model::FieldType;
using testing::ElementsAre;

constexpr double kStale = std::bit_cast<double>(0x7ff0000000000002);

/// Both hold bits of doubles that differ by what rounding a few hundred terms in another order can make.
void ExpectNearlySame(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    const auto x = std::bit_cast<double>(a[i]);
    const auto y = std::bit_cast<double>(b[i]);
    if (!std::isfinite(x) && !std::isfinite(y)) continue;
    EXPECT_NEAR(x, y, 1e-9 * (1 + std::abs(x))) << "bucket " << i;
  }
}

TEST(Buckets, AreOpenOnTheLeftAndClosedOnTheRight) {
  EXPECT_EQ(BucketOf(10, 10), 1);
  EXPECT_EQ(BucketOf(11, 10), 2);
  EXPECT_EQ(BucketOf(0, 10), 0);
  EXPECT_EQ(BucketOf(-1, 10), 0);
  EXPECT_EQ(BucketOf(-9, 10), 0);
  EXPECT_EQ(BucketOf(-10, 10), -1);
  EXPECT_EQ(BucketEnd(-1, 10), -10);
  EXPECT_EQ(BucketEnd(BucketOf(model::kMaxTime.ns, 1'000'000'000'000), 1'000'000'000'000),
            std::numeric_limits<int64_t>::max());
}

TEST(Buckets, HoldWhatTheirRowsSay) {
  const Rows rows{.times = {1, 5, 10, 11, 30}, .ints = {3, 1, 7, 2, 9}};
  const BucketArrays b = Build(rows.view(), 10);
  EXPECT_THAT(b.bucket, ElementsAre(1, 2, 3));
  EXPECT_THAT(b.count, ElementsAre(3, 1, 1));
  EXPECT_THAT(b.first_ns, ElementsAre(1, 11, 30));
  EXPECT_THAT(b.last_ns, ElementsAre(10, 11, 30));
  EXPECT_THAT(b.min, ElementsAre(1, 2, 9));
  EXPECT_THAT(b.max, ElementsAre(7, 2, 9));
  EXPECT_THAT(b.first, ElementsAre(3, 2, 9));
  EXPECT_THAT(b.last, ElementsAre(7, 2, 9));
  EXPECT_THAT(b.sum, ElementsAre(11, 2, 9));
  EXPECT_TRUE(b.exact_sum);
}

TEST(Buckets, IncreaseBeginsAnewAfterAReset) {
  Rows rows;
  for (int64_t i = 1; i <= 32; ++i) {
    rows.times.push_back(i);
    rows.ints.push_back(i <= 20 ? 100 + i : i - 18);  // 120, then 3: a reset
  }
  const BucketArrays b = Build(rows.view(), 32);
  ASSERT_TRUE(b.has_increase);
  EXPECT_TRUE(b.exact_increase);
  EXPECT_THAT(b.increase, ElementsAre(19 + 3 + 11));
  EXPECT_EQ(IncreaseAt(b, 0), 33.0);
}

TEST(Buckets, SeriesThatFallOftenKeepNoIncrease) {
  Rows rows;
  for (int64_t i = 1; i <= 32; ++i) {
    rows.times.push_back(i);
    rows.ints.push_back(i % 2);
  }
  const BucketArrays b = Build(rows.view(), 8);
  EXPECT_FALSE(b.has_increase);
  EXPECT_TRUE(b.increase.empty());
}

TEST(Buckets, SumsPastInt64BecomeDoubles) {
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  const Rows rows{.times = {1, 2, 11}, .ints = {kHuge, kHuge, 5}};
  const BucketArrays b = Build(rows.view(), 10);
  EXPECT_FALSE(b.exact_sum);
  EXPECT_EQ(SumAt(b, 0), 2.0 * static_cast<double>(kHuge));
  EXPECT_EQ(SumAt(b, 1), 5.0);
  const Rows fits{.times = {1, 2, 3}, .ints = {kHuge, kHuge, -kHuge}};
  const BucketArrays exact = Build(fits.view(), 10);
  EXPECT_TRUE(exact.exact_sum);
  EXPECT_THAT(exact.sum, ElementsAre(kHuge));
}

TEST(Buckets, UnsignedOrderIsUnsigned) {
  const Rows rows{.type = FieldType::kUInt, .times = {1, 2, 3}, .ints = {-1, 5, 6}};
  const BucketArrays b = Build(rows.view(), 10);
  EXPECT_THAT(b.min, ElementsAre(5));
  EXPECT_THAT(b.max, ElementsAre(-1));
  EXPECT_FALSE(b.exact_sum);
  EXPECT_EQ(ValueAt(b, b.max, 0), 18446744073709551615.0);
}

TEST(Buckets, DecimalsAreExact) {
  const Rows rows{.type = FieldType::kFloat, .scale = 1, .times = {1, 2, 3}, .ints = {1, 2, 7}};
  const BucketArrays b = Build(rows.view(), 10);
  EXPECT_TRUE(b.exact_sum);
  EXPECT_EQ(SumAt(b, 0), 1.0);  // 0.1 + 0.2 + 0.7, which doubles do not give
  EXPECT_EQ(ValueAt(b, b.max, 0), 0.7);
}

TEST(Buckets, StaleMarkersAreNoRowsAndNanIsPassedOver) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Rows rows{.type = FieldType::kFloat,
                  .scale = model::kBinaryScale,
                  .times = {1, 2, 3, 11, 21, 22},
                  .floats = {nan, 2, kStale, kStale, nan, nan}};
  const BucketArrays b = Build(rows.view(), 10);
  EXPECT_THAT(b.bucket, ElementsAre(1, 3));
  EXPECT_THAT(b.count, ElementsAre(2, 2));
  EXPECT_THAT(b.last_ns, ElementsAre(2, 22));
  EXPECT_EQ(ValueAt(b, b.min, 0), 2.0);
  EXPECT_EQ(ValueAt(b, b.max, 0), 2.0);
  EXPECT_TRUE(std::isnan(ValueAt(b, b.min, 1)));
  EXPECT_TRUE(std::isnan(SumAt(b, 0)));
  const Rows stale_only{.type = FieldType::kFloat, .scale = model::kBinaryScale, .times = {1}, .floats = {kStale}};
  EXPECT_EQ(Build(stale_only.view(), 10).size(), 0u);
}

TEST(Buckets, FreeDoublesAreSummedWithCompensation) {
  const Rows rows{.type = FieldType::kFloat,
                  .scale = model::kBinaryScale,
                  .times = {1, 2, 3, 4},
                  .floats = {1e16, 1.0, -1e16, 1.0}};
  const BucketArrays b = Build(rows.view(), 10);
  EXPECT_FALSE(b.exact_sum);
  EXPECT_EQ(SumAt(b, 0), 2.0);
  const double inf = std::numeric_limits<double>::infinity();
  const Rows infinite{.type = FieldType::kFloat, .scale = model::kBinaryScale, .times = {1, 2}, .floats = {inf, inf}};
  EXPECT_EQ(SumAt(Build(infinite.view(), 10), 0), inf);
}

TEST(Buckets, BoolsAreTheIntegersZeroAndOne) {
  const Rows rows{.type = FieldType::kBool, .times = {1, 2, 3}, .ints = {0, 1, 1}};
  const BucketArrays b = Build(rows.view(), 10);
  ASSERT_EQ(b.size(), 1u);
  EXPECT_EQ(b.type, FieldType::kInt);
  EXPECT_EQ(b.count[0], 3);
  EXPECT_EQ(SumAt(b, 0), 2.0);
  EXPECT_EQ(b.first[0], 0);
  EXPECT_EQ(b.last[0], 1);
}

TEST(Buckets, StringsHaveNone) {
  model::Column column{.type = FieldType::kString, .times = {.size = 1, .first_ns = 1, .step_ns = 0}};
  const std::string_view text = "x";
  column.strings = &text;
  EXPECT_EQ(Build(column, 10).size(), 0u);
}

TEST(Buckets, RegularTimesGiveWhatTheSameExplicitTimesGive) {
  Rows rows;
  for (int64_t i = 0; i < 500; ++i) {
    rows.times.push_back(7 + i * 3);
    rows.ints.push_back(i * i % 77);
  }
  model::Column regular = rows.view();
  regular.times = {.size = 500, .first_ns = 7, .step_ns = 3};
  ExpectSame(Build(regular, 100), Build(rows.view(), 100));
}

TEST(Buckets, CoarserOnesAreThoseBuiltFromTheRows) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    const Rows rows = RandomRows(random);
    const auto width = static_cast<int64_t>(1 + random() % 1000);
    const auto factor = static_cast<int64_t>(1 + random() % 30);
    const BucketArrays coarse = Coarsen(Build(rows.view(), width), factor);
    BucketArrays direct = Build(rows.view(), width * factor);
    // Sums that are not exact (binary floats, integers beyond what a double counts) are rounded in another order.
    if (!coarse.exact_sum) {
      ExpectNearlySame(coarse.sum, direct.sum);
      direct.sum = coarse.sum;
    }
    if (!coarse.exact_increase) {
      ExpectNearlySame(coarse.increase, direct.increase);
      direct.increase = coarse.increase;
    }
    ExpectSame(coarse, direct);
    if (HasFailure()) return;
  }
}

TEST(Buckets, FirstTierHoldsAtLeast256Rows) {
  constexpr int64_t kSecond = 1'000'000'000;
  EXPECT_EQ(FirstTierWidth(kSecond), 300 * kSecond);
  EXPECT_EQ(FirstTierWidth(10 * kSecond), 3600 * kSecond);
  EXPECT_EQ(FirstTierWidth(60 * kSecond), 6 * 3600 * kSecond);
  EXPECT_EQ(FirstTierWidth(kSecond / 100), 60 * kSecond);
  EXPECT_EQ(FirstTierWidth(3600 * kSecond), 0);
  EXPECT_EQ(FirstTierWidth(0), 0);
}

}  // namespace
}  // namespace tidemark::rollup
