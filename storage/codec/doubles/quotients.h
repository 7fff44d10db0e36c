// Quotients: doubles that came of a division, or of arithmetic on decimals that ends a little beside a decimal. 41.362
// that was summed up is 41.361999999999995: no decimal of few digits, but the double next to one. A third, a rate per
// 300 s and hits over requests are no decimals of any length, but quotients of small integers.
//
//   value[i] = Round(numerator[i] / denominator) + residual[i] * (distance to the next number that Round may give)
//
//   form           bits 0-1 what Round gives: 0 doubles, 1 32-bit floats, 2 multiples of a power of two; bit 2 there
//   are
//                  patches; bit 3 there are residuals; bit 4 each row has a denominator of its own
//   exponent       signed varint, -1022 to 1022, of multiples only: they are those of 2^exponent
//   denominator    varint, 1 to 2^51 - 1, without bit 4 only
//   patches        patches.h, with bit 2 only
//   denominators   integer frame, with bit 4 only
//   residuals      integer frame of their zigzag forms, with bit 3 only
//   numerators     integer frame, each from 1 - 2^51 to 2^51 - 1
//
// The division is one of doubles, rounded to the nearest one. Multiples of a power of two are what a difference of two
// numbers is: 100 - 97.6 is 2.4000000000000057, far from 2.4 in steps of doubles near 2.4, but next to it in steps of
// doubles near 100.
//
// ALP (Afroozeh, Kuffo and Boncz, SIGMOD 2024) has decimals and exceptions; residuals keep what would be an exception
// there in every other row of such series.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

bool EncodeQuotients(std::span<const double> values, size_t limit, std::string* out);
Result<size_t> DecodeQuotients(std::string_view bytes, size_t count, RowRange rows, double* out);

}  // namespace tidemark::codec
