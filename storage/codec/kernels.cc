#include "storage/codec/kernels.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#define TM_AVX2 __attribute__((target("avx2")))
#endif

#include "storage/base/bytes.h"

namespace tidemark::codec {
namespace {

#define TM_ALWAYS_INLINE [[gnu::always_inline]] inline

constexpr uint64_t MaskOf(unsigned width) { return width >= 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1; }

// The loops below have plain bodies that the compiler vectorises for whatever function they are inlined into.

template <unsigned Width>
TM_ALWAYS_INLINE void UnpackLoop(const char* in, size_t count, uint64_t* words) {
  if constexpr (Width == 0) {
    std::memset(words, 0, count * sizeof(uint64_t));
  } else if constexpr (Width == 64) {
    std::memcpy(words, in, count * sizeof(uint64_t));
  } else {
    for (size_t i = 0; i < count; i += kStride, in += Width, words += kStride) {
#pragma GCC unroll 8
      for (unsigned k = 0; k < 8; ++k) {
        words[k] = (LoadLittle<uint64_t>(in + k * Width / 8) >> (k * Width % 8)) & MaskOf(Width);
      }
    }
  }
}

template <typename Word>
TM_ALWAYS_INLINE void PrefixLoop(const Word* words, size_t count, int64_t before, int64_t bias, int64_t* out) {
  uint64_t sum = static_cast<uint64_t>(before);
  for (size_t i = 0; i < count; ++i) {
    sum += static_cast<uint64_t>(UnZigZag(words[i])) + static_cast<uint64_t>(bias);
    out[i] = static_cast<int64_t>(sum);
  }
}

TM_ALWAYS_INLINE void AddLoop(const uint64_t* words, size_t count, int64_t base, int64_t* out) {
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<int64_t>(words[i] + static_cast<uint64_t>(base));
}

TM_ALWAYS_INLINE void ScaleLoop(int64_t* values, size_t count, uint64_t factor, int64_t base) {
  for (size_t i = 0; i < count; ++i) {
    values[i] = static_cast<int64_t>(static_cast<uint64_t>(base) + factor * static_cast<uint64_t>(values[i]));
  }
}

TM_ALWAYS_INLINE void ZigZagDeltasLoop(const int64_t* values, size_t count, int64_t bias, uint64_t* words) {
  for (size_t i = 1; i < count; ++i) {
    words[i] = ZigZag(static_cast<int64_t>(static_cast<uint64_t>(values[i]) - static_cast<uint64_t>(values[i - 1]) -
                                           static_cast<uint64_t>(bias)));
  }
}

TM_ALWAYS_INLINE void WidenLoop(const uint8_t* symbols, size_t count, uint64_t base, uint64_t* words) {
  for (size_t i = 0; i < RoundUpToStride(count); ++i) words[i] = symbols[i] - base;
}

TM_ALWAYS_INLINE void MergeLoop(const uint8_t* symbols, size_t count, uint64_t base, unsigned shift, uint64_t* words) {
  for (size_t i = 0; i < RoundUpToStride(count); ++i) words[i] |= (symbols[i] - base) << shift;
}

TM_ALWAYS_INLINE void JoinLoop(const int64_t* highs, const uint64_t* lows, size_t count, unsigned shift,
                               uint64_t* out) {
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<uint64_t>(highs[i]) << shift | lows[i];
}

TM_ALWAYS_INLINE void HalvesLoop(const uint8_t* symbols, size_t count, uint64_t* words) {
  for (size_t i = 0; i < count; i += 2) {
    words[i] = symbols[i / 2] & 15U;
    words[i + 1] = symbols[i / 2] >> 4U;
  }
}

TM_ALWAYS_INLINE int64_t MinLoop(const int64_t* values, size_t count) {
  int64_t min[4] = {values[0], values[0], values[0], values[0]};
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
#pragma GCC unroll 4
    for (size_t lane = 0; lane < 4; ++lane) min[lane] = values[i + lane] < min[lane] ? values[i + lane] : min[lane];
  }
  for (; i < count; ++i) min[0] = std::min(min[0], values[i]);
  return std::min(std::min(min[0], min[1]), std::min(min[2], min[3]));
}

TM_ALWAYS_INLINE uint64_t BitsLoop(const uint64_t* words, size_t count) {
  uint64_t bits = 0;
  for (size_t i = 0; i < count; ++i) bits |= words[i];
  return bits;
}

TM_ALWAYS_INLINE Above AboveLoop(const uint64_t* words, size_t count, uint64_t limit) {
  uint64_t above = 0;
  uint64_t rest = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t over = words[i] > limit ? ~uint64_t{0} : 0;
    above -= over;
    rest |= words[i] & ~over;
  }
  return {static_cast<uint32_t>(above), rest};
}

