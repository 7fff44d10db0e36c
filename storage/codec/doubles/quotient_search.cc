#include "storage/codec/doubles/quotient_search.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

namespace tidemark::codec {
namespace {

constexpr int kMaxScale = 15;
// Sums of many decimals drift this far from the decimal that they should be.
constexpr double kMostSteps = 1024;
// A fraction takes about the bits of its two parts. What has more of them is shorter by its own bits, and where the
// product of both is 2^52 any value is near to one.
constexpr double kMaxParts = static_cast<double>(int64_t{1} << 46);
// Many values with one denominator are no chance before that.
constexpr double kMaxCommonParts = static_cast<double>(int64_t{1} << 50);
constexpr int kMaxTerms = 40;
// Values that are looked at for a denominator in common.
constexpr size_t kFractions = 8;
// What a value costs that is to be a patch.
constexpr double kPatchBits = 80;
// What a division, or a multiplication behind it, is off by.
constexpr double kFractionSteps = 2;

// The exponent of a value; of zero that of the smallest normal double, of what is not finite that of the largest and
// one.
int ExponentOf(double value) { return std::clamp(std::ilogb(value), -1022, 1024); }

// The distance between doubles near a value.
double StepAt(double value) { return std::ldexp(1.0, ExponentOf(value) - 52); }

// Steps of a rounding from zero to a value, about.
double StepsFromZero(double value, const Rounding& rounding) {
  switch (rounding.kind) {
    case Rounding::Kind::kDoubles: return std::ldexp(1.0, 53);
    case Rounding::Kind::kSingles: return std::ldexp(1.0, 24);
    case Rounding::Kind::kMultiples: break;
  }
  return std::ldexp(std::fabs(value), -rounding.exponent);
}

// How many steps from a quotient with this numerator are no chance: among noise one value in 32 is as near.
double NearSteps(double value, double numerator, const Rounding& rounding) {
  return std::min(StepsFromZero(value, rounding) / (64 * std::max(std::fabs(numerator), 1.0)), kMostSteps);
}

bool NearQuotient(double value, double denominator, const Rounding& rounding) {
  const double numerator = std::rint(value * denominator);
  const double near = NearSteps(value, numerator, rounding);
  // Also for infinities.
  if (!(near >= 1)) return false;
  const auto steps = rounding.StepsTo(value, numerator / denominator);
  return steps.has_value() && static_cast<double>(std::abs(*steps)) <= near;
}

bool MostlyNear(const FloatSample& sample, double denominator, const Rounding& rounding) {
  return sample.Mostly([&](double value) { return NearQuotient(value, denominator, rounding); });
}

// 10^scale with the smallest scale that does.
std::optional<QuotientForm> FindDecimals(const FloatSample& sample, const Rounding& rounding) {
  int64_t denominator = 1;
  for (int scale = 0; scale <= kMaxScale; ++scale, denominator *= 10) {
    if (MostlyNear(sample, static_cast<double>(denominator), rounding)) return QuotientForm{rounding, denominator};
  }
  return std::nullopt;
}

// The exponent of the lowest bit that is set in a value.
int LowestBit(double value) {
  int exponent = 0;
  const auto mantissa = static_cast<int64_t>(std::ldexp(std::frexp(value, &exponent), 53));
  return exponent - 53 + std::countr_zero(static_cast<uint64_t>(mantissa));
}

// Multiples of which power of two all of the sample are; nothing where doubles near the smallest of them are as far
// apart (what doubles can do is tried as such), or near the largest farther.
std::optional<Rounding> FindMultiples(const FloatSample& sample) {
  if (sample.size == 0) return std::nullopt;
  int lowest = Rounding::kMaxExponent;
  double smallest = HUGE_VAL;
  double largest = 0;
  for (const double value : sample.all()) {
    lowest = std::min(lowest, LowestBit(value));
    smallest = std::min(smallest, std::fabs(value));
    largest = std::max(largest, std::fabs(value));
  }
  if (lowest <= ExponentOf(smallest) - 52 || ExponentOf(largest) - lowest > 54) return std::nullopt;
  if (std::abs(lowest) > Rounding::kMaxExponent) return std::nullopt;
  return Rounding{Rounding::Kind::kMultiples, lowest};
}

// How far a value may lie from a fraction that it is.
double ToleranceAt(double value, const Rounding& rounding) {
  const bool multiples = rounding.kind == Rounding::Kind::kMultiples;
  return kFractionSteps * (multiples ? std::ldexp(1.0, rounding.exponent) : StepAt(value));
}

// A denominator that the sample has in common.
std::optional<QuotientForm> FindDenominator(const FloatSample& sample, int64_t times) {
  int64_t common = 1;
  size_t found = 0;
  const std::span<const double> first = sample.all().first(std::min(sample.size, kFractions));
  for (const double value : first) {
    const double part = value / static_cast<double>(times);
    const auto fraction = FractionOf(part, kFractionSteps * StepAt(part), kMaxCommonParts);
    if (!fraction) continue;
    ++found;
    if (__builtin_mul_overflow(common / std::gcd(common, fraction->denominator), fraction->denominator, &common)) break;
    if (static_cast<double>(common) >= kMaxCommonParts) return std::nullopt;
  }
  if (found * 4 <= first.size() * 3 || common == 1) return std::nullopt;
  if (!MostlyNear(sample, static_cast<double>(common), {})) return std::nullopt;
  return QuotientForm{{}, common};
}

// Bits of a fraction's parts.
double BitsOf(const Fraction& fraction, int64_t times) {
  return std::log2(std::fabs(static_cast<double>(fraction.numerator / times)) + 1) +
         std::log2(static_cast<double>(fraction.denominator));
}

// The form with the fewest bits in which the values have denominators of their own.
std::optional<QuotientForm> FindFractions(const FloatSample& sample, const std::optional<Rounding>& multiples) {
  std::optional<QuotientForm> best;
  double best_bits = HUGE_VAL;
  for (const auto& rounding : {std::optional(Rounding{}), multiples}) {
    if (!rounding) continue;
    for (const int64_t times : {1, 100}) {
      const QuotientForm form{*rounding, 0, times};
      double bits = 0;
      const bool mostly = sample.Mostly([&](double value) {
        Fraction fraction;
        int64_t steps = 0;
        const bool divided = form.Divide(value, &fraction, &steps);
        bits += divided ? BitsOf(fraction, times) : kPatchBits;
        return divided;
      });
      if (!mostly || bits >= best_bits) continue;
      best = form;
      best_bits = bits;
    }
  }
  return best;
}

}  // namespace

bool QuotientForm::Divide(double value, Fraction* fraction, int64_t* steps) const {
  double quotient = 0;
  if (denominator != 0) {
    const auto divisor = static_cast<double>(denominator);
    const double rounded = std::rint(value * divisor);
    if (!(std::fabs(rounded) < static_cast<double>(kNumeratorEnd))) return false;
    *fraction = {static_cast<int64_t>(rounded), denominator};
    // Of the integer: the quotient of -0 would be another one.
    quotient = static_cast<double>(fraction->numerator) / divisor;
  } else if (value == 0) {
    *fraction = {0, 1};
  } else {
    const auto factor = static_cast<double>(times);
    const auto found = FractionOf(value / factor, ToleranceAt(value, rounding) / factor, kMaxParts);
    // A hundred times a numerator may be more than a frame takes.
    if (!found || std::abs(found->numerator) >= kNumeratorEnd / times) return false;
    *fraction = {found->numerator * times, found->denominator};
    quotient = static_cast<double>(fraction->numerator) / static_cast<double>(fraction->denominator);
  }
  const auto found = rounding.StepsTo(value, quotient);
  if (!found) return false;
  *steps = *found;
  return true;
}

std::optional<Fraction> FractionOf(double value, double tolerance, double parts) {
  const double size = std::fabs(value);
  if (!(size > 1 / parts) || !(size < parts)) return std::nullopt;
  Fraction before{0, 1};
  Fraction last{1, 0};
  double rest = size;
  for (int term = 0; term < kMaxTerms; ++term) {
    const double whole = std::floor(rest);
    if (whole >= parts) return std::nullopt;
    const auto factor = static_cast<int64_t>(whole);
    const Fraction next{factor * last.numerator + before.numerator, factor * last.denominator + before.denominator};
    const auto numerator = static_cast<double>(next.numerator);
    const auto denominator = static_cast<double>(next.denominator);
    if (numerator * denominator >= parts) return std::nullopt;
    before = last;
    last = next;
    if (next.numerator != 0 && std::fabs(size - numerator / denominator) <= tolerance) {
      return Fraction{value < 0 ? -next.numerator : next.numerator, next.denominator};
    }
    const double fraction = rest - whole;
    if (fraction <= 0) return std::nullopt;
    rest = 1 / fraction;
  }
  return std::nullopt;
}

std::optional<QuotientForm> FindQuotients(const FloatSample& sample) {
  if (sample.MostlySingles()) return FindDecimals(sample, {Rounding::Kind::kSingles});
  if (const auto form = FindDecimals(sample, {})) return form;
  const auto multiples = FindMultiples(sample);
  if (multiples) {
    if (const auto form = FindDecimals(sample, *multiples)) return form;
  }
  // Percentages are the quotient of other parts than they seem to be.
  for (const int64_t times : {1, 100}) {
    if (const auto form = FindDenominator(sample, times)) return form;
  }
  return FindFractions(sample, multiples);
}

}  // namespace tidemark::codec
