// Entropy: words as Huffman codes, for data that is past and read seldom: a quarter fewer bytes than packed blocks, at
// half their speed. Words are differences as in delta.h (less a bias, zigzag) or distances from the smallest value as
// in reference.h. The lowest `shift` bits of a word, which are noise, are stored as they are; what is above them is a
// symbol of one byte, and all symbols are one zstd frame that has Huffman-coded literals only. A stream that is mostly
// zeros has symbols for runs of them, because no Huffman code is shorter than one bit.
//
//   flags         bits 0-5 shift (0 to 56), bit 6 zero runs, bit 7 distances instead of differences
//   base          signed varint: the first value; of distances the smallest one
//   bias          signed varint, of differences only; value[-1] counts as first - bias
//   symbols       varint, how many; with zero runs only, otherwise there is one per value
//   frame_bytes   varint
//   escape_bytes  varint
//   frame         zstd (RFC 8878) without magic number
//   escapes       for each symbol 255, in order: what is above the shift, less what the symbol stands for; varint
//   low bits      of the words that have a symbol of their own, packed as in packed_blocks.h
//
// Symbols without runs: min(word >> shift, 255). With runs: 0 and 1 are the digits 1 and 2 of the length of a run of
// zeros in bijective base 2, lowest first; a word that is not zero is min((word >> shift) + 2, 255).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

std::unique_ptr<Candidate> PlanEntropy(std::span<const int64_t> values, size_t limit, Effort effort);
Result<size_t> DecodeEntropy(std::string_view bytes, size_t count, RowRange rows, int64_t* out);

}  // namespace tidemark::codec
