// Hash128: a 128-bit hash of bytes (XXH3, https://xxhash.com), keyed per process start or per store so that hostile
// names cannot be chosen to collide. At 10 million distinct keys the chance of any collision is about 1e-25.
#pragma once

#include <cstdint>
#include <string_view>

namespace tidemark {

struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;
  friend bool operator==(const Hash128&, const Hash128&) = default;
};

// `seed` is the key; the same bytes and seed give the same hash on every machine.
Hash128 HashBytes(std::string_view bytes, uint64_t seed);
uint64_t Hash64(std::string_view bytes, uint64_t seed);

}  // namespace tidemark
