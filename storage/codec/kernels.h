// Kernels: the inner loops of the packed codecs over one block of 128 words, for the widest vectors that this CPU has.
// Words are packed one after the other, `width` bits each, lowest bit first, without gaps, so that any 8 words take
// `width` bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tidemark::codec {

inline constexpr size_t kBlock = 128;
// Widths 0 to 57, which one unaligned 8-byte load can cover, and 64.
inline constexpr unsigned kMaxOddWidth = 57;
inline constexpr unsigned kWidthCodes = kMaxOddWidth + 2;
// Unpack reads this many bytes past the 16 * width of a block.
inline constexpr size_t kUnpackSlack = 8;

// The code of a width, as block headers have it: the width itself, and 58 for everything above 57, which becomes 64.
constexpr unsigned WidthCode(unsigned width) { return width <= kMaxOddWidth ? width : kMaxOddWidth + 1; }
constexpr unsigned WidthOf(unsigned code) { return code <= kMaxOddWidth ? code : 64; }

struct Above {
  uint32_t count = 0;      // words above the limit
  uint64_t rest_bits = 0;  // all others, or-ed
};

struct Kernels {
  // Unpacks 128 words. Indexed by width code.
  void (*unpack[kWidthCodes])(const char* in, uint64_t* words);
  // out[i] = out[i - 1] + bias + unzigzag(words[i]), where out[-1] is `before`; wraps around.
  void (*prefix)(const uint64_t* words, int64_t before, int64_t bias, int64_t* out);
  // out[i] = base + words[i]; wraps around.
  void (*add)(const uint64_t* words, int64_t base, int64_t* out);
  // words[i] = zigzag(values[i] - values[i - 1] - bias) for i in [1, count); wraps around.
  void (*zigzag_deltas)(const int64_t* values, size_t count, int64_t bias, uint64_t* words);
  // The smallest of at least one value.
  int64_t (*min)(const int64_t* values, size_t count);
  // The or of 128 words.
  uint64_t (*bits)(const uint64_t* words);
  // Words over `limit`, of 128.
  Above (*above)(const uint64_t* words, uint64_t limit);
};

// For the CPU at hand. Thread-safe.
const Kernels& BestKernels();
// Without vector instructions beyond x86-64-v2: what the others are tested against.
const Kernels& BaseKernels();

// Packs 128 words of WidthOf(code) bits into 16 * width bytes at `out`. Higher bits of the words are ignored.
void Pack(const uint64_t* words, unsigned code, char* out);

}  // namespace tidemark::codec
