// Patches: rows of a frame of doubles that are stored apart from the others, by their bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

struct Patches {
  std::vector<int64_t> rows;  // ascending
  std::vector<int64_t> bits;
  size_t bytes = 0;  // that they took; set by DecodePatches

  void Add(size_t row, double value);
  [[nodiscard]] bool Touch(RowRange range) const;
  // Puts those of the range into out[0, range.end - range.begin).
  void Apply(RowRange range, double* out) const;
};

// How many, their rows and their bits. At least one.
void AppendPatches(const Patches& patches, std::string* out, Effort effort);
// Those of a frame of `count` values. kCorruption for bytes that cannot be.
Result<Patches> DecodePatches(std::string_view bytes, size_t count);

}  // namespace tidemark::codec
