#include "query/trend/seasonal_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "query/trend/linear_fit.h"

namespace tidemark::query::trend {

size_t SeasonalFit::SlotsOf(double season_seconds) {
  return static_cast<size_t>(std::clamp(season_seconds / 3600, 24.0, 168.0));
}

SeasonalFit::SeasonalFit(double season_seconds) : season_seconds_(season_seconds), slots_(SlotsOf(season_seconds)) {}

SeasonalFit::Position SeasonalFit::PositionOf(double time_seconds) const {
  const double season = std::floor(time_seconds / season_seconds_);
  const double within = (time_seconds - season * season_seconds_) / season_seconds_;
  const double slot = std::floor(within * static_cast<double>(slots_.size()));
  return {.slot = static_cast<size_t>(std::clamp(slot, 0.0, static_cast<double>(slots_.size() - 1))), .season = season};
}

void SeasonalFit::Fit(std::span<const double> times_seconds, std::span<const double> values) {
  std::ranges::fill(slots_, Slot{});
  slope_ = sxx_ = freedom_ = variance_ = 0;
  double used = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const Position at = PositionOf(times_seconds[i]);
    Slot& slot = slots_[at.slot];
    if (slot.count == 0) ++used;
    ++slot.count;
    slot.season_mean += (at.season - slot.season_mean) / slot.count;
    slot.mean += (values[i] - slot.mean) / slot.count;
  }
  double sxy = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const Position at = PositionOf(times_seconds[i]);
    const Slot& slot = slots_[at.slot];
    sxx_ += (at.season - slot.season_mean) * (at.season - slot.season_mean);
    sxy += (at.season - slot.season_mean) * (values[i] - slot.mean);
  }
  slope_ = sxy / sxx_;
  double squares = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const Position at = PositionOf(times_seconds[i]);
    const Slot& slot = slots_[at.slot];
    const double residual = values[i] - slot.mean - slope_ * (at.season - slot.season_mean);
    squares += residual * residual;
  }
  freedom_ = static_cast<double>(values.size()) - used - 1;
  variance_ = squares / freedom_;
}

double SeasonalFit::PredictQuantile(double time_seconds, double q) const {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (!std::isfinite(time_seconds) || std::isnan(q)) return kNan;
  const Position at = PositionOf(time_seconds);
  const Slot& slot = slots_[at.slot];
  if (slot.count == 0 || !(sxx_ > 0) || freedom_ < 1 || std::isnan(variance_)) return kNan;
  const double ahead = at.season - slot.season_mean;
  const double middle = slot.mean + slope_ * ahead;
  if (q == 0.5) return middle;
  if (q <= 0) return -kInfinity;
  if (q >= 1) return kInfinity;
  return middle + StudentQuantile(freedom_, q) * std::sqrt(variance_ * (1 + 1 / slot.count + ahead * ahead / sxx_));
}

}  // namespace tidemark::query::trend
