#include "query/trend/linear_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <boost/math/distributions/students_t.hpp>

namespace tidemark::query::trend {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Hostile values must give NaN or infinity and not an exception.
using Quiet =
    boost::math::policies::policy<boost::math::policies::domain_error<boost::math::policies::ignore_error>,
                                  boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
                                  boost::math::policies::evaluation_error<boost::math::policies::ignore_error>>;

}  // namespace

double StudentQuantile(double freedom, double q) {
  if (q == 0.5) return 0;
  return boost::math::quantile(boost::math::students_t_distribution<double, Quiet>(freedom), q);
}

LinearFit FitLine(std::span<const double> x, std::span<const double> y) {
  LinearFit fit{.count = static_cast<double>(x.size())};
  if (x.size() < 3)
    return {.count = fit.count, .mean_x = kNan, .mean_y = kNan, .slope = kNan, .sxx = 0, .variance = kNan};
  // Means first: sums of squares of what lies far from zero would lose the digits that matter.
  for (size_t i = 0; i < x.size(); ++i) {
    fit.mean_x += (x[i] - fit.mean_x) / static_cast<double>(i + 1);
    fit.mean_y += (y[i] - fit.mean_y) / static_cast<double>(i + 1);
  }
  double sxy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    fit.sxx += (x[i] - fit.mean_x) * (x[i] - fit.mean_x);
    sxy += (x[i] - fit.mean_x) * (y[i] - fit.mean_y);
  }
  fit.slope = fit.sxx > 0 ? sxy / fit.sxx : kNan;
  double squares = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double residual = y[i] - fit.mean_y - fit.slope * (x[i] - fit.mean_x);
    squares += residual * residual;
  }
  fit.variance = squares / (fit.count - 2);
  return fit;
}

double PredictQuantile(const LinearFit& fit, double x, double q) {
  if (std::isnan(q) || std::isnan(fit.variance)) return kNan;
  const double u = x - fit.mean_x;
  const double line = fit.mean_y + fit.slope * u;
  if (q == 0.5) return line;
  if (q <= 0) return -kInfinity;
  if (q >= 1) return kInfinity;
  const double deviation = std::sqrt(fit.variance * (1 + 1 / fit.count + u * u / fit.sxx));
  return line + StudentQuantile(fit.count - 2, q) * deviation;
}

double FirstAbove(const LinearFit& fit, double from_x, double threshold, double q) {
  if (std::isnan(q) || std::isnan(fit.variance) || std::isnan(threshold)) return kNan;
  if (q <= 0) return from_x;
  if (q >= 1) return kInfinity;
  // A sample is above with probability q where the (1 - q)-quantile is.
  if (PredictQuantile(fit, from_x, 1 - q) >= threshold) return from_x;
  const double d = threshold - fit.mean_y;
  const double k = StudentQuantile(fit.count - 2, 1 - q);
  const double spread = k * k * fit.variance;
  if (spread == 0) {
    const double x = fit.mean_x + d / fit.slope;
    return x >= from_x ? x : kInfinity;
  }
  // slope u + k sqrt(variance (c + u^2 / sxx)) = d, seen from the middle of the samples, squared.
  const double c = 1 + 1 / fit.count;
  const double qa = fit.slope * fit.slope - spread / fit.sxx;
  const double qb = -2 * fit.slope * d;
  const double qc = d * d - spread * c;
  double roots[2] = {kNan, kNan};
  const double discriminant = qb * qb - 4 * qa * qc;
  if (qa == 0) {
    roots[0] = -qc / qb;
  } else if (discriminant >= 0) {
    // Without subtracting nearly equal numbers.
    const double half = -0.5 * (qb + std::copysign(std::sqrt(discriminant), qb));
    roots[0] = half / qa;
    roots[1] = qc / half;
  }
  double first = kInfinity;
  for (const double u : roots) {
    const double x = fit.mean_x + u;
    // Squaring brought in where the quantile on the other side of the line has the value.
    const double distance = d - fit.slope * u;
    if (std::isfinite(x) && x >= from_x && (k > 0) == (distance > 0)) first = std::min(first, x);
  }
  return first;
}

double FirstBelow(const LinearFit& fit, double from_x, double threshold, double q) {
  LinearFit mirrored = fit;
  mirrored.mean_y = -fit.mean_y;
  mirrored.slope = -fit.slope;
  return FirstAbove(mirrored, from_x, -threshold, q);
}

}  // namespace tidemark::query::trend
