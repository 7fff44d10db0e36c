#include "ingest/lineprotocol/text.h"

#include <bit>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tidemark::lineprotocol {
namespace {

constexpr uint8_t Byte(char c) { return static_cast<uint8_t>(c); }

const char* FindKeyStopScalar(const char* at, const char* end) {
  while (at < end && *at != ' ' && *at != '\\' && *at != '\n') ++at;
  return at;
}

StringStop FindStringStopScalar(const char* at, const char* end, bool ascii) {
  uint8_t seen = 0;
  for (; at < end && *at != '"' && *at != '\\'; ++at) seen |= Byte(*at);
  return {at, ascii && seen < 0x80};
}

#if defined(__x86_64__)

// Looked up by its low nibble, each byte of the set finds itself and no other byte does, so that one shuffle and one
// compare stand for three compares. (Bytes >= 0x80 give 0, which is not themselves; nor is 0 itself, which gives ' '.)
#define TM_KEY_STOPS ' ', 0, 0, 0, 0, 0, 0, 0, 0, 0, '\n', 0, '\\', 0, 0, 0

const char* FindKeyStopSsse3(const char* at, const char* end) {
  const __m128i stops = _mm_setr_epi8(TM_KEY_STOPS);
  for (; end - at >= 16; at += 16) {
    const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_shuffle_epi8(stops, chunk), chunk)));
    if (found != 0) return at + std::countr_zero(found);
  }
  return FindKeyStopScalar(at, end);
}

__attribute__((target("avx2"))) const char* FindKeyStopAvx2(const char* at, const char* end) {
  const __m256i stops = _mm256_setr_epi8(TM_KEY_STOPS, TM_KEY_STOPS);
  for (; end - at >= 32; at += 32) {
    const __m256i chunk = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const auto found =
        static_cast<unsigned>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(stops, chunk), chunk)));
    if (found != 0) return at + std::countr_zero(found);
  }
  return FindKeyStopScalar(at, end);
}

StringStop FindStringStopSse2(const char* at, const char* end) {
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  unsigned high = 0;
  for (; end - at >= 16; at += 16) {
    const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const auto found = static_cast<unsigned>(
        _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(chunk, quote), _mm_cmpeq_epi8(chunk, backslash))));
    const auto negative = static_cast<unsigned>(_mm_movemask_epi8(chunk));
    if (found != 0) return {at + std::countr_zero(found), (high | (negative & (found - 1) & ~found)) == 0};
    high |= negative;
  }
  return FindStringStopScalar(at, end, high == 0);
}

using FindKeyStopFunction = const char* (*)(const char*, const char*);
const FindKeyStopFunction kFindKeyStop = __builtin_cpu_supports("avx2") ? FindKeyStopAvx2 : FindKeyStopSsse3;

#endif

}  // namespace

const char* FindKeyStop(const char* at, const char* end) {
#if defined(__x86_64__)
  return kFindKeyStop(at, end);
#else
  return FindKeyStopScalar(at, end);
#endif
}

StringStop FindStringStop(const char* at, const char* end) {
#if defined(__x86_64__)
  return FindStringStopSse2(at, end);
#else
  return FindStringStopScalar(at, end, true);
#endif
}

}  // namespace tidemark::lineprotocol
