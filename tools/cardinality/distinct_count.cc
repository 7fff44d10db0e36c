#include "tools/cardinality/distinct_count.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "storage/base/hash.h"

namespace tidemark::cardinality {
namespace {
constexpr size_t kExactMax = 4096;
constexpr int kIndexBits = 12;
constexpr size_t kRegisters = size_t{1} << kIndexBits;
}  // namespace

void DistinctCount::Note(uint64_t hash) {
  const size_t index = hash >> (64 - kIndexBits);
  // Behind the index; a one at its end bounds the zeros.
  const uint64_t rest = (hash << kIndexBits) | (uint64_t{1} << (kIndexBits - 1));
  registers_[index] = std::max(registers_[index], static_cast<uint8_t>(std::countl_zero(rest) + 1));
}

void DistinctCount::Add(std::string_view text) {
  const uint64_t hash = Hash64(text, 0);
  if (!registers_.empty()) return Note(hash);
  hashes_.insert(hash);
  if (hashes_.size() <= kExactMax) return;
  registers_.resize(kRegisters);
  for (const uint64_t one : hashes_) Note(one);
  hashes_ = {};
}

uint64_t DistinctCount::count() const {
  if (registers_.empty()) return hashes_.size();
  constexpr auto kSize = static_cast<double>(kRegisters);
  double sum = 0;
  size_t empty = 0;
  for (const uint8_t value : registers_) {
    sum += std::ldexp(1.0, -value);
    empty += value == 0 ? 1 : 0;
  }
  const double estimate = 0.7213 / (1 + 1.079 / kSize) * kSize * kSize / sum;
  // Few for so many registers: counting the empty ones is better.
  const bool few = estimate <= 2.5 * kSize && empty > 0;
  return static_cast<uint64_t>(std::llround(few ? kSize * std::log(kSize / static_cast<double>(empty)) : estimate));
}

}  // namespace tidemark::cardinality
