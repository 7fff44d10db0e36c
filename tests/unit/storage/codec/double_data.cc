#include "tests/unit/storage/codec/double_data.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace tidemark::codec {
namespace {

using Random = std::mt19937_64;

double Uniform(Random& random, double low, double high) {
  return low + (high - low) * static_cast<double>(random() >> 11) / static_cast<double>(uint64_t{1} << 53);
}
int64_t Whole(Random& random, int64_t low, int64_t high) {
  return low + static_cast<int64_t>(random() % static_cast<uint64_t>(high - low + 1));
}
double Decimal(double value, double power) { return std::round(value * power) / power; }

std::vector<double> Each(size_t count, const std::function<double()>& next) {
  std::vector<double> values(count);
  std::generate(values.begin(), values.end(), next);
  return values;
}

// Each value by the place of a walk between two bounds.
std::vector<double> Walk(Random& random, size_t count, double low, double high, double step,
                         const std::function<double(double)>& made) {
  double place = (low + high) / 2;
  return Each(count, [&] { return made(place = std::clamp(place + Uniform(random, -step, step), low, high)); });
}

std::vector<double> OneDecimal(Random& random, size_t count) {
  return Walk(random, count, 10, 35, 0.2, [](double x) { return Decimal(x, 10); });
}

std::vector<double> SinglesOfDecimals(Random& random, size_t count) {
  return Walk(random, count, 10, 35, 0.2, [](double x) { return static_cast<float>(Decimal(x, 100)); });
}

std::vector<double> Singles(Random& random, size_t count) {
  return Walk(random, count, 980, 1040, 0.1, [](double x) { return static_cast<float>(x); });
}

std::vector<double> MeansOfFive(Random& random, size_t count) {
  return Walk(random, count, 10, 35, 0.2, [&](double x) {
    double sum = 0;
    for (int i = 0; i < 5; ++i) sum += Decimal(x + Uniform(random, -1, 1), 100);
    return sum / 5;
  });
}

std::vector<double> RatesPer300Seconds(Random& random, size_t count) {
  return Each(count, [&] { return static_cast<double>(Whole(random, 0, 20'000)) / 300; });
}

std::vector<double> Thirds(Random& random, size_t count) {
  return Each(count, [&] { return static_cast<double>(Whole(random, -300, 300)) / 3; });
}

std::vector<double> HitsOverRequests(Random& random, size_t count) {
  return Each(count, [&] {
    const int64_t requests = Whole(random, 500, 1500);
    return static_cast<double>(Whole(random, requests / 2, requests)) / static_cast<double>(requests);
  });
}

std::vector<double> PercentsOfRequests(Random& random, size_t count) {
  return Each(count, [&] {
    const int64_t requests = Whole(random, 500, 1500);
    return static_cast<double>(Whole(random, requests / 2, requests)) / static_cast<double>(requests) * 100;
  });
}

std::vector<double> PercentsLeft(Random& random, size_t count) {
  return Each(count, [&] {
    const int64_t requests = Whole(random, 500, 1500);
    return 100 - static_cast<double>(Whole(random, 1, requests)) / static_cast<double>(requests) * 100;
  });
}

std::vector<double> PercentsOfMemory(Random& random, size_t count) {
  return Walk(random, count, 1e6, 9e6, 4000,
              [](double x) { return 100 * (std::floor(x) * 1024) / (16'384'256.0 * 1024); });
}

std::vector<double> LessThanHundred(Random& random, size_t count) {
  return Walk(random, count, 0, 100, 2, [](double x) { return 100 - Decimal(x, 100); });
}

std::vector<double> Celsius(Random& random, size_t count) {
  return Walk(random, count, 50, 90, 0.5, [](double x) { return (Decimal(x, 10) - 32) * 5 / 9; });
}

std::vector<double> SumOfDecimals(Random& random, size_t count) {
  double sum = 0;
  return Each(count, [&] { return sum += static_cast<double>(Whole(random, 0, 2000)) / 1000; });
}

std::vector<double> PowersOfTwoBelow(Random& random, size_t count) {
  return Each(count, [&] { return static_cast<double>(Whole(random, 0, 1 << 20)) / (1 << 20); });
}

std::vector<double> IntegersAsDoubles(Random& random, size_t count) {
  return Walk(random, count, 0, 5000, 20, [](double x) { return std::floor(x); });
}

std::vector<double> SizesThatComeBack(Random& random, size_t count) {
  std::vector<double> sizes = Each(40, [&] { return static_cast<double>(Whole(random, 0, 10'000'000'000)); });
  return Each(count, [&] { return sizes[random() % sizes.size()]; });
}

std::vector<double> FreeLevels(Random& random, size_t count) {
  std::vector<double> levels = Each(200, [&] { return Uniform(random, 0, 1000); });
  return Each(count, [&] { return levels[random() % levels.size()]; });
}

std::vector<double> SlowLevels(Random& random, size_t count) {
  double level = 1;
  return Each(count, [&] { return level = random() % 40 == 0 ? Uniform(random, -5, 5) : level; });
}

std::vector<double> UniformBelowOne(Random& random, size_t count) {
  return Each(count, [&] { return Uniform(random, 0, 1); });
}

std::vector<double> BothSigns(Random& random, size_t count) {
  std::normal_distribution<double> normal;
  return Each(count, [&] { return normal(random); });
}

std::vector<double> StaleBetween(Random& random, size_t count) {
  constexpr uint64_t kStale = 0x7ff0000000000002;
  std::vector<double> values = MeansOfFive(random, count);
  for (size_t i = 0; i < count; i += 25) values[i] = std::bit_cast<double>(kStale);
  return values;
}

std::vector<double> EveryOddity(Random& random, size_t count) {
  using Limits = std::numeric_limits<double>;
  constexpr double kOdd[] = {0.0,
                             -0.0,
                             Limits::infinity(),
                             -Limits::infinity(),
                             Limits::max(),
                             Limits::lowest(),
                             Limits::min(),
                             Limits::denorm_min(),
                             1e-320,
                             0.1,
                             1.0 / 3,
                             1e22,
                             1e23};
  return Each(count, [&] {
    const uint64_t draw = random() % (std::size(kOdd) + 2);
    if (draw == std::size(kOdd)) return std::bit_cast<double>(random());
    return draw > std::size(kOdd) ? Limits::quiet_NaN() : kOdd[draw];
  });
}

}  // namespace

std::vector<DoubleKind> DoubleKinds() {
  return {{"one decimal", 0.45, &OneDecimal},
          {"32-bit floats of decimals", 0.85, &SinglesOfDecimals},
          {"32-bit floats", 1.6, &Singles},
          {"means of five", 1.5, &MeansOfFive},
          {"rates per 300 s", 1.95, &RatesPer300Seconds},
          {"thirds", 1.3, &Thirds},
          {"hits over requests", 2.8, &HitsOverRequests},
          {"percents of requests", 3.2, &PercentsOfRequests},
          {"percents left", 3.2, &PercentsLeft},
          {"percents of memory", 2.2, &PercentsOfMemory},
          {"less than hundred", 1.9, &LessThanHundred},
          {"celsius of fahrenheit", 0.9, &Celsius},
          {"sum of decimals", 1.8, &SumOfDecimals},
          {"k / 2^20", 2.75, &PowersOfTwoBelow},
          {"integers as doubles", 0.85, &IntegersAsDoubles},
          {"sizes that come back", 0.9, &SizesThatComeBack},
          {"free levels", 1.8, &FreeLevels},
          {"slow levels", 0.35, &SlowLevels},
          {"uniform below one", 6.85, &UniformBelowOne},
          {"both signs", 7.35, &BothSigns},
          {"stale between", 1.8, &StaleBetween},
          {"every oddity", 8.1, &EveryOddity}};
}

}  // namespace tidemark::codec
