// Arithmetic of tier columns: int64 that wraps around. Inside storage/rollup only.
#pragma once

#include <cstdint>

namespace tidemark::rollup {

inline int64_t Plus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
inline int64_t Minus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
inline int64_t Times(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}
// Half way from min to max, rounded down.
inline int64_t Middle(int64_t min, int64_t max) {
  return Plus(min, static_cast<int64_t>((static_cast<uint64_t>(max) - static_cast<uint64_t>(min)) / 2));
}

}  // namespace tidemark::rollup
