// XorChunk: samples as a chunk of Prometheus (Gorilla: deltas of deltas of times, values XORed with the one before).
// Format: prometheus/tsdb/docs/format/chunks.md, "XOR chunk data"; Pelkonen et al., "Gorilla", VLDB 2015, section 4.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace tidemark::query::api {

// How many samples Prometheus puts into one; a chunk can name 65,535.
inline constexpr size_t kXorChunkSamples = 120;

// Not thread-safe.
class XorChunk {
 public:
  // At most 65,535; times strictly ascending.
  void Add(int64_t time_ms, double value);
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] int64_t first_ms() const { return first_ms_; }
  [[nodiscard]] int64_t last_ms() const { return last_ms_; }
  // The data of the chunk, its count included; the chunk is empty afterwards.
  [[nodiscard]] std::string Finish();

 private:
  void PutBits(uint64_t bits, int count);
  void PutVarint(uint64_t value);
  void PutTimeStep(int64_t step);
  void PutValue(uint64_t bits);

  std::string out_;
  int free_bits_ = 0;  // of the last byte
  size_t size_ = 0;
  int64_t first_ms_ = 0;
  int64_t last_ms_ = 0;
  int64_t delta_ms_ = 0;
  uint64_t value_bits_ = 0;
  int leading_ = -1;  // of the last window of bits; -1: none yet
  int trailing_ = 0;
};

}  // namespace tidemark::query::api
