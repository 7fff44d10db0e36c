#include "query/trend/seasonal_fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "query/trend/linear_fit.h"

namespace tidemark::query::trend {
namespace {

constexpr double kDay = 86'400;
constexpr double kHour = 3600;

// Solves a x = b for several right sides by elimination with pivots; `b` becomes the solutions.
void Solve(std::vector<std::vector<double>> a, std::vector<std::vector<double>>* b) {
  const size_t n = a.size();
  for (size_t column = 0; column < n; ++column) {
    size_t best = column;
    for (size_t row = column; row < n; ++row) {
      if (std::fabs(a[row][column]) > std::fabs(a[best][column])) best = row;
    }
    std::swap(a[best], a[column]);
    for (auto& side : *b) std::swap(side[best], side[column]);
    for (size_t row = 0; row < n; ++row) {
      if (row == column) continue;
      const double factor = a[row][column] / a[column][column];
      for (size_t k = column; k < n; ++k) a[row][k] -= factor * a[column][k];
      for (auto& side : *b) side[row] -= factor * side[column];
    }
  }
  for (auto& side : *b) {
    for (size_t row = 0; row < n; ++row) side[row] /= a[row][row];
  }
}

// The same regression by its normal equations: one indicator for each slot of an hour that has samples, and the day.
double PlainQuantile(const std::vector<double>& times, const std::vector<double>& values, double at, double q) {
  std::map<int, size_t> columns;
  const auto slot_of = [](double t) { return static_cast<int>(std::floor(std::fmod(t, kDay) / kHour)); };
  const auto day_of = [](double t) { return std::floor(t / kDay) - 20'000; };
  for (const double t : times) columns.emplace(slot_of(t), 0);
  size_t next = 0;
  for (auto& [_, column] : columns) column = next++;
  const size_t n = columns.size() + 1;
  const auto row_of = [&](double t) {
    std::vector<double> row(n);
    row[columns.at(slot_of(t))] = 1;
    row[n - 1] = day_of(t);
    return row;
  };
  std::vector<std::vector<double>> normal(n, std::vector<double>(n));
  std::vector<double> moments(n);
  for (size_t i = 0; i < times.size(); ++i) {
    const std::vector<double> row = row_of(times[i]);
    for (size_t j = 0; j < n; ++j) {
      for (size_t k = 0; k < n; ++k) normal[j][k] += row[j] * row[k];
      moments[j] += row[j] * values[i];
    }
  }
  const std::vector<double> target = row_of(at);
  std::vector<std::vector<double>> sides{moments, target};
  Solve(normal, &sides);
  const auto dot = [](const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
  };
  double squares = 0;
  for (size_t i = 0; i < times.size(); ++i) {
    const double residual = values[i] - dot(row_of(times[i]), sides[0]);
    squares += residual * residual;
  }
  const double freedom = static_cast<double>(times.size() - n);
  const double variance = squares / freedom * (1 + dot(target, sides[1]));
  return dot(target, sides[0]) + StudentQuantile(freedom, q) * std::sqrt(variance);
}

TEST(SeasonalFitTest, SlotsAreHoursWithinBounds) {
  EXPECT_EQ(SeasonalFit::SlotsOf(kDay), 24U);
  EXPECT_EQ(SeasonalFit::SlotsOf(7 * kDay), 168U);
  EXPECT_EQ(SeasonalFit::SlotsOf(365 * kDay), 168U);
  EXPECT_EQ(SeasonalFit::SlotsOf(60), 24U);
}

TEST(SeasonalFitTest, AgreesWithTheNormalEquations) {
  const uint64_t seed = std::random_device()();
  std::mt19937_64 random(seed);
  std::normal_distribution<double> noise(0, 1);
  for (int round = 0; round < 30; ++round) {
    std::vector<double> times, values;
    for (int i = 0; i < 5 * 48; ++i) {
      if (random() % 4 == 0) continue;  // gaps
      const double t = 20'000 * kDay + i * 1800;
      times.push_back(t);
      values.push_back(10 * std::sin(t / kDay * 6.283185) + 0.3 * i + noise(random));
    }
    SeasonalFit fit(kDay);
    fit.Fit(times, values);
    for (int i = 0; i < 10; ++i) {
      const double at = times[random() % times.size()] + static_cast<double>(random() % 10) * kDay;
      for (const double q : {0.1, 0.5, 0.975}) {
        EXPECT_NEAR(fit.PredictQuantile(at, q), PlainQuantile(times, values, at, q), 1e-6)
            << "seed " << seed << " round " << round;
      }
    }
  }
}

TEST(SeasonalFitTest, APatternWithATrendContinues) {
  std::vector<double> times, values;
  const auto value_at = [](double t) {
    return 100 * std::floor(std::fmod(t, kDay) / kHour) + 7 * std::floor(t / kDay);
  };
  for (double t = 0; t < 4 * kDay; t += 900) {
    times.push_back(t);
    values.push_back(value_at(t));
  }
  SeasonalFit fit(kDay);
  fit.Fit(times, values);
  for (double t = 4 * kDay; t < 6 * kDay; t += 1234) {
    for (const double q : {0.05, 0.5, 0.95}) EXPECT_NEAR(fit.PredictQuantile(t, q), value_at(t), 1e-6) << t;
  }
}

TEST(SeasonalFitTest, HasNoAnswerWhereNothingIsKnown) {
  SeasonalFit fit(kDay);
  const auto answers = [&](double at) { return !std::isnan(fit.PredictQuantile(at, 0.5)); };
  fit.Fit({}, {});
  EXPECT_FALSE(answers(0));
  // One season says nothing of the next.
  std::vector<double> times, values;
  for (int i = 0; i < 96; ++i) {
    times.push_back(i * 900);
    values.push_back(i);
  }
  fit.Fit(times, values);
  EXPECT_FALSE(answers(kDay));
  // Two seasons, mornings only.
  times.clear();
  values.clear();
  for (int i = 0; i < 400; ++i) {
    const double t = i * 900;
    if (std::fmod(t, kDay) >= kDay / 2) continue;
    times.push_back(t);
    values.push_back(i);
  }
  fit.Fit(times, values);
  EXPECT_TRUE(answers(10 * kDay + 3 * kHour));
  EXPECT_FALSE(answers(10 * kDay + 20 * kHour));
  EXPECT_TRUE(std::isnan(fit.PredictQuantile(std::nan(""), 0.5)));
  EXPECT_TRUE(std::isnan(fit.PredictQuantile(0, std::nan(""))));
  values[3] = std::nan("");
  fit.Fit(times, values);
  EXPECT_FALSE(answers(10 * kDay + 3 * kHour));
}

}  // namespace
}  // namespace tidemark::query::trend
