// Kernels against plain loops over one window after the other, on random series of every representation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "query/frame/time_math.h"
#include "query/functions/kernels.h"
#include "query/scan/fold.h"
#include "storage/model/batch.h"

namespace tidemark::query::functions {
namespace {

using frame::MsToNs;
using frame::Samples;
using scan::FoldCall;
using scan::FoldKernel;
using scan::FoldScratch;
using scan::Windows;
using scan::WindowSpec;

constexpr int64_t kSecond = 1'000'000'000;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct TestSeries {
  model::Column column;
  std::vector<int64_t> times, ints;
  std::vector<double> floats;
};

enum class Kind { kInts, kScaled, kFloats, kFloatsWithNan, kCounter };

TestSeries MakeSeries(Kind kind, bool regular, size_t rows, std::mt19937_64* random) {
  TestSeries out;
  int64_t at = static_cast<int64_t>((*random)() % 100) * kSecond;
  int64_t counter = 0;
  for (size_t i = 0; i < rows; ++i) {
    at += regular ? 10 * kSecond : static_cast<int64_t>((*random)() % 20 + 1) * kSecond;
    out.times.push_back(at);
    const auto number = static_cast<int64_t>((*random)() % 2001) - 1000;
    counter = (*random)() % 7 == 0 ? 0 : counter + std::abs(number);
    out.ints.push_back(kind == Kind::kCounter ? counter : number);
    out.floats.push_back(kind == Kind::kFloatsWithNan && (*random)() % 3 == 0 ? kNan : static_cast<double>(number) / 7);
  }
  out.column.times = {.size = rows, .first_ns = 0, .step_ns = 0, .explicit_ns = out.times.data()};
  if (regular && rows > 0) {
    out.column.times = {.size = rows, .first_ns = out.times[0], .step_ns = rows > 1 ? 10 * kSecond : 0};
  }
  const bool floats = kind == Kind::kFloats || kind == Kind::kFloatsWithNan;
  out.column.type = kind == Kind::kInts || kind == Kind::kCounter ? model::FieldType::kInt : model::FieldType::kFloat;
  out.column.scale = floats ? model::kBinaryScale : kind == Kind::kScaled ? 2 : 0;
  if (floats) {
    out.column.floats = out.floats.data();
  } else {
    out.column.ints = out.ints.data();
  }
  return out;
}

struct Row {
  double time;  // seconds
  double value;
};
using Plain = std::function<double(const std::vector<Row>& rows)>;

// Folds with the kernel and, window by window, with `plain`; `rows_min` rows make a value.
void Compare(FoldKernel kernel, size_t rows_min, const Plain& plain, bool exact_on_floats = true) {
  const uint64_t seed = std::random_device()();
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    const Kind kind = static_cast<Kind>(round % 5);
    TestSeries series = MakeSeries(kind, round % 2 == 0, random() % 120, &random);
    // Short steps make windows overlap so that kernels slide; long ones leave gaps.
    const WindowSpec spec{.grid = {.start_ms = 0, .step_ms = (round % 3 == 0 ? 90'000 : 7'000), .count = 60},
                          .reference = {},
                          .length_ms = static_cast<int64_t>(random() % 300'000 + 1)};
    Windows windows(spec);
    Samples samples;
    samples.Reset(series.column, true);
    windows.Fill(samples.times());
    std::vector<double> out(60), arguments(60, 0.25);
    std::vector<uint8_t> present(60);
    const double* pointer = arguments.data();
    FoldScratch scratch;
    FoldCall call{.windows = windows,
                  .samples = samples,
                  .arguments = {&pointer, 1},
                  .out = out.data(),
                  .present = present.data(),
                  .scratch = scratch};
    kernel(call);
    for (size_t step = 0; step < 60; ++step) {
      std::vector<Row> rows;
      for (size_t i = 0; i < series.times.size(); ++i) {
        const int64_t end = MsToNs(spec.EndMs(step));
        if (series.times[i] > end - MsToNs(spec.length_ms) && series.times[i] <= end) {
          rows.push_back({static_cast<double>(series.times[i]) / 1e9, model::DoubleAt(series.column, i)});
        }
      }
      const std::string where =
          "seed " + std::to_string(seed) + " round " + std::to_string(round) + " step " + std::to_string(step);
      ASSERT_EQ(present[step] != 0, rows.size() >= rows_min) << where;
      if (present[step] == 0) continue;
      const double want = plain(rows);
      if (std::isnan(want)) {
        ASSERT_TRUE(std::isnan(out[step])) << where;
      } else if (exact_on_floats && kind != Kind::kFloats && kind != Kind::kFloatsWithNan) {
        ASSERT_DOUBLE_EQ(out[step], want) << where;
      } else {
        ASSERT_NEAR(out[step], want, 1e-9 * (std::fabs(want) + 1000)) << where;
      }
    }
  }
}

double SumOf(const std::vector<Row>& rows) {
  long double sum = 0;
  for (const Row& row : rows) sum += static_cast<long double>(row.value);
  return static_cast<double>(sum);
}

double ExtremeOf(const std::vector<Row>& rows, bool highest) {
  double best = kNan;
  for (const Row& row : rows) {
    if (std::isnan(best) || (highest ? row.value > best : row.value < best)) best = row.value;
  }
  return best;
}

TEST(KernelsTest, Sum) { Compare(FoldSum, 1, SumOf, false); }
TEST(KernelsTest, Avg) {
  Compare(FoldAvg, 1, [](const auto& rows) { return SumOf(rows) / static_cast<double>(rows.size()); }, false);
}
TEST(KernelsTest, Count) {
  Compare(FoldCount, 1, [](const auto& rows) { return static_cast<double>(rows.size()); });
}
TEST(KernelsTest, Min) {
  Compare(FoldMin, 1, [](const auto& rows) { return ExtremeOf(rows, false); });
}
TEST(KernelsTest, Max) {
  Compare(FoldMax, 1, [](const auto& rows) { return ExtremeOf(rows, true); });
}
TEST(KernelsTest, FirstAndLast) {
  Compare(FoldFirst, 1, [](const auto& rows) { return rows.front().value; });
  Compare(FoldLast, 1, [](const auto& rows) { return rows.back().value; });
}
TEST(KernelsTest, Variance) {
  Compare(
      FoldStdvar, 1,
      [](const auto& rows) {
        const double mean = SumOf(rows) / static_cast<double>(rows.size());
        double squares = 0;
        for (const Row& row : rows) squares += (row.value - mean) * (row.value - mean);
        return squares / static_cast<double>(rows.size());
      },
      false);
}
TEST(KernelsTest, Quantile) {
  Compare(FoldQuantile, 1, [](const auto& rows) {
    std::vector<double> values;
    for (const Row& row : rows) values.push_back(std::isnan(row.value) ? -1e300 : row.value);
    std::ranges::sort(values);
    const double rank = 0.25 * static_cast<double>(values.size() - 1);
    const auto low = static_cast<size_t>(rank);
    const size_t high = std::min(low + 1, values.size() - 1);
    const double weight = rank - static_cast<double>(low);
    if (values[low] == -1e300 || values[high] == -1e300) return kNan;
    return values[low] * (1 - weight) + values[high] * weight;
  });
}
TEST(KernelsTest, Changes) {
  Compare(FoldChanges, 1, [](const auto& rows) {
    double changes = 0;
    for (size_t i = 1; i < rows.size(); ++i) {
      const double a = rows[i - 1].value;
      const double b = rows[i].value;
      if (a != b && !(std::isnan(a) && std::isnan(b))) ++changes;
    }
    return changes;
  });
}
TEST(KernelsTest, Resets) {
  Compare(FoldResets, 1, [](const auto& rows) {
    double resets = 0;
    for (size_t i = 1; i < rows.size(); ++i) resets += rows[i].value < rows[i - 1].value ? 1 : 0;
    return resets;
  });
}
TEST(KernelsTest, Irate) {
  Compare(FoldIrate, 2, [](const auto& rows) {
    const Row& a = rows[rows.size() - 2];
    const Row& b = rows.back();
    return (b.value < a.value ? b.value : b.value - a.value) / (b.time - a.time);
  });
}
TEST(KernelsTest, DerivFollowsALine) {
  TestSeries series = MakeSeries(Kind::kInts, true, 50, std::make_unique<std::mt19937_64>(1).get());
  for (size_t i = 0; i < 50; ++i) series.ints[i] = static_cast<int64_t>(30 * i);
  const WindowSpec spec{
      .grid = {.start_ms = 300'000, .step_ms = 1000, .count = 5}, .reference = {}, .length_ms = 120'000};
  Windows windows(spec);
  Samples samples;
  samples.Reset(series.column, true);
  windows.Fill(samples.times());
  std::vector<double> out(5);
  std::vector<uint8_t> present(5);
  FoldScratch scratch;
  FoldCall call{.windows = windows,
                .samples = samples,
                .arguments = {},
                .out = out.data(),
                .present = present.data(),
                .scratch = scratch};
  FoldDeriv(call);
  for (const double slope : out) EXPECT_NEAR(slope, 3, 1e-12);
}

TEST(KernelsTest, DeltaExtrapolatesByTheSpacingOfSamples) {
  // 0, 30, 60 at 10, 20 and 30 s in (0 s, 35 s] is 60 * (20 + 10 + 5) / 20.
  const std::vector<int64_t> ints{0, 30, 60};
  model::Column column;
  column.type = model::FieldType::kInt;
  column.times = {.size = 3, .first_ns = 10 * kSecond, .step_ns = 10 * kSecond};
  column.ints = ints.data();
  const WindowSpec spec{.grid = {.start_ms = 35'000, .step_ms = 1, .count = 1}, .reference = {}, .length_ms = 35'000};
  Windows windows(spec);
  Samples samples;
  samples.Reset(column, true);
  windows.Fill(samples.times());
  double out = 0;
  uint8_t present = 0;
  FoldScratch scratch;
  FoldCall call{
      .windows = windows, .samples = samples, .arguments = {}, .out = &out, .present = &present, .scratch = scratch};
  FoldDelta(call);
  EXPECT_EQ(present, 1);
  EXPECT_DOUBLE_EQ(out, 60 * (20.0 + 10 + 5) / 20);
  // A counter that was zero at its first sample cannot have started earlier.
  FoldIncrease(call);
  EXPECT_DOUBLE_EQ(out, 60 * (20.0 + 0 + 5) / 20);
  FoldRate(call);
  EXPECT_DOUBLE_EQ(out, 60 * ((20.0 + 0 + 5) / 20 / 35));
}

TEST(KernelsTest, IncreaseAddsWhatEachResetLostInOrder) {
  // Hundredths whose sum as integers, divided once, is another double than their doubles added one by one.
  const std::vector<int64_t> ints{103, 971, 249, 883, 111, 757, 319, 997, 7, 551};
  model::Column column;
  column.type = model::FieldType::kFloat;
  column.times = {.size = ints.size(), .first_ns = 10 * kSecond, .step_ns = 10 * kSecond};
  column.ints = ints.data();
  column.scale = 2;
  // From the first row to the last, so that nothing is extrapolated.
  const WindowSpec spec{.grid = {.start_ms = 100'000, .step_ms = 1, .count = 1}, .reference = {}, .length_ms = 90'001};
  Windows windows(spec);
  Samples samples;
  samples.Reset(column, true);
  ASSERT_NE(samples.ints(), nullptr);
  windows.Fill(samples.times());
  double out = 0;
  uint8_t present = 0;
  FoldScratch scratch;
  FoldCall call{
      .windows = windows, .samples = samples, .arguments = {}, .out = &out, .present = &present, .scratch = scratch};
  FoldIncrease(call);
  const double change = 5.51 - 1.03 + 9.71 + 8.83 + 7.57 + 9.97;
  EXPECT_NE(change, (5.51 - 1.03) + 36.08);

  EXPECT_EQ(out, change * ((90 + 0.001) / 90));
}

TEST(KernelsTest, EveryKernelIsOfOneShape) {
  for (const promql::FunctionSignature& function : promql::Functions()) {
    const Kernel& kernel = KernelFor(function.id);
    EXPECT_EQ(kernel.count(), 1) << function.name;
    const bool range = std::ranges::find(function.args, promql::ValueType::kMatrix) != function.args.end();
    EXPECT_EQ(kernel.fold != nullptr, range) << function.name;
    EXPECT_EQ(kernel.scalar != nullptr, function.result == promql::ValueType::kScalar) << function.name;
  }
}

}  // namespace
}  // namespace tidemark::query::functions
