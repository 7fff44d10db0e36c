// Frames of doubles. Doubles that are decimals are stored as integers and a scale, exactly: every double comes back
// bit for bit, and is nothing else than mantissa / 10^scale (model::Batch has the rule). A few that are no such
// decimal (NaN, infinities, -0, long fractions) ride along as patches. Free doubles are stored by their bits.
//
//   head       0 to 22: decimals of this scale; 128 + scale: decimals and patches; 255: bits; a codec of float_codec.h
//              says itself what follows
//   patches    patches.h, with patches only
//   words      integer frame: mantissas (in patched rows anything), or bit patterns
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

struct FloatFrame {
  uint8_t scale = 0;  // model::kBinaryScale: of doubles
  Since since = Since::kStore1;
};
// Appends a frame and returns what it is. `hint` is the scale that is tried first: that of the frame before, of the
// same field. No values: no bytes, and the hint.
FloatFrame EncodeFloats(std::span<const double> values, uint8_t hint, std::string* out, Effort effort = Effort::kFast);
// The same for values that are mantissas of `scale` already (|mantissa| < 2^53). The scale of the frame is smaller when
// all mantissas end in zeros.
FloatFrame EncodeDecimals(std::span<const int64_t> mantissas, uint8_t scale, std::string* out,
                          Effort effort = Effort::kFast);
// Of the different values of a frame of levels (levels.h): a frame of any other codec.
void EncodeLevelValues(std::span<const double> values, std::string* out);

struct DecodedFloats {
  // The scale of `ints`; model::kBinaryScale: the rows are in `floats`.
  uint8_t scale = 0;
  size_t bytes = 0;  // of the frame
};
// Decodes rows of a frame of `count` values. The rows are at the beginning of `ints` or of `floats`, which grow as
// needed and are not shrunk (so that growing costs once). Patched frames give doubles where `rows` has a patch.
Result<DecodedFloats> DecodeFloats(std::string_view bytes, size_t count, RowRange rows, std::vector<int64_t>* ints,
                                   std::vector<double>* floats);

// The scale of a frame without decoding it: of its mantissas, or model::kBinaryScale.
uint8_t FloatScaleOf(std::string_view bytes);

// The mantissa of a double at a scale when the double is that decimal, bit for bit.
bool MantissaOf(double value, uint8_t scale, int64_t* mantissa);

}  // namespace tidemark::codec
