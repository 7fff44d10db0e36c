// Pairs: words below 16 as symbols of two, in Huffman codes. For residuals, levels, states and steps of small integers:
// half the codes to read, and a word that is nearly always the same takes half a bit.
//
//   flags         bit 0: differences, otherwise distances
//   base          signed varint: the first value; of distances the smallest one
//   frame_bytes   varint
//   frame         huffman.h: for each two words the first one and 16 times the second one; 0 behind an odd last one
//
// A word is a distance from the base, or the zigzag form of the difference from the value before, of the first one 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

std::unique_ptr<Candidate> PlanPairs(std::span<const int64_t> values, size_t limit, Effort effort);
Result<size_t> DecodePairs(std::string_view bytes, size_t count, RowRange rows, int64_t* out);

}  // namespace tidemark::codec
