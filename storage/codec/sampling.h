// Rows of which a frame's codec is chosen.
#pragma once

#include <cstddef>

namespace tidemark::codec {

// The row of draw `i` from `count` rows, not 0. Not every n-th row: values repeat in cycles.
constexpr size_t SampledRow(size_t i, size_t count) {
  constexpr size_t kPrime = 0x9E3779B1;
  return i * kPrime % count;
}

}  // namespace tidemark::codec
