#include "storage/codec/low_bits.h"

#include <algorithm>
#include <cstring>

#include "storage/codec/kernels.h"

namespace tidemark::codec {

void AppendLowBits(std::span<const uint64_t> words, unsigned width, std::string* out) {
  if (width == 0) return;
  char packed[kBlock * sizeof(uint64_t)];
  for (size_t begin = 0; begin < words.size(); begin += kBlock) {
    uint64_t block[kBlock] = {};
    const size_t size = std::min(kBlock, words.size() - begin);
    std::copy_n(words.data() + begin, size, block);
    Pack(block, size, width, packed);
    out->append(packed, (size * width + 7) / 8);
  }
}

Result<LowBits> LowBits::Open(std::string_view bytes, size_t count, unsigned width) {
  LowBits bits;
  bits.width_ = width;
  const size_t size = count / kBlock * (kBlock / 8) * width + (count % kBlock * width + 7) / 8;
  if (size > bytes.size()) return Corruption("frame: low bits are cut short");
  bits.packed_ = bytes.substr(0, size);
  return bits;
}

void LowBits::Unpack(size_t block, size_t size, uint64_t* words) const {
  const size_t begin = block * (kBlock / 8) * width_;
  const size_t size_bytes = RoundUpToStride(size) / 8 * width_;
  const char* in = packed_.data() + begin;
  char copy[kBlock * sizeof(uint64_t) + kUnpackSlack];
  if (begin + size_bytes + kUnpackSlack > packed_.size()) {
    const size_t left = std::min(packed_.size() - begin, size_bytes);
    std::memcpy(copy, in, left);
    std::memset(copy + left, 0, size_bytes + kUnpackSlack - left);
    in = copy;
  }
  BestKernels().unpack[width_](in, RoundUpToStride(size), words);
}

}  // namespace tidemark::codec
