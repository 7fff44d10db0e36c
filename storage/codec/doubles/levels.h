// Levels: the different doubles of a frame, and for each row the place of its value among them. For values that come
// back, whatever they are.
//
//   size      varint, 1 to count: how many are different
//   values    frame of doubles of `size` ascending values (in the order of Ordered, levels.cc), not of levels
//   places    integer frame of `count` values from 0 to size - 1
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

bool EncodeLevels(std::span<const double> values, size_t limit, std::string* out);
Result<size_t> DecodeLevels(std::string_view bytes, size_t count, RowRange rows, double* out);

}  // namespace tidemark::codec
