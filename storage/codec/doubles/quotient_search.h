// Finds the form in which the doubles of a frame are quotients.
#pragma once

#include <cstdint>
#include <optional>

#include "storage/codec/doubles/rounding.h"
#include "storage/codec/doubles/sample.h"

namespace tidemark::codec {

// Numerators stay below, so that they become doubles by one vector instruction (2^52 + 2^51 is added and taken away).
inline constexpr int64_t kNumeratorEnd = int64_t{1} << 51;

// A fraction of two integers.
struct Fraction {
  int64_t numerator = 0;
  int64_t denominator = 1;
};

struct QuotientForm {
  Rounding rounding;
  // 0: each value has one of its own.
  int64_t denominator = 1;
  // Where each has its own: the value is that many times a fraction of smaller parts, 100 where it is a percentage.
  int64_t times = 1;

  // A value's fraction in this form, and its steps from it; false when it has none.
  bool Divide(double value, Fraction* fraction, int64_t* steps) const;
};

// By a sample; nothing when most of it are no quotients of fewer bits than their own.
std::optional<QuotientForm> FindQuotients(const FloatSample& sample);

// The fraction with the smallest denominator among the convergents of a value's continued fraction which is at most
// `tolerance` from it and of which the product of both is below `parts`, at most 2^52; nothing when there is none.
// Numerator 0 is no fraction.
std::optional<Fraction> FractionOf(double value, double tolerance, double parts);

}  // namespace tidemark::codec
