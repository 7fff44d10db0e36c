// The seed of a random test.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace tidemark {

// What TIDEMARK_TEST_SEED says, or a new one; printed, so that a failure can be had again.
inline uint64_t TestSeed() {
  const char* const given = std::getenv("TIDEMARK_TEST_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "TIDEMARK_TEST_SEED=" << seed << '\n';
  return seed;
}

}  // namespace tidemark
