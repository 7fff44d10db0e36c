// LogicalHash: a fingerprint of what a database holds, whatever its files look like: two databases with the same points
// have the same one, whether one was exported, restored, compacted or written in another order.
//
// Of each point (series, field, type, time, value) the XXH3-128 of
//   SERIES (16 bytes) TIME (8 bytes) VALUE (8 bytes: the double's bits, the integer, 0 or 1; of a string its bytes)
// where SERIES is the XXH3-128 of the type's number (1 byte) and, each with its length as a LEB128 varint in front,
// measurement, field, and name and value of each tag in bytewise order of the names. Numbers are little-endian, seeds
// 0. The hash is the sum of them all modulo 2^128, so that the order is of no account and parts add up. It finds
// mistakes, not forgers: whoever chooses the points can make two sets with one sum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "storage/base/hash.h"
#include "tools/transfer/piece.h"

namespace tidemark::transfer {

struct LogicalHash {
  uint64_t points = 0;
  Hash128 sum{};
  friend bool operator==(const LogicalHash&, const LogicalHash&) = default;
  void Add(const LogicalHash& other);
};

// 32 digits: "00d3...".
std::string ToText(const Hash128& hash);

// SERIES of above.
Hash128 SeriesHash(const Piece& piece);
// Of the rows of a piece.
LogicalHash HashOf(const Piece& piece);

// The hashes of many series, one for each: 64 bytes and a bit a series. Not thread-safe.
class SeriesSums {
 public:
  struct LowBits {
    size_t operator()(const Hash128& hash) const { return static_cast<size_t>(hash.low); }
  };
  using Map = std::unordered_map<Hash128, LogicalHash, LowBits>;

  void Add(const Piece& piece);
  [[nodiscard]] const Map& series() const { return series_; }
  [[nodiscard]] const LogicalHash& all() const { return all_; }

 private:
  Map series_;
  LogicalHash all_;
};

}  // namespace tidemark::transfer