template <unsigned Width>
void UnpackBase(const char* in, size_t count, uint64_t* words) {
  UnpackLoop<Width>(in, count, words);
}

template <size_t... Codes>
constexpr Kernels MakeBase(std::index_sequence<Codes...>) {
  return {
      .unpack = {&UnpackBase<WidthOf(Codes)>...},
      .prefix = [](const uint64_t* words, size_t count, int64_t before, int64_t bias,
                   int64_t* out) { PrefixLoop(words, count, before, bias, out); },
      .prefix_symbols = [](const uint8_t* symbols, size_t count, int64_t before, int64_t bias,
                           int64_t* out) { PrefixLoop(symbols, count, before, bias, out); },
      .add = [](const uint64_t* words, size_t count, int64_t base, int64_t* out) { AddLoop(words, count, base, out); },
      .scale = [](int64_t* values, size_t count, uint64_t factor,
                  int64_t base) { ScaleLoop(values, count, factor, base); },
      .zigzag_deltas = [](const int64_t* values, size_t count, int64_t bias,
                          uint64_t* words) { ZigZagDeltasLoop(values, count, bias, words); },
      .widen = [](const uint8_t* symbols, size_t count, uint64_t base,
                  uint64_t* words) { WidenLoop(symbols, count, base, words); },
      .merge = [](const uint8_t* symbols, size_t count, uint64_t base, unsigned shift,
                  uint64_t* words) { MergeLoop(symbols, count, base, shift, words); },
      .join = [](const int64_t* highs, const uint64_t* lows, size_t count, unsigned shift,
                 uint64_t* out) { JoinLoop(highs, lows, count, shift, out); },
      .halves = [](const uint8_t* symbols, size_t count, uint64_t* words) { HalvesLoop(symbols, count, words); },
      .min = [](const int64_t* values, size_t count) { return MinLoop(values, count); },
      .bits = [](const uint64_t* words, size_t count) { return BitsLoop(words, count); },
      .above = [](const uint64_t* words, size_t count, uint64_t limit) { return AboveLoop(words, count, limit); }};
}

#if defined(__x86_64__)

template <unsigned Width>
TM_AVX2 void UnpackAvx2(const char* in, size_t count, uint64_t* words) {
  if constexpr (Width == 0 || Width == 64) {
    UnpackLoop<Width>(in, count, words);
  } else {
    const __m256i mask = _mm256_set1_epi64x(static_cast<long long>(MaskOf(Width)));
    for (size_t i = 0; i < count; i += kStride, in += Width, words += kStride) {
#pragma GCC unroll 2
      for (unsigned k = 0; k < 8; k += 4) {
        const auto load = [&](unsigned j) __attribute__((always_inline)) {
          return LoadLittle<long long>(in + (k + j) * Width / 8);
        };
        const unsigned bit = k * Width % 8;
        __m256i four;
        __m256i shift;
        // Four words that begin in the same 8 bytes need one load, and never more than 63 bits of it.
        if constexpr (3 * Width + 7 + Width <= 64) {
          four = _mm256_set1_epi64x(load(0));
          shift = _mm256_set_epi64x(bit + 3 * Width, bit + 2 * Width, bit + Width, bit);
        } else {
          four = _mm256_set_epi64x(load(3), load(2), load(1), load(0));
          shift = _mm256_set_epi64x((k + 3) * Width % 8, (k + 2) * Width % 8, (k + 1) * Width % 8, bit);
        }
        four = _mm256_and_si256(_mm256_srlv_epi64(four, shift), mask);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + k), four);
      }
    }
  }
}

