// Functions of numbers: rounding, limits, signs, angles; scalars from and to vectors.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "query/functions/kernels.h"

namespace tidemark::query::functions {
namespace {

using frame::Frame;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// min and max that give NaN when either is NaN, as Go's do, unless the other already decides.
double Least(double a, double b) {
  if (a == -kInfinity || b == -kInfinity) return -kInfinity;
  return std::isnan(a) || std::isnan(b) ? kNan : std::min(a, b);
}
double Greatest(double a, double b) {
  if (a == kInfinity || b == kInfinity) return kInfinity;
  return std::isnan(a) || std::isnan(b) ? kNan : std::max(a, b);
}

}  // namespace

double Sign(double value) { return value < 0 ? -1.0 : value > 0 ? 1.0 : value; }
double ToDegrees(double value) { return value * 180 / std::numbers::pi; }
double ToRadians(double value) { return value * std::numbers::pi / 180; }

void MapRound(const CallArguments& call, std::span<double> values, std::span<uint8_t>) {
  const double* const to = call.scalars.size() > 1 ? call.scalars[1] : nullptr;
  for (size_t i = 0; i < values.size(); ++i) {
    // The inverse, because multiplying by 10 is more accurate than dividing by 0.1.
    const double inverse = 1.0 / (to != nullptr ? to[i] : 1.0);
    values[i] = std::floor(values[i] * inverse + 0.5) / inverse;
  }
}

void MapClamp(const CallArguments& call, std::span<double> values, std::span<uint8_t> present) {
  for (size_t i = 0; i < values.size(); ++i) {
    const double low = call.scalars[1][i];
    const double high = call.scalars[2][i];
    if (high < low) present[i] = 0;
    values[i] = Greatest(low, Least(high, values[i]));
  }
}

void MapClampMin(const CallArguments& call, std::span<double> values, std::span<uint8_t>) {
  for (size_t i = 0; i < values.size(); ++i) values[i] = Greatest(call.scalars[1][i], values[i]);
}

void MapClampMax(const CallArguments& call, std::span<double> values, std::span<uint8_t>) {
  for (size_t i = 0; i < values.size(); ++i) values[i] = Least(call.scalars[1][i], values[i]);
}

void ScalarPi(const CallArguments&, const Frame&, std::span<double> out) { std::ranges::fill(out, std::numbers::pi); }

void ScalarMaxOf(const CallArguments& call, const Frame&, std::span<double> out) {
  for (size_t i = 0; i < out.size(); ++i) out[i] = Greatest(call.scalars[0][i], call.scalars[1][i]);
}

void ScalarMinOf(const CallArguments& call, const Frame&, std::span<double> out) {
  for (size_t i = 0; i < out.size(); ++i) out[i] = Least(call.scalars[0][i], call.scalars[1][i]);
}

// The value of the only series, NaN where there is none or more than one.
void ScalarOfVector(const CallArguments&, const Frame& frame, std::span<double> out) {
  for (size_t step = 0; step < out.size(); ++step) {
    size_t found = 0;
    out[step] = kNan;
    for (size_t row = 0; row < frame.size(); ++row) {
      if (frame.RowPresent(row)[step] == 0) continue;
      out[step] = ++found == 1 ? frame.RowValues(row)[step] : kNan;
    }
  }
}

Status FrameOfScalar(const CallArguments& call, Frame* frame) {
  const size_t row = frame->AddRow({});
  std::copy_n(call.scalars[0], frame->steps, frame->RowValues(row).begin());
  std::ranges::fill(frame->RowPresent(row), uint8_t{1});
  return {};
}

}  // namespace tidemark::query::functions
