#include "storage/codec/doubles/quotient_kernels.h"

#include <bit>

#if defined(__x86_64__)
#include <immintrin.h>
#define TM_AVX2 __attribute__((target("avx2")))
#endif

#include "storage/base/bytes.h"
#include "storage/codec/doubles/rounding.h"

namespace tidemark::codec {
namespace {

// 2^52 + 2^51: added to the bits of it a small integer is its mantissa, and taken away as a double what is left. There
// is no vector instruction that converts 64 bits before AVX-512.
constexpr double kShift = 6755399441055744.0;

double ToDouble(int64_t value) {
  return std::bit_cast<double>(static_cast<uint64_t>(value) + std::bit_cast<uint64_t>(kShift)) - kShift;
}

void Divide(const int64_t* numerators, size_t count, double denominator, double* out) {
  for (size_t i = 0; i < count; ++i) out[i] = ToDouble(numerators[i]) / denominator;
}

void DivideEach(const int64_t* numerators, const int64_t* denominators, size_t count, double* out) {
  for (size_t i = 0; i < count; ++i) out[i] = ToDouble(numerators[i]) / ToDouble(denominators[i]);
}

void Step(const int64_t* residuals, size_t count, double* out) {
  for (size_t i = 0; i < count; ++i) {
    out[i] = Rounding::StepDouble(out[i], UnZigZag(static_cast<uint64_t>(residuals[i])));
  }
}

void StepSingles(const int64_t* residuals, size_t count, double* out) {
  for (size_t i = 0; i < count; ++i) {
    out[i] = Rounding::StepSingle(out[i], UnZigZag(static_cast<uint64_t>(residuals[i])));
  }
}

void StepMultiples(const int64_t* residuals, size_t count, double up, double down, double* out) {
  for (size_t i = 0; i < count; ++i) {
    out[i] = Rounding::StepMultiple(out[i], UnZigZag(static_cast<uint64_t>(residuals[i])), up, down);
  }
}

constexpr QuotientKernels kBase = {.divide = &Divide,
                                   .divide_each = &DivideEach,
                                   .step = &Step,
                                   .step_singles = &StepSingles,
                                   .step_multiples = &StepMultiples};

#if defined(__x86_64__)

TM_AVX2 inline __m256d FourDoubles(const int64_t* values) {
  const __m256d shift = _mm256_set1_pd(kShift);
  const __m256i four = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values));
  return _mm256_sub_pd(_mm256_castsi256_pd(_mm256_add_epi64(four, _mm256_castpd_si256(shift))), shift);
}

TM_AVX2 void DivideAvx2(const int64_t* numerators, size_t count, double denominator, double* out) {
  const __m256d divisor = _mm256_set1_pd(denominator);
  size_t i = 0;
  for (; i + 4 <= count; i += 4) _mm256_storeu_pd(out + i, _mm256_div_pd(FourDoubles(numerators + i), divisor));
  Divide(numerators + i, count - i, denominator, out + i);
}

TM_AVX2 void DivideEachAvx2(const int64_t* numerators, const int64_t* denominators, size_t count, double* out) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    _mm256_storeu_pd(out + i, _mm256_div_pd(FourDoubles(numerators + i), FourDoubles(denominators + i)));
  }
  DivideEach(numerators + i, denominators + i, count - i, out + i);
}

// Four zigzag forms as what they stand for.
TM_AVX2 inline __m256i FourSteps(const int64_t* residuals) {
  const __m256i word = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(residuals));
  const __m256i sign = _mm256_sub_epi64(_mm256_setzero_si256(), _mm256_and_si256(word, _mm256_set1_epi64x(1)));
  return _mm256_xor_si256(_mm256_srli_epi64(word, 1), sign);
}

TM_AVX2 void StepAvx2(const int64_t* residuals, size_t count, double* out) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const __m256i bits = _mm256_castpd_si256(_mm256_loadu_pd(out + i));
    _mm256_storeu_pd(out + i, _mm256_castsi256_pd(_mm256_add_epi64(bits, FourSteps(residuals + i))));
  }
  Step(residuals + i, count - i, out + i);
}

TM_AVX2 void StepSinglesAvx2(const int64_t* residuals, size_t count, double* out) {
  const __m256i lower_halves = _mm256_set_epi32(0, 0, 0, 0, 6, 4, 2, 0);
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const __m128i bits = _mm_castps_si128(_mm256_cvtpd_ps(_mm256_loadu_pd(out + i)));
    const __m256i steps = _mm256_permutevar8x32_epi32(FourSteps(residuals + i), lower_halves);
    _mm256_storeu_pd(out + i, _mm256_cvtps_pd(_mm_castsi128_ps(_mm_add_epi32(bits, _mm256_castsi256_si128(steps)))));
  }
  StepSingles(residuals + i, count - i, out + i);
}

TM_AVX2 void StepMultiplesAvx2(const int64_t* residuals, size_t count, double up, double down, double* out) {
  const __m256d shift = _mm256_set1_pd(kShift);
  const __m256d ups = _mm256_set1_pd(up);
  const __m256d downs = _mm256_set1_pd(down);
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const __m256i shifted = _mm256_add_epi64(FourSteps(residuals + i), _mm256_castpd_si256(shift));
    const __m256d steps = _mm256_sub_pd(_mm256_castsi256_pd(shifted), shift);
    const __m256d rounded = _mm256_round_pd(_mm256_mul_pd(_mm256_loadu_pd(out + i), ups), _MM_FROUND_CUR_DIRECTION);
    _mm256_storeu_pd(out + i, _mm256_mul_pd(_mm256_add_pd(rounded, steps), downs));
  }
  StepMultiples(residuals + i, count - i, up, down, out + i);
}

constexpr QuotientKernels kAvx2 = {.divide = &DivideAvx2,
                                   .divide_each = &DivideEachAvx2,
                                   .step = &StepAvx2,
                                   .step_singles = &StepSinglesAvx2,
                                   .step_multiples = &StepMultiplesAvx2};

#endif  // __x86_64__

}  // namespace

const QuotientKernels& BaseQuotientKernels() { return kBase; }

const QuotientKernels& BestQuotientKernels() {
#if defined(__x86_64__)
  static const QuotientKernels& best = __builtin_cpu_supports("avx2") ? kAvx2 : kBase;
  return best;
#else
  return kBase;
#endif
}

}  // namespace tidemark::codec
