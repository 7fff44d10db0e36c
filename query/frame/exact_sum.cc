#include "query/frame/exact_sum.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tidemark::query::frame {
namespace {

void AddPlainly(const int64_t* values, size_t count, IntegerSum* out) {
  auto sum = static_cast<uint64_t>(out->sum);
  for (size_t i = 0; i < count; ++i) {
    sum += static_cast<uint64_t>(values[i]);
    out->bits |= static_cast<uint64_t>(values[i] ^ (values[i] >> 63));
  }
  out->sum = static_cast<int64_t>(sum);
}

#if defined(__x86_64__)

struct Lanes {
  __m256i sum;
  __m256i bits;
};

__attribute__((target("avx2"), always_inline)) inline void Take(const int64_t* values, Lanes* lanes) {
  const __m256i four = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values));
  const __m256i sign = _mm256_cmpgt_epi64(_mm256_setzero_si256(), four);
  lanes->sum = _mm256_add_epi64(lanes->sum, four);
  lanes->bits = _mm256_or_si256(lanes->bits, _mm256_xor_si256(four, sign));
}

__attribute__((target("avx2"))) IntegerSum SumOfAvx2(std::span<const int64_t> values) {
  const __m256i zero = _mm256_setzero_si256();
  // Two of each, so that no addition waits for the one before.
  Lanes even{zero, zero};
  Lanes odd{zero, zero};
  size_t i = 0;
  for (; i + 8 <= values.size(); i += 8) {
    Take(values.data() + i, &even);
    Take(values.data() + i + 4, &odd);
  }
  alignas(32) uint64_t sums[4];
  alignas(32) uint64_t bits[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(sums), _mm256_add_epi64(even.sum, odd.sum));
  _mm256_store_si256(reinterpret_cast<__m256i*>(bits), _mm256_or_si256(even.bits, odd.bits));
  IntegerSum out{.sum = static_cast<int64_t>(sums[0] + sums[1] + sums[2] + sums[3]),
                 .bits = bits[0] | bits[1] | bits[2] | bits[3]};
  AddPlainly(values.data() + i, values.size() - i, &out);
  return out;
}

#endif  // __x86_64__

}  // namespace

IntegerSum SumOfPlainly(std::span<const int64_t> values) {
  IntegerSum out;
  AddPlainly(values.data(), values.size(), &out);
  return out;
}

IntegerSum SumOf(std::span<const int64_t> values) {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx2");
  if (wide) return SumOfAvx2(values);
#endif
  return SumOfPlainly(values);
}

}  // namespace tidemark::query::frame
