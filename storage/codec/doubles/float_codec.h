// FloatCodec: a way to write doubles that are no short decimals, and the table of them. To add one, see README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

// The first byte of such a frame. The numbers are stored on disk: never change or reuse one. 0 to 22, 128 to 150 and
// 255 are in floats.h.
enum class FloatHead : uint8_t {
  kQuotients = 32,  // quotients.h; since store version 3, as all of these
  kSingles = 33,    // singles.h
  kLevels = 34,     // levels.h
  kSplit = 35,      // split.h
};

struct FloatCodec {
  FloatHead head;
  std::string_view name;
  // Appends a frame of at least one value without its head; false, with `out` as it was, when it is not for these
  // values or is known early not to become smaller than `limit` bytes.
  bool (*encode)(std::span<const double> values, size_t limit, std::string* out);
  // Decodes rows of a frame of `count` values to `out`, which has room for them. `bytes` begins behind the head and may
  // go on behind the frame; returns how many belong to the frame. kCorruption for bytes that cannot be.
  Result<size_t> (*decode)(std::string_view bytes, size_t count, RowRange rows, double* out);
};

// In the order in which they are tried.
std::span<const FloatCodec> FloatCodecs();

}  // namespace tidemark::codec
