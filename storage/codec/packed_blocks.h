// Packed blocks: how the delta and the reference codec store unsigned words: blocks of 128, each with the width that
// takes the fewest bytes, and the words that are wider as exceptions (patched frame of reference, Zukowski et al.,
// ICDE 2006, with patches kept apart). So one outlier costs three bytes and not a bit in each of its 127 neighbours.
//
//   headers     one byte per block: bits 0-5 width code (kernels.h), bit 6 has exceptions, bit 7 zero
//   exceptions  for each block that has some: count (1 to 128), then per exception its place in the block (one byte,
//               ascending) and the bits above the width (varint, not 0)
//   packed      block after block: 16 * width bytes; the last one with n words ceil(n * width / 8)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/codec/kernels.h"

namespace tidemark::codec {

constexpr size_t BlocksOf(size_t count) { return (count + kBlock - 1) / kBlock; }

// `count` words to be packed, with room for a whole number of blocks; the room behind them is zero.
class Words {
 public:
  explicit Words(size_t count);
  [[nodiscard]] size_t count() const { return count_; }
  [[nodiscard]] size_t blocks() const { return BlocksOf(count_); }
  [[nodiscard]] uint64_t* data() { return words_.get(); }
  [[nodiscard]] const uint64_t* block(size_t block) const { return words_.get() + block * kBlock; }
  // How many of the words of a block are to be stored.
  [[nodiscard]] size_t size_of(size_t block) const { return std::min(kBlock, count_ - block * kBlock); }

 private:
  size_t count_;
  std::unique_ptr<uint64_t[]> words_;
};

// How words are to be packed.
class PackPlan {
 public:
  explicit PackPlan(const Words& words) : words_(words) { headers_.reserve(words.blocks()); }

  // Decides about the next block.
  void PlanBlock();
  [[nodiscard]] size_t planned_blocks() const { return headers_.size(); }

  // Of the planned blocks: bytes of their three parts, and the parts.
  [[nodiscard]] size_t bytes() const { return headers_.size() + exceptions_.size() + packed_bytes_; }
  [[nodiscard]] std::string_view headers() const { return headers_; }
  [[nodiscard]] std::string_view exceptions() const { return exceptions_; }
  void AppendPacked(std::string* out) const;

 private:
  const Words& words_;
  std::string headers_;
  std::string exceptions_;
  size_t packed_bytes_ = 0;
};

// PackedBlocks reads them back.
class PackedBlocks {
 public:
  // The three parts of `count` words; kCorruption when they do not fit each other.
  static Result<PackedBlocks> Open(std::string_view headers, std::string_view exceptions, std::string_view packed,
                                   size_t count);
  // Bytes of the packed part that the headers of `count` words ask for; kCorruption for a header that cannot be.
  static Result<size_t> PackedBytes(std::string_view headers, size_t count);

  // Moves to a block (forward only, from 0) and unpacks it: as many words as it has, rounded up to
  // kStride; `words` has room for 128.
  // kCorruption for exceptions that cannot be.
  Result<void> Unpack(size_t block, uint64_t* words);

 private:
  // Passes over a block: moves exceptions_ and packed_at_ behind it.
  Result<void> Skip();
  Result<void> Patch(unsigned width, uint64_t* words);

  std::string_view headers_;
  std::string_view exceptions_;  // of block_ and those behind it
  std::string_view packed_;
  size_t packed_at_ = 0;  // where block_ begins
  size_t block_ = 0;
  size_t count_ = 0;
};

}  // namespace tidemark::codec