TM_AVX2 void PrefixAvx2(const uint64_t* words, size_t count, int64_t before, int64_t bias, int64_t* out) {
  const __m256i one = _mm256_set1_epi64x(1);
  const __m256i zero = _mm256_setzero_si256();
  const __m256i step = _mm256_set1_epi64x(bias);
  __m256i carry = _mm256_set1_epi64x(before);
#pragma GCC unroll 2
  for (size_t i = 0; i < count; i += 4) {
    const __m256i word = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words + i));
    const __m256i sign = _mm256_sub_epi64(zero, _mm256_and_si256(word, one));
    const __m256i delta = _mm256_add_epi64(_mm256_xor_si256(_mm256_srli_epi64(word, 1), sign), step);
    const __m256i pairs = _mm256_add_epi64(delta, _mm256_slli_si256(delta, 8));
    const __m256i low_sum = _mm256_permute2x128_si256(pairs, pairs, 0x08);  // {0, pairs.low}
    const __m256i sums = _mm256_add_epi64(pairs, _mm256_unpackhi_epi64(low_sum, low_sum));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_add_epi64(sums, carry));
    // Not taken from what was stored: this way one addition is all that each step waits for.
    carry = _mm256_add_epi64(carry, _mm256_permute4x64_epi64(sums, 0xFF));
  }
}

TM_AVX2 void PrefixSymbolsAvx2(const uint8_t* symbols, size_t count, int64_t before, int64_t bias, int64_t* out) {
  const __m256i one = _mm256_set1_epi16(1);
  const __m256i zero = _mm256_setzero_si256();
  const auto times = [bias](uint64_t n) { return static_cast<long long>(n * static_cast<uint64_t>(bias)); };
  const __m256i steps = _mm256_set_epi64x(times(4), times(3), times(2), bias);
  const __m256i four_steps = _mm256_set1_epi64x(times(4));
  const __m256i eight_steps = _mm256_set1_epi64x(times(8));
  __m256i carry = _mm256_set1_epi64x(before);
  for (size_t i = 0; i < count; i += 16) {
    const __m256i word = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(symbols + i)));
    const __m256i sign = _mm256_sub_epi16(zero, _mm256_and_si256(word, one));
    // Differences are at most 128, so that eight of them add up within 16 bits: in each half on its own.
    __m256i sums = _mm256_xor_si256(_mm256_srli_epi16(word, 1), sign);
    sums = _mm256_add_epi16(sums, _mm256_slli_si256(sums, 2));
    sums = _mm256_add_epi16(sums, _mm256_slli_si256(sums, 4));
    sums = _mm256_add_epi16(sums, _mm256_slli_si256(sums, 8));
    const auto put = [&](__m128i half, int64_t* to) __attribute__((always_inline, target("avx2"))) {
      const __m256i low = _mm256_cvtepi16_epi64(half);
      const __m256i high = _mm256_cvtepi16_epi64(_mm_srli_si128(half, 8));
      const __m256i from = _mm256_add_epi64(carry, steps);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_add_epi64(low, from));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 4),
                          _mm256_add_epi64(_mm256_add_epi64(high, four_steps), from));
      carry = _mm256_add_epi64(carry, _mm256_add_epi64(_mm256_permute4x64_epi64(high, 0xFF), eight_steps));
    };
    put(_mm256_castsi256_si128(sums), out + i);
    put(_mm256_extracti128_si256(sums, 1), out + i + 8);
  }
}

TM_AVX2 void AddAvx2(const uint64_t* words, size_t count, int64_t base, int64_t* out) {
  const __m256i lanes = _mm256_set1_epi64x(base);
#pragma GCC unroll 2
  for (size_t i = 0; i < count; i += 4) {
    const __m256i four = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_add_epi64(four, lanes));
  }
}

TM_AVX2 void ScaleAvx2(int64_t* values, size_t count, uint64_t factor, int64_t base) {
  // There is no multiplication of 64 bits: three of 32 bits make the lower half of the product.
  const __m256i low = _mm256_set1_epi64x(static_cast<long long>(factor));
  const __m256i high = _mm256_srli_epi64(low, 32);
  const __m256i start = _mm256_set1_epi64x(base);
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const __m256i value = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values + i));
    const __m256i crossed =
        _mm256_add_epi64(_mm256_mul_epu32(_mm256_srli_epi64(value, 32), low), _mm256_mul_epu32(value, high));
    const __m256i product = _mm256_add_epi64(_mm256_mul_epu32(value, low), _mm256_slli_epi64(crossed, 32));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(values + i), _mm256_add_epi64(product, start));
  }
  ScaleLoop(values + i, count - i, factor, base);
}

