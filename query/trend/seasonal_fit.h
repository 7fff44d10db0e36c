// SeasonalFit: a profile that repeats every season, and a straight trend from season to season, by least squares.
//
// The season is cut into slots. A sample in slot k of season c is expected at level(k) + slope * c; season numbers
// count from 1970. This is a regression on one indicator per slot and on c, solved in closed form: the slope from the
// deviations within slots, the levels from the slots' means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tidemark::query::trend {

class SeasonalFit {
 public:
  // Slots of a season: an hour each, at least 24 and at most 168 of them.
  static size_t SlotsOf(double season_seconds);

  // `season_seconds` > 0, finite. Reused for one window after the other; keeps its memory.
  explicit SeasonalFit(double season_seconds);

  // Fits the samples at `times_seconds` since 1970. They must be of the same length.
  void Fit(std::span<const double> times_seconds, std::span<const double> values);

  // The q-quantile of where a new sample at `time_seconds` lies; q as in PredictQuantile. NaN where the slot has no
  // samples, where no slot has samples of two seasons, or where nothing is left to estimate the scatter from.
  [[nodiscard]] double PredictQuantile(double time_seconds, double q) const;

 private:
  struct Slot {
    double count = 0;
    double season_mean = 0;
    double mean = 0;
  };
  struct Position {
    size_t slot;
    double season;
  };
  [[nodiscard]] Position PositionOf(double time_seconds) const;

  double season_seconds_;
  std::vector<Slot> slots_;
  double slope_ = 0;
  double sxx_ = 0;       // of season numbers, within slots
  double freedom_ = 0;   // degrees of freedom that the scatter has
  double variance_ = 0;  // of the residuals
};

}  // namespace tidemark::query::trend
