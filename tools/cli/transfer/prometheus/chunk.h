// Chunks: the samples of a series for some hours.
// Format: prometheus/tsdb/docs/format/chunks.md; Pelkonen et al., "Gorilla", VLDB 2015, section 4.1.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::cli::prometheus {

struct Sample {
  int64_t time_ms = 0;
  uint64_t bits = 0;  // of the double
  friend bool operator==(const Sample&, const Sample&) = default;
};

// The encodings of tsdb/chunkenc/chunk.go.
enum class Encoding : uint8_t { kNone = 0, kXor = 1, kHistogram = 2, kFloatHistogram = 3 };

// Appends the samples of the data of an XOR chunk. Errors: kCorruption when it ends early.
Status ReadXorChunk(std::string_view data, std::vector<Sample>* samples);

// Samples that a chunk of any encoding holds: its first two bytes say so. 0 of a chunk without.
uint64_t SamplesIn(std::string_view data);

}  // namespace tidemark::cli::prometheus
