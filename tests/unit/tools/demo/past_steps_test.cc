#include "tools/demo/past_steps.h"

#include <gtest/gtest.h>

#include <vector>

#include "tools/demo/story.h"

namespace tidemark::demo {
namespace {

constexpr int64_t kWindow = 300 * kSecond;
constexpr int64_t kWidest = 120 * kSecond;

// Times of samples from ten hours before `now` until an hour after it, a second apart from then on.
std::vector<int64_t> Times(int64_t now, bool shrinking) {
  std::vector<int64_t> out;
  for (int64_t at = now - 40'000 * kSecond; at < now;) {
    out.push_back(at);
    at += shrinking ? PastStep(now - at, kSecond, kWidest) : kWidest;
  }
  for (int64_t at = now; at < now + 3'600 * kSecond; at += kSecond) out.push_back(at);
  return out;
}

// Prometheus' rate (promql/functions.go, extrapolatedRate) of a counter that grows by one a second.
double RateAt(const std::vector<int64_t>& times, int64_t at) {
  const auto from = std::upper_bound(times.begin(), times.end(), at - kWindow);
  const auto to = std::upper_bound(times.begin(), times.end(), at);
  const auto first = static_cast<double>(*from);
  const auto last = static_cast<double>(*(to - 1));
  const double sampled = last - first;
  const double average = sampled / static_cast<double>(to - from - 1);
  double to_start = first - static_cast<double>(at - kWindow);
  double to_end = static_cast<double>(at) - last;
  if (to_start >= average * 1.1) to_start = average / 2;
  if (to_end >= average * 1.1) to_end = average / 2;
  return (sampled + to_start + to_end) / static_cast<double>(kWindow);
}

double LeastRate(bool shrinking) {
  const int64_t now = 1'700'000'000 * kSecond + 77 * kSecond;
  const std::vector<int64_t> times = Times(now, shrinking);
  double least = 1;
  for (int64_t at = now - 38'000 * kSecond; at < now + 1'000 * kSecond; at += kSecond)
    least = std::min(least, RateAt(times, at));
  return least;
}

TEST(PastSteps, RatesDoNotSagWhereThePastMeetsThePresent) {
  EXPECT_GT(LeastRate(/*shrinking=*/true), 0.975);
  EXPECT_LT(LeastRate(/*shrinking=*/false), 0.7) << "the test would not see a seam";
}

TEST(PastSteps, FromTheLiveStepToTheWidest) {
  EXPECT_EQ(PastStep(0, kSecond, kWidest), kSecond);
  EXPECT_EQ(PastStep(600 * kSecond, kSecond, kWidest), 2 * kSecond);
  EXPECT_EQ(PastStep(kWeek, kSecond, kWidest), kWidest);
  EXPECT_EQ(PastStep(kWeek, kWidest, kSecond), kSecond) << "a narrow step of the past stays";
  EXPECT_EQ(PastStep(0, 0, 0), 1);
  // Not many more samples for it.
  int64_t samples = 0;
  for (int64_t age = kWeek; age > 0; age -= PastStep(age, kSecond, kWidest)) ++samples;
  EXPECT_LT(samples, kWeek / kWidest + 2'500);
}

}  // namespace
}  // namespace tidemark::demo
