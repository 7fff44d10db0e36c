// Integers of the shapes that codecs know, and of some that they do not.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace tidemark::codec {

// 1 to 3,000 values.
inline std::vector<int64_t> RandomInts(std::mt19937_64& random) {
  const size_t size = random() % 4 == 0 ? 1 + random() % 20 : 1 + random() % 3000;
  const uint64_t shape = random() % 13;
  const unsigned bits = static_cast<unsigned>(random() % 64);
  const uint64_t mask = (uint64_t{2} << bits) - 1;
  uint64_t value = random() % 3 == 0 ? random() : random() % 1000;
  std::vector<uint64_t> levels(1 + random() % 60);
  for (uint64_t& level : levels) level = random() & mask;
  std::vector<int64_t> values;
  values.reserve(size);
  for (size_t i = 0; i < size; ++i) {
    switch (shape) {
      case 0: break;                                                                // constant
      case 1: value += 12345; break;                                                // regular
      case 2: value += (random() & mask) - mask / 2; break;                         // walk
      case 3: value = random() & mask; break;                                       // noise
      case 4: value = random() % 50 == 0 ? random() : value + random() % 3; break;  // outliers
      case 5: value = random() % 40 == 0 ? 1 - (value & 1) : (value & 1); break;    // few flips
      case 6: value = random() & 1; break;                                          // bits
      case 7: value = (random() & 0xFFFF) * 4096; break;                            // multiples
      case 8: value += 10'000'000'000 + random() % 9 * 1'000'000; break;            // times with jitter
      case 9: value += random() % 200 == 0 ? (random() & mask) : 0; break;          // seldom changes
      case 10: value = levels[random() % levels.size()]; break;                     // few that are far apart
      case 11: value = value / 16 * 16 + random() % 5 * (random() % 3); break;      // small
      default: value = random() % 2 == 0 ? uint64_t{1} << 63 : (uint64_t{1} << 63) - 1; break;
    }
    values.push_back(static_cast<int64_t>(value));
  }
  return values;
}

}  // namespace tidemark::codec