TM_AVX2 void ZigZagDeltasAvx2(const int64_t* values, size_t count, int64_t bias, uint64_t* words) {
  const __m256i step = _mm256_set1_epi64x(bias);
  const __m256i zero = _mm256_setzero_si256();
  size_t i = 1;
  for (; i + 4 <= count; i += 4) {
    const __m256i later = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values + i));
    const __m256i earlier = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values + i - 1));
    const __m256i delta = _mm256_sub_epi64(_mm256_sub_epi64(later, earlier), step);
    const __m256i word = _mm256_xor_si256(_mm256_add_epi64(delta, delta), _mm256_cmpgt_epi64(zero, delta));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + i), word);
  }
  ZigZagDeltasLoop(values + i - 1, count - i + 1, bias, words + i - 1);
}

TM_AVX2 void WidenAvx2(const uint8_t* symbols, size_t count, uint64_t base, uint64_t* words) {
  const __m256i less = _mm256_set1_epi64x(static_cast<long long>(base));
  for (size_t i = 0; i < RoundUpToStride(count); i += 4) {
    const __m256i four =
        _mm256_cvtepu8_epi64(_mm_cvtsi32_si128(LoadLittle<int>(reinterpret_cast<const char*>(symbols + i))));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + i), _mm256_sub_epi64(four, less));
  }
}

TM_AVX2 void MergeAvx2(const uint8_t* symbols, size_t count, uint64_t base, unsigned shift, uint64_t* words) {
  const __m256i less = _mm256_set1_epi64x(static_cast<long long>(base));
  const __m128i bits = _mm_cvtsi32_si128(static_cast<int>(shift));
  for (size_t i = 0; i < RoundUpToStride(count); i += 4) {
    const __m256i four =
        _mm256_cvtepu8_epi64(_mm_cvtsi32_si128(LoadLittle<int>(reinterpret_cast<const char*>(symbols + i))));
    const __m256i high = _mm256_sll_epi64(_mm256_sub_epi64(four, less), bits);
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + i), _mm256_or_si256(low, high));
  }
}

TM_AVX2 void JoinAvx2(const int64_t* highs, const uint64_t* lows, size_t count, unsigned shift, uint64_t* out) {
  const __m128i bits = _mm_cvtsi32_si128(static_cast<int>(shift));
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const __m256i high = _mm256_sll_epi64(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(highs + i)), bits);
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(lows + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_or_si256(high, low));
  }
  JoinLoop(highs + i, lows + i, count - i, shift, out + i);
}

TM_AVX2 void HalvesAvx2(const uint8_t* symbols, size_t count, uint64_t* words) {
  // Each symbol twice, in 64 bits each; one of them is moved down by four.
  const __m256i twice = _mm256_set_epi8(-1, -1, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1,
                                        -1, -1, -1, 0, -1, -1, -1, -1, -1, -1, -1, 0);
  const __m256i shift = _mm256_set_epi64x(4, 0, 4, 0);
  const __m256i mask = _mm256_set1_epi64x(15);
  for (size_t i = 0; i < count; i += 4) {
    const __m256i both = _mm256_set1_epi16(LoadLittle<int16_t>(reinterpret_cast<const char*>(symbols + i / 2)));
    const __m256i four = _mm256_and_si256(_mm256_srlv_epi64(_mm256_shuffle_epi8(both, twice), shift), mask);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + i), four);
  }
}

TM_AVX2 int64_t MinAvx2(const int64_t* values, size_t count) {
  if (count < 4) return MinLoop(values, count);
  __m256i min = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values));
  const auto take = [&](size_t at) __attribute__((always_inline, target("avx2"))) {
    const __m256i four = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values + at));
    min = _mm256_blendv_epi8(min, four, _mm256_cmpgt_epi64(min, four));
  };
  for (size_t i = 4; i + 4 <= count; i += 4) take(i);
  take(count - 4);
  alignas(32) int64_t lanes[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), min);
  return std::min(std::min(lanes[0], lanes[1]), std::min(lanes[2], lanes[3]));
}

