// Low bits: words of one width, packed block by block without headers or exceptions, lowest bit first and without gaps.
// They take ceil(count * width / 8) bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::codec {

// Appends the lowest `width` bits of the words, 0 to 57.
void AppendLowBits(std::span<const uint64_t> words, unsigned width, std::string* out);

class LowBits {
 public:
  // The words at the beginning of the bytes, which may go on behind them and must outlive this. kCorruption when they
  // are too short.
  static Result<LowBits> Open(std::string_view bytes, size_t count, unsigned width);
  // Of all words.
  [[nodiscard]] size_t bytes() const { return packed_.size(); }
  // A block (kernels.h) of `size` words; what `words` has behind them, up to kBlock, may be overwritten.
  void Unpack(size_t block, size_t size, uint64_t* words) const;

 private:
  unsigned width_ = 0;
  std::string_view packed_;
};

}  // namespace tidemark::codec
