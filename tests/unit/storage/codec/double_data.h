// Doubles as gauges, counters and sensors give them, by kind.
#pragma once

#include <cstdint>
#include <limits>
#include <random>
#include <string_view>
#include <vector>

namespace tidemark::codec {

struct DoubleKind {
  std::string_view name;
  // Bytes that a value of a frame of 2,000 takes at most.
  double bytes;
  std::vector<double> (*make)(std::mt19937_64& random, size_t count);
};

std::vector<DoubleKind> DoubleKinds();

}  // namespace tidemark::codec
