// Bit packing of unsigned integers of one width, least significant bit first, and blocks of signed integers that pick
// the cheapest of a few plain forms. For data that is written once and read back whole, such as journal records; pages
// use the codecs of storage/codec, which compress more and decode in part.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/bytes.h"

namespace tidemark {

// Appends the low `width` bits (0 to 64) of each value; the rest of the last byte is 0.
void PackBits(std::span<const uint64_t> values, unsigned width, std::string* out);

// Bytes that `count` values of `width` bits take.
constexpr size_t PackedBytes(size_t count, unsigned width) { return (count * width + 7) / 8; }

// Reads `count` values. `bytes` must hold PackedBytes(count, width).
void UnpackBits(std::string_view bytes, size_t count, unsigned width, uint64_t* out);

// Appends a block: constant, arithmetic progression, a few of them, or frame of reference (minimum and bit-packed
// differences). An empty block is nothing. `scratch` is memory to reuse.
void PutIntBlock(std::span<const int64_t> values, std::vector<uint64_t>* scratch, std::string* out);

// Reads a block of `count` values; false, and the reader has failed, when the bytes are not one.
bool GetIntBlock(ByteReader* reader, size_t count, std::vector<uint64_t>* scratch, int64_t* out);

}  // namespace tidemark
