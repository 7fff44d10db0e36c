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

// A product is not the decimal: 3 * 0.1 is 0.30000000000000004.
std::vector<double> TimesATenth(Random& random, size_t count) {
  return Walk(random, count, 100, 400, 3, [](double x) { return std::round(x) * 0.1; });
}

std::vector<double> TimesATenthAndNoise(Random& random, size_t count) {
  return Walk(random, count, 100, 400, 3,
              [&](double x) { return std::round(x) * 0.1 + static_cast<double>(Whole(random, -50, 50)) * 0.001; });
}

std::vector<double> Fahrenheit(Random& random, size_t count) {
  return Walk(random, count, -10, 35, 0.2, [](double x) { return Decimal(x, 10) * 9 / 5 + 32; });
}

std::vector<double> FahrenheitByFactor(Random& random, size_t count) {
  return Walk(random, count, -10, 35, 0.2, [](double x) { return Decimal(x, 100) * 1.8 + 32; });
}

std::vector<double> Kelvin(Random& random, size_t count) {
  return Walk(random, count, -10, 35, 0.2, [](double x) { return Decimal(x, 10) + 273.15; });
}

std::vector<double> Volts(Random& random, size_t count) {
  return Walk(random, count, 500, 3500, 6, [](double x) { return std::floor(x) * 3.3 / 4095; });
}

std::vector<double> SensorThatHolds(Random& random, size_t count) {
  double value = 21;
  return Each(count, [&] {
    if (random() % 30 == 0) value += static_cast<double>(Whole(random, -4, 4)) * 0.0625;
    return value;
  });
}

std::vector<double> Decibels(Random& random, size_t count) {
  return Walk(random, count, 1, 32'767, 200, [](double x) { return 20 * std::log10(std::floor(x) / 32'768); });
}

std::vector<double> DecibelsOfOneDecimal(Random& random, size_t count) {
  return Walk(random, count, -90, -30, 1, [](double x) { return Decimal(x, 10); });
}

std::vector<double> Latitudes(Random& random, size_t count) {
  return Walk(random, count, 52.4, 52.6, 0.0002, [](double x) { return Decimal(x, 1e7); });
}

std::vector<double> LatitudesOfSemicircles(Random& random, size_t count) {
  return Walk(random, count, 6.2e8, 6.3e8, 3000, [](double x) { return std::floor(x) * (180.0 / 2147483648.0); });
}

std::vector<double> LatitudesOfMinutes(Random& random, size_t count) {
  return Walk(random, count, 20, 40, 0.01, [](double x) { return 52 + Decimal(x, 1e4) / 60; });
}

std::vector<double> Prices(Random& random, size_t count) {
  return Walk(random, count, 90, 110, 0.2, [](double x) { return std::round(x * 20) / 20; });
}

std::vector<double> PricesWithTax(Random& random, size_t count) {
  return Walk(random, count, 90, 110, 0.5, [](double x) { return Decimal(x, 100) * 1.19; });
}

std::vector<double> NanosecondsInSeconds(Random& random, size_t count) {
  return Each(count, [&] { return static_cast<double>(Whole(random, 100'000, 900'000)) * 1e-9; });
}

std::vector<double> MicrosecondsInMilliseconds(Random& random, size_t count) {
  return Each(count, [&] { return static_cast<double>(Whole(random, 200, 40'000)) * 0.001; });
}

std::vector<double> MovingAverage(Random& random, size_t count) {
  double mean = 50;
  return Walk(random, count, 0, 100, 2, [&](double x) { return mean = 0.1 * Decimal(x, 10) + 0.9 * mean; });
}

std::vector<double> PercentsOfTicks(Random& random, size_t count) {
  return Each(count, [&] { return 100.0 * static_cast<double>(Whole(random, 0, 800)) / 1000.0; });
}

std::vector<double> RatesPerFifteenSeconds(Random& random, size_t count) {
  return Each(count, [&] { return static_cast<double>(Whole(random, 0, 60'000)) * (1.0 / 15); });
}

std::vector<double> RatesOfJitteredScrapes(Random& random, size_t count) {
  return Each(count, [&] {
    return static_cast<double>(Whole(random, 0, 3000)) / (static_cast<double>(Whole(random, 14'990, 15'010)) / 1000);
  });
}

std::vector<double> SpreadOfDecimals(Random& random, size_t count) {
  return Walk(random, count, 10, 35, 0.2,
              [&](double x) { return Decimal(x + Uniform(random, 0, 3), 10) - Decimal(x, 10); });
}

std::vector<double> SquareRoots(Random& random, size_t count) {
  return Walk(random, count, 100, 9000, 30, [](double x) { return std::sqrt(std::floor(x)); });
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
          {"means of five", 1.6, &MeansOfFive},
          {"rates per 300 s", 1.95, &RatesPer300Seconds},
          {"thirds", 1.3, &Thirds},
          {"hits over requests", 2.9, &HitsOverRequests},
          {"percents of requests", 3.2, &PercentsOfRequests},
          {"percents left", 3.2, &PercentsLeft},
          {"percents of memory", 2.2, &PercentsOfMemory},
          {"less than hundred", 1.8, &LessThanHundred},
          {"celsius of fahrenheit", 0.9, &Celsius},
          {"sum of decimals", 1.8, &SumOfDecimals},
          {"k / 2^20", 2.75, &PowersOfTwoBelow},
          {"integers as doubles", 0.85, &IntegersAsDoubles},
          {"sizes that come back", 0.9, &SizesThatComeBack},
          {"free levels", 1.8, &FreeLevels},
          {"slow levels", 0.35, &SlowLevels},
          {"uniform below one", 6.85, &UniformBelowOne},
          {"both signs", 7.35, &BothSigns},
          {"stale between", 1.7, &StaleBetween},
          {"times a tenth", 0.45, &TimesATenth},
          {"times a tenth and noise", 1.55, &TimesATenthAndNoise},
          {"fahrenheit", 0.4, &Fahrenheit},
          {"fahrenheit by a factor", 0.95, &FahrenheitByFactor},
          {"kelvin", 0.4, &Kelvin},
          {"volts", 0.65, &Volts},
          {"sensor that holds", 0.1, &SensorThatHolds},
          {"decibels", 6.4, &Decibels},
          {"decibels of one decimal", 0.65, &DecibelsOfOneDecimal},
          {"latitudes", 1.65, &Latitudes},
          {"latitudes of semicircles", 1.8, &LatitudesOfSemicircles},
          {"latitudes of minutes", 1.15, &LatitudesOfMinutes},
          {"prices", 0.5, &Prices},
          {"prices with tax", 1.2, &PricesWithTax},
          {"nanoseconds in seconds", 2.8, &NanosecondsInSeconds},
          {"microseconds in milliseconds", 2.25, &MicrosecondsInMilliseconds},
          {"moving average", 6.4, &MovingAverage},
          {"percents of ticks", 1.3, &PercentsOfTicks},
          {"rates per 15 s", 2.25, &RatesPerFifteenSeconds},
          {"rates of jittered scrapes", 2.95, &RatesOfJitteredScrapes},
          {"spread of decimals", 0.95, &SpreadOfDecimals},
          {"square roots", 6.6, &SquareRoots},
          {"every oddity", 8.1, &EveryOddity}};
}

}  // namespace tidemark::codec
