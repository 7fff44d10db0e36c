// Singles: doubles that were 32-bit floats before, as readings of sensors and of GPUs are.
//
//   flags     0, or 1: there are patches
//   patches   patches.h: rows that are no 32-bit float, such as stale markers
//   words     integer frame: the floats, as numbers in the order of the floats (in patched rows anything)
//
// The number of a float is its bit pattern as an int32, with all bits but the sign flipped in negative ones.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

bool EncodeSingles(std::span<const double> values, size_t limit, std::string* out);
Result<size_t> DecodeSingles(std::string_view bytes, size_t count, RowRange rows, double* out);

}  // namespace tidemark::codec
