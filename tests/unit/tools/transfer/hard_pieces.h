// Pieces with what is hard about each type.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "storage/model/stale_marker.h"
#include "storage/model/timestamp.h"
#include "tools/transfer/logical_hash.h"
#include "tools/transfer/piece.h"

namespace tidemark::transfer {

using model::FieldType;

inline constexpr int64_t kT0 = 1'700'000'000'000'000'001;

inline Piece Of(std::string field, FieldType type, std::vector<uint64_t> bits, model::Labels tags = {{"host", "a"}}) {
  Piece piece;
  piece.measurement = "m";
  piece.field = std::move(field);
  piece.tags = std::move(tags);
  piece.type = type;
  for (size_t i = 0; i < bits.size(); ++i) piece.times_ns.push_back(kT0 + static_cast<int64_t>(i) * 7);
  piece.bits = std::move(bits);
  return piece;
}

inline uint64_t Bits(double value) { return std::bit_cast<uint64_t>(value); }
inline uint64_t Bits(int64_t value) { return std::bit_cast<uint64_t>(value); }

// Every type, with what is hard about it.
inline std::vector<Piece> HardPieces() {
  using Float = std::numeric_limits<double>;
  std::vector<Piece> all;
  all.push_back(Of("float", FieldType::kFloat,
                   {Bits(0.0), Bits(-0.0), Bits(0.1), Bits(1e300), Bits(-1e-300), Bits(Float::denorm_min()),
                    Bits(Float::max()), Bits(1e20), Bits(123456789012345680.0), Bits(Float::infinity()),
                    Bits(-Float::infinity()), Bits(Float::quiet_NaN()), model::kStaleMarkerBits, 0x7ff8000000000001,
                    0xfff8000000000000, 0x7ff0000000000001, 0xffffffffffffffff, Bits(58.10)}));
  all.push_back(Of("int", FieldType::kInt,
                   {Bits(std::numeric_limits<int64_t>::min()), Bits(std::numeric_limits<int64_t>::max()),
                    Bits(int64_t{-1}), 0, Bits(int64_t{9007199254740993})}));
  all.push_back(Of("uint", FieldType::kUInt, {0, std::numeric_limits<uint64_t>::max(), uint64_t{1} << 63}));
  all.push_back(Of("bool", FieldType::kBool, {1, 0, 1}));
  Piece text = Of("text", FieldType::kString, {});
  text.strings = {"",
                  "plain",
                  "\"quoted\" and \\ and \\\" too",
                  "line\nfeed\r\ttab",
                  std::string("\0nul\x01", 5),
                  "\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\x8a",
                  "{\"end\":1}",
                  ","};
  for (size_t i = 0; i < text.strings.size(); ++i) text.times_ns.push_back(kT0 - static_cast<int64_t>(i));
  all.push_back(text);
  all.push_back(
      Of("tags, with = all", FieldType::kInt, {7},
         {{"a b", "c,d=e f"}, {"line", "two\nlines"}, {"quote", "\"\\"}, {"sea", "\xe6\xb5\xb7\xe9\x98\xb6"}}));
  Piece ends = Of("ends", FieldType::kFloat, {Bits(1.5), Bits(2.5)}, {});
  ends.times_ns = {model::kMinTime.ns, model::kMaxTime.ns};
  all.push_back(ends);
  // Two spellings of one metric, m_a_b.
  all.push_back(Of("a_b", FieldType::kFloat, {Bits(1.0)}));
  Piece other = Of("b", FieldType::kFloat, {Bits(2.0)});
  other.measurement = "m_a";
  all.push_back(other);
  return all;
}

inline LogicalHash HashOfAll(const std::vector<Piece>& pieces) {
  LogicalHash all;
  for (const Piece& piece : pieces) all.Add(HashOf(piece));
  return all;
}

}  // namespace tidemark::transfer
