// Number: the numeric field values of line protocol, and the eight-digits-at-once arithmetic that reads the common
// ones.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "storage/model/batch.h"
#include "storage/model/field.h"

namespace tidemark::lineprotocol {

enum class NumberError : uint8_t {
  kNone,
  kInvalidNumber,  // not the syntax of a number
  kInvalidFloat,   // an exponent without digits, or a float beyond the range of doubles
  kIntRange,       // an `i` value outside of int64
  kUIntRange,      // a `u` value outside of uint64
};

struct Number {
  int64_t value = 0;  // as in model::Batch::values
  uint8_t scale = 0;  // as in model::Batch::scales
  model::FieldType type = model::FieldType::kFloat;
  NumberError error = NumberError::kNone;
};

// Reads the whole of `token` as one number:
//   -?[0-9]+i               int64
//   [0-9]+u                 uint64
//   -?D([eE][+-]?[0-9]+)?   float, where D is digits with at most one '.' among or around them
// A float becomes mantissa and scale if its digits (leading zeros apart, trailing zeros kept) give |mantissa| < 2^53
// and 0 <= scale <= 22 after the exponent is taken in, and the nearest double otherwise. One that is too small for a
// double is zero; NaN, infinities, hexadecimal and '_' are not numbers.
Number ParseNumber(std::string_view token);

// Eight digits at a time. A chunk holds eight characters, the first in its lowest byte, each less '0'; this is why
// a digit is a byte below 10. Source: SWAR parsing after Johnny Lee and Daniel Lemire,
// https://lemire.me/blog/2022/01/21/swar-explained-parsing-eight-digits/
inline uint64_t LoadChunk(const char* at) {
  uint64_t chunk;
  std::memcpy(&chunk, at, sizeof(chunk));
  return chunk ^ 0x3030303030303030;
}

// Bit 7 of each byte that is not a digit. Exact up to and including the first one, which is all that anyone asks.
inline uint64_t NonDigits(uint64_t chunk) { return ((chunk + 0x7676767676767676) | chunk) & 0x8080808080808080; }

// How many digits stand before the first byte that is marked in `non_digits`: 0 to 8.
inline unsigned LeadingDigits(uint64_t non_digits) { return static_cast<unsigned>(std::countr_zero(non_digits)) / 8; }

// The number that the first `count` digits of a chunk form; `count` is 1 to 8.
inline uint64_t DigitsValue(uint64_t chunk, unsigned count) {
  chunk <<= 64 - 8 * count;
  chunk = chunk * 10 + (chunk >> 8);  // pairs, in the even bytes
  return (((chunk & 0x000000FF000000FF) * (100 + (uint64_t{1'000'000} << 32))) +
          (((chunk >> 16) & 0x000000FF000000FF) * (1 + (uint64_t{10'000} << 32)))) >>
         32;
}

}  // namespace tidemark::lineprotocol