TM_AVX2 uint64_t BitsAvx2(const uint64_t* words, size_t count) {
  __m256i bits = _mm256_setzero_si256();
  for (size_t i = 0; i < count; i += 4) {
    bits = _mm256_or_si256(bits, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words + i)));
  }
  alignas(32) uint64_t lanes[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), bits);
  return lanes[0] | lanes[1] | lanes[2] | lanes[3];
}

TM_AVX2 Above AboveAvx2(const uint64_t* words, size_t count, uint64_t limit) {
  // Compares are signed: move both sides down by 2^63.
  const __m256i flip = _mm256_set1_epi64x(static_cast<long long>(uint64_t{1} << 63));
  const __m256i bound = _mm256_xor_si256(_mm256_set1_epi64x(static_cast<long long>(limit)), flip);
  __m256i above = _mm256_setzero_si256();
  __m256i rest = _mm256_setzero_si256();
  for (size_t i = 0; i < count; i += 4) {
    const __m256i word = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words + i));
    const __m256i over = _mm256_cmpgt_epi64(_mm256_xor_si256(word, flip), bound);
    above = _mm256_sub_epi64(above, over);
    rest = _mm256_or_si256(rest, _mm256_andnot_si256(over, word));
  }
  alignas(32) uint64_t counts[4];
  alignas(32) uint64_t rests[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(counts), above);
  _mm256_store_si256(reinterpret_cast<__m256i*>(rests), rest);
  return {static_cast<uint32_t>(counts[0] + counts[1] + counts[2] + counts[3]),
          rests[0] | rests[1] | rests[2] | rests[3]};
}

template <size_t... Codes>
constexpr Kernels MakeAvx2(std::index_sequence<Codes...>) {
  return {.unpack = {&UnpackAvx2<WidthOf(Codes)>...},
          .prefix = &PrefixAvx2,
          .prefix_symbols = &PrefixSymbolsAvx2,
          .add = &AddAvx2,
          .scale = &ScaleAvx2,
          .zigzag_deltas = &ZigZagDeltasAvx2,
          .widen = &WidenAvx2,
          .merge = &MergeAvx2,
          .join = &JoinAvx2,
          .halves = &HalvesAvx2,
          .min = &MinAvx2,
          .bits = &BitsAvx2,
          .above = &AboveAvx2};
}

constexpr Kernels kAvx2 = MakeAvx2(std::make_index_sequence<kWidthCodes>());

#endif  // __x86_64__

constexpr Kernels kBase = MakeBase(std::make_index_sequence<kWidthCodes>());

// 64 words become `Width` words of 64 bits; the shifts are all constants.
template <unsigned Width>
void PackWidth(const uint64_t* words, size_t count, char* out) {
  if constexpr (Width == 64) {
    std::memcpy(out, words, count * sizeof(uint64_t));
  } else if constexpr (Width != 0) {
    for (size_t done = 0; done < count; done += 64, words += 64, out += Width * 8) {
      uint64_t current = 0;
#pragma GCC unroll 64
      for (unsigned k = 0; k < 64; ++k) {
        const unsigned bit = k * Width % 64;
        const uint64_t word = words[k] & MaskOf(Width);
        current |= word << bit;
        if (bit + Width >= 64) {
          std::memcpy(out + k * Width / 64 * 8, &current, 8);
          current = bit + Width == 64 ? 0 : word >> (64 - bit);
        }
      }
    }
  }
}

template <size_t... Codes>
constexpr auto MakePack(std::index_sequence<Codes...>) {
  return std::array<void (*)(const uint64_t*, size_t, char*), sizeof...(Codes)>{&PackWidth<WidthOf(Codes)>...};
}

constexpr auto kPack = MakePack(std::make_index_sequence<kWidthCodes>());

}  // namespace

const Kernels& BaseKernels() { return kBase; }

const Kernels& BestKernels() {
#if defined(__x86_64__)
  static const Kernels& best = __builtin_cpu_supports("avx2") ? kAvx2 : kBase;
  return best;
#else
  return kBase;
#endif
}

void Pack(const uint64_t* words, size_t count, unsigned code, char* out) { kPack[code](words, count, out); }

}  // namespace tidemark::codec
