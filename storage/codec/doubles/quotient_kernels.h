// The inner loops of quotients, for the widest vectors that this CPU has.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tidemark::codec {

struct QuotientKernels {
  // out[i] = numerators[i] / denominator, for numerators from 1 - 2^51 to 2^51 - 1 (of others anything comes out).
  void (*divide)(const int64_t* numerators, size_t count, double denominator, double* out);
  // out[i] = numerators[i] / denominators[i]; both as above.
  void (*divide_each)(const int64_t* numerators, const int64_t* denominators, size_t count, double* out);
  // Moves out[i] by UnZigZag(residuals[i]) doubles.
  void (*step)(const int64_t* residuals, size_t count, double* out);
  // Moves out[i], rounded to a 32-bit float, by as many of these.
  void (*step_singles)(const int64_t* residuals, size_t count, double* out);
  // Moves out[i], rounded to a multiple of `down`, by as many of these; `up` is 1 / down, and both are powers of two.
  // For residuals below 2^51 (of others anything comes out).
  void (*step_multiples)(const int64_t* residuals, size_t count, double up, double down, double* out);
};

// For the CPU at hand. Thread-safe.
const QuotientKernels& BestQuotientKernels();
// What the others are tested against.
const QuotientKernels& BaseQuotientKernels();

}  // namespace tidemark::codec
