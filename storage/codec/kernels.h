// Kernels: the inner loops of the packed codecs over one block of 128 words, for the widest vectors that this CPU has.
// Words are packed one after the other, `width` bits each, lowest bit first, without gaps, so that any 8 words take
// `width` bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tidemark::codec {

inline constexpr size_t kBlock = 128;
// Kernels work on so many words at once. Where one takes a `count` of words, it is a multiple of this, at most kBlock.
inline constexpr size_t kStride = 8;
constexpr size_t RoundUpToStride(size_t count) { return (count + kStride - 1) / kStride * kStride; }
// Widths 0 to 57, which one unaligned 8-byte load can cover, and 64.
inline constexpr unsigned kMaxOddWidth = 57;
inline constexpr unsigned kWidthCodes = kMaxOddWidth + 2;
// Unpack reads this many bytes past the count * width bits of its words.
inline constexpr size_t kUnpackSlack = 8;

// The code of a width, as block headers have it: the width itself, and 58 for everything above 57, which becomes 64.
constexpr unsigned WidthCode(unsigned width) { return width <= kMaxOddWidth ? width : kMaxOddWidth + 1; }
constexpr unsigned WidthOf(unsigned code) { return code <= kMaxOddWidth ? code : 64; }

struct Above {
  uint32_t count = 0;      // words above the limit
  uint64_t rest_bits = 0;  // all others, or-ed
};

struct Kernels {
  // Unpacks words. Indexed by width code.
  void (*unpack[kWidthCodes])(const char* in, size_t count, uint64_t* words);
  // out[i] = out[i - 1] + bias + unzigzag(words[i]), where out[-1] is `before`; wraps around.
  void (*prefix)(const uint64_t* words, size_t count, int64_t before, int64_t bias, int64_t* out);
  // The same of symbols[i]; `count` is a multiple of 16.
  void (*prefix_symbols)(const uint8_t* symbols, size_t count, int64_t before, int64_t bias, int64_t* out);
  // out[i] = base + words[i]; wraps around.
  void (*add)(const uint64_t* words, size_t count, int64_t base, int64_t* out);
  // values[i] = base + factor * values[i] for any count; wraps around.
  void (*scale)(int64_t* values, size_t count, uint64_t factor, int64_t base);
  // words[i] = zigzag(values[i] - values[i - 1] - bias) for i in [1, count), any count; wraps around.
  void (*zigzag_deltas)(const int64_t* values, size_t count, int64_t bias, uint64_t* words);
  // words[i] = symbols[i] - base. `count` may be any; as many as it rounded up to kStride are read and written.
  void (*widen)(const uint8_t* symbols, size_t count, uint64_t base, uint64_t* words);
  // words[i] |= (symbols[i] - base) << shift. `count` as above.
  void (*merge)(const uint8_t* symbols, size_t count, uint64_t base, unsigned shift, uint64_t* words);
  // out[i] = highs[i] << shift | lows[i], for any count and a shift below 64.
  void (*join)(const int64_t* highs, const uint64_t* lows, size_t count, unsigned shift, uint64_t* out);
  // words[2 * i] = symbols[i] & 15, words[2 * i + 1] = symbols[i] >> 4; `count` words.
  void (*halves)(const uint8_t* symbols, size_t count, uint64_t* words);
  // The smallest of at least one value.
  int64_t (*min)(const int64_t* values, size_t count);
  // All words or-ed.
  uint64_t (*bits)(const uint64_t* words, size_t count);
  // Words over `limit`.
  Above (*above)(const uint64_t* words, size_t count, uint64_t limit);
};

// For the CPU at hand. Thread-safe.
const Kernels& BestKernels();
// Without vector instructions beyond x86-64-v2: what the others are tested against.
const Kernels& BaseKernels();

// Packs words of WidthOf(code) bits; their higher bits are ignored. Works on 64 words at once: reads and writes as if
// `count` were rounded up to 64 or 128.
void Pack(const uint64_t* words, size_t count, unsigned code, char* out);

}  // namespace tidemark::codec
