// LinearFit: a straight line through samples by least squares, with what is needed to say how sure it is.
//
// Sources: any textbook on simple linear regression, "prediction interval"; README.md has the formulas.
#pragma once

#include <cstddef>
#include <span>

namespace tidemark::query::trend {

// y(x) = mean_y + slope * (x - mean_x), and the scatter around it.
struct LinearFit {
  double count = 0;
  double mean_x = 0;
  double mean_y = 0;
  double slope = 0;
  double sxx = 0;       // sum of (x - mean_x)^2
  double variance = 0;  // of the residuals, with count - 2 degrees of freedom
};

// Needs three samples at two times or more, else its members are NaN.
LinearFit FitLine(std::span<const double> x, std::span<const double> y);

// The q-quantile of where a new sample at `x` lies: of Student's distribution around the line. q 0.5 is the line
// itself. -Inf for q <= 0, +Inf for q >= 1, NaN for NaN.
double PredictQuantile(const LinearFit& fit, double x, double q);

// The least x, not before `from_x`, at which a sample is at or above `threshold` with probability q or more: q 0.5 is
// where the line reaches it. `from_x` if that is so already, +Inf if it never comes. NaN where the fit or q is NaN.
double FirstAbove(const LinearFit& fit, double from_x, double threshold, double q);
// The same at or below.
double FirstBelow(const LinearFit& fit, double from_x, double threshold, double q);

// The q-quantile of Student's distribution with `freedom` degrees of freedom. 0 < q < 1, freedom > 0.
double StudentQuantile(double freedom, double q);

}  // namespace tidemark::query::trend
