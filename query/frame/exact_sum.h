// Sums of integers, and what tells whether they are exact as doubles: one pass over the values for both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tidemark::query::frame {

struct IntegerSum {
  int64_t sum = 0;  // modulo 2^64
  // The bits of all magnitudes together: at least the largest of them (of a negative value that less one), and less
  // than twice it.
  uint64_t bits = 0;
};

// With the widest vectors that this CPU has. Thread-safe.
IntegerSum SumOf(std::span<const int64_t> values);
// What the other is tested against.
IntegerSum SumOfPlainly(std::span<const int64_t> values);

// Whether the sum of any `count` values with these bits (IntegerSum::bits) is exact as a double, whatever the order.
constexpr bool AddUpExactly(uint64_t bits, size_t count) {
  constexpr uint64_t kExact = uint64_t{1} << 53;
  return count == 0 || bits < kExact / count;
}

}  // namespace tidemark::query::frame
