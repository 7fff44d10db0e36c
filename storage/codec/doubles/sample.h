// A sample of the doubles of a frame, by which codecs decide whether a closer look is worth its time.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "storage/codec/sampling.h"

namespace tidemark::codec {

// How many rows of a frame may be patches: with more of them another codec does better.
constexpr size_t MostPatches(size_t count) { return count / 8 + 1; }

// Whether a double is a 32-bit float, bit for bit.
inline bool IsSingle(double value) {
  return std::bit_cast<int64_t>(static_cast<double>(static_cast<float>(value))) == std::bit_cast<int64_t>(value);
}

// Finite values but zeros, of rows all over the frame.
struct FloatSample {
  static constexpr size_t kSize = 32;
  std::array<double, kSize> values;
  size_t size = 0;

  [[nodiscard]] std::span<const double> all() const { return {values.data(), size}; }
  // Whether most of them fulfil a condition; false for an empty sample.
  template <typename Condition>
  [[nodiscard]] bool Mostly(const Condition& condition) const {
    size_t found = 0;
    for (const double value : all()) found += condition(value) ? 1 : 0;
    return size > 0 && found * 4 > size * 3;
  }
  [[nodiscard]] bool MostlySingles() const { return Mostly(&IsSingle); }
};

// Of at least one value.
inline FloatSample SampleOf(std::span<const double> values) {
  FloatSample sample;
  for (size_t i = 0; i < FloatSample::kSize; ++i) {
    const double value = values[SampledRow(i, values.size())];
    if (std::isfinite(value) && value != 0) sample.values[sample.size++] = value;
  }
  return sample;
}

}  // namespace tidemark::codec
