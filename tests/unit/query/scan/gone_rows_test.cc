// The rows that stand for a bucket whose own are gone, of counters above all.
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "query/scan/gone_rows.h"
#include "query/scan/row_reader.h"
#include "query/scan/tier_part.h"
#include "storage/model/column.h"
#include "storage/storage.h"

namespace tidemark::query::scan {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// As kernels have it: a value that is lower than the one before it comes after a reset.
double IncreaseOf(const std::vector<double>& values) {
  double increase = 0;
  for (size_t i = 1; i < values.size(); ++i) {
    increase += values[i] < values[i - 1] ? values[i] : values[i] - values[i - 1];
  }
  return increase;
}

// The bucket of hundredths, `words`, with a row each second: as integers, or as doubles that were added one by one.
TierPart BucketOf(const std::vector<int64_t>& words, bool exact) {
  std::vector<double> values;
  TierPart out;
  out.scale = 2;
  for (const int64_t word : words) {
    const double value = static_cast<double>(word) / 100;
    if (!values.empty() && value < values.back()) out.lost_words += out.last_word;
    values.push_back(value);
    out.sum_words += word;
    out.last_word = word;
  }
  out.count = static_cast<double>(values.size());
  out.min = *std::ranges::min_element(values);
  out.max = *std::ranges::max_element(values);
  out.first = values.front();
  out.last = values.back();
  out.first_ns = kSecond;
  out.last_ns = static_cast<int64_t>(values.size()) * kSecond;
  if (!exact) {
    out.exact = false;
    out.sum = {static_cast<double>(out.sum_words) / 100, 0};
    out.lost = IncreaseOf(values) - (out.last - out.first);
  }
  return out;
}

void ExpectSameIncrease(const std::vector<int64_t>& words, bool exact) {
  SCOPED_TRACE(fmt::format("hundredths {}, {}", fmt::join(words, " "), exact ? "exact" : "doubles"));
  const TierPart bucket = BucketOf(words, exact);
  model::ColumnBuffer rows;
  AppendRows(bucket, GoneRows::kCounter, &rows);
  ASSERT_EQ(rows.floats.size(), words.size());
  ASSERT_EQ(rows.times.size(), words.size());
  // The ends are real to the bit, so that the steps to the buckets before and behind are too.
  ASSERT_EQ(rows.floats.front(), bucket.first);
  ASSERT_EQ(rows.floats.back(), bucket.last);
  ASSERT_NEAR(IncreaseOf(rows.floats), bucket.Increase(), 1e-9 * std::max(1.0, bucket.Increase()))
      << fmt::format("{}", fmt::join(rows.floats, " "));
}

void ExpectSameIncrease(const std::vector<int64_t>& words) {
  ExpectSameIncrease(words, true);
  ExpectSameIncrease(words, false);
}

TEST(GoneRowsTest, WhatWasLostIsLostOnce) {
  // 1.76 was lost, which sums of doubles make a little less.
  ExpectSameIncrease({176, 117, 200, 300, 398});
  // It was lost before the second row, where the third is above what was lost.
  ExpectSameIncrease({500, 0, 1000});
  // It rose by more behind the reset than before, in one step.
  ExpectSameIncrease({0, 100, 0, 0, 10'000});
}

TEST(GoneRowsTest, RowsHaveTheIncreaseOfTheirBucket) {
  // All buckets of up to five rows of these.
  const std::vector<int64_t> choices = {0, 5, 117, 176, 398, 10'000};
  for (size_t size = 1; size <= 5; ++size) {
    std::vector<size_t> digits(size);
    for (;;) {
      std::vector<int64_t> words;
      for (const size_t digit : digits) words.push_back(choices[digit]);
      ExpectSameIncrease(words);
      if (testing::Test::HasFatalFailure()) return;
      size_t place = 0;
      while (place < size && ++digits[place] == choices.size()) digits[place++] = 0;
      if (place == size) break;
    }
  }
}

TEST(GoneRowsTest, WhatIsNoCounterFallsOnceAtMost) {
  const auto falls = [](const std::vector<int64_t>& words) {
    model::ColumnBuffer rows;
    AppendRows(BucketOf(words, true), GoneRows::kCounter, &rows);
    EXPECT_EQ(rows.floats.back(), static_cast<double>(words.back()) / 100);
    size_t count = 0;
    for (size_t row = 1; row < rows.floats.size(); ++row) count += rows.floats[row] < rows.floats[row - 1] ? 1 : 0;
    return count;
  };
  // As much was lost as was risen, or a little more for doubles.
  EXPECT_EQ(falls({-197, -136, -201, -200, -150, -100, -61}), 0U);
  EXPECT_LE(falls({500, -100, -300, -200, -100}), 1U);
  EXPECT_LE(falls({-100, -200, -300, -400, -500}), 1U);
  EXPECT_LE(falls({-100, 300, -500, -600, -700}), 1U);
}

TEST(GoneRowsTest, TheLastRowIsRealToTheBit) {
  // Thirds, fifths and so on of a value do not always come to it again.
  for (int64_t size = 3; size < 20; ++size) {
    for (int64_t last = 1; last < 200; ++last) {
      std::vector<int64_t> words(static_cast<size_t>(size), last);
      words[0] = 300;
      ExpectSameIncrease(words);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(GoneRowsTest, WhatIsInfiniteStaysSo) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  TierPart bucket = BucketOf({100, 100, 100}, false);
  bucket.min = bucket.max = bucket.first = bucket.last = kInfinite;
  bucket.sum = {kInfinite, 0};
  for (const GoneRows as : {GoneRows::kMean, GoneRows::kMin, GoneRows::kMax, GoneRows::kKnown}) {
    model::ColumnBuffer rows;
    AppendRows(bucket, as, &rows);
    EXPECT_EQ(rows.floats, std::vector<double>(3, kInfinite)) << static_cast<int>(as);
  }
}

}  // namespace
}  // namespace tidemark::query::scan
