// Rows to make buckets of, and how buckets are compared: what the tests of rollups share.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "storage/model/batch.h"
#include "storage/rollup/buckets.h"

namespace tidemark::rollup {

struct Rows {
  model::FieldType type = model::FieldType::kInt;
  uint8_t scale = 0;
  std::vector<int64_t> times{};
  std::vector<int64_t> ints{};
  std::vector<double> floats{};

  [[nodiscard]] model::Column view() const {
    model::Column column{.type = type, .scale = scale};
    column.times.size = times.size();
    column.times.explicit_ns = times.data();
    if (floats.empty()) {
      column.ints = ints.data();
    } else {
      column.floats = floats.data();
    }
    return column;
  }
};

// Integers, unsigned, decimals or doubles; counters with resets, walks or noise; far apart or close.
inline Rows RandomRows(std::mt19937_64& random) {
  Rows rows{.type = model::FieldType{static_cast<uint8_t>(1 + random() % 3)}};
  if (rows.type == model::FieldType::kFloat) rows.scale = random() % 2 == 0 ? model::kBinaryScale : 2;
  const uint64_t shape = random() % 3;
  auto value = static_cast<int64_t>(random() % 1000);
  int64_t time = static_cast<int64_t>(random() % 100'000) - 50'000;
  const size_t size = 1 + random() % 600;
  for (size_t i = 0; i < size; ++i) {
    time += 1 + static_cast<int64_t>(random() % 40);
    if (shape == 0) value = random() % 90 == 0 ? 0 : value + static_cast<int64_t>(random() % 20);
    if (shape == 1) value += static_cast<int64_t>(random() % 9) - 4;
    if (shape == 2) value = static_cast<int64_t>(random() >> 12);
    rows.times.push_back(time);
    if (rows.type == model::FieldType::kFloat && rows.scale == model::kBinaryScale) {
      rows.floats.push_back(static_cast<double>(value) / 3);
    } else {
      rows.ints.push_back(value);
    }
  }
  return rows;
}

inline void ExpectSame(const BucketArrays& a, const BucketArrays& b) {
  EXPECT_EQ(a.type, b.type);
  EXPECT_EQ(a.scale, b.scale);
  EXPECT_EQ(a.width_ns, b.width_ns);
  EXPECT_EQ(a.exact_sum, b.exact_sum);
  EXPECT_EQ(a.has_increase, b.has_increase);
  EXPECT_EQ(a.exact_increase, b.exact_increase);
  EXPECT_EQ(a.bucket, b.bucket);
  EXPECT_EQ(a.count, b.count);
  EXPECT_EQ(a.first_ns, b.first_ns);
  EXPECT_EQ(a.last_ns, b.last_ns);
  EXPECT_EQ(a.min, b.min);
  EXPECT_EQ(a.max, b.max);
  EXPECT_EQ(a.first, b.first);
  EXPECT_EQ(a.last, b.last);
  EXPECT_EQ(a.sum, b.sum);
  EXPECT_EQ(a.increase, b.increase);
}

}  // namespace tidemark::rollup
