// Frames of integers. A frame holds `count` values (kept by whoever keeps the frame) and says in its first byte how:
// see codec_id.h and FORMAT.md. Encoding analyses the values and takes the codec with the fewest bytes.
//
// All 2^64 values and all differences between them, which wrap around, come back as they were.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

// Appends a frame of the values; returns who can read it. No values: no bytes.
Since EncodeInts(std::span<const int64_t> values, std::string* out, Effort effort = Effort::kFast);

// Decodes all values of the frame at the beginning of `bytes`; returns the bytes that it takes.
// kCorruption for bytes that are no frame of `count` values.
Result<size_t> DecodeInts(std::string_view bytes, size_t count, int64_t* out);
// Only the given rows, rows.end <= count; out[0] is row rows.begin. Blocks without such rows are not decoded.
Result<size_t> DecodeInts(std::string_view bytes, size_t count, RowRange rows, int64_t* out);

// For a frame of ascending values: rows outside which no value lies in [low, high]; may be wider than needed.
Result<RowRange> NarrowInts(std::string_view bytes, size_t count, int64_t low, int64_t high);

}  // namespace tidemark::codec
