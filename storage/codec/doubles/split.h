// Split: the high bits of doubles, which repeat (sign, exponent and the first bits of a fraction), apart from the low
// ones, which are noise. ALP-RD of Afroozeh, Kuffo and Boncz, "ALP: Adaptive Lossless floating-Point Compression",
// SIGMOD 2024, section 3.4; high bits are not limited to eight patterns and exceptions, but an integer frame, which is
// one of distinct values where that is smallest.
//
//   low_bits   1 to 57, how many bits are low
//   highs      integer frame: the bits above
//   lows       the low bits, lowest first and without gaps: ceil(count * low_bits / 8) bytes
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

bool EncodeSplit(std::span<const double> values, size_t limit, std::string* out);
Result<size_t> DecodeSplit(std::string_view bytes, size_t count, RowRange rows, double* out);

}  // namespace tidemark::codec
