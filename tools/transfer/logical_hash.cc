#include "tools/transfer/logical_hash.h"

#include <fmt/core.h>

#include "storage/base/bytes.h"

namespace tidemark::transfer {
namespace {

constexpr uint64_t kSeed = 0;

LogicalHash HashRows(const Piece& piece, const Hash128& series) {
  LogicalHash out{.points = piece.size(), .sum = {}};
  std::string bytes;
  PutLittle(&bytes, series.low);
  PutLittle(&bytes, series.high);
  const size_t begin = bytes.size();
  for (size_t row = 0; row < piece.size(); ++row) {
    bytes.resize(begin);
    PutLittle(&bytes, piece.times_ns[row]);
    if (piece.is_text()) {
      bytes += piece.strings[row];
    } else {
      PutLittle(&bytes, piece.bits[row]);
    }
    out.Add({.points = 0, .sum = HashBytes(bytes, kSeed)});
  }
  return out;
}

}  // namespace

void LogicalHash::Add(const LogicalHash& other) {
  points += other.points;
  sum.low += other.sum.low;
  sum.high += other.sum.high + (sum.low < other.sum.low ? 1 : 0);
}

std::string ToText(const Hash128& hash) { return fmt::format("{:016x}{:016x}", hash.high, hash.low); }

Hash128 SeriesHash(const Piece& piece) {
  std::string bytes(1, static_cast<char>(piece.type));
  PutString(&bytes, piece.measurement);
  PutString(&bytes, piece.field);
  for (const model::Label& tag : piece.tags) {
    PutString(&bytes, tag.name);
    PutString(&bytes, tag.value);
  }
  return HashBytes(bytes, kSeed);
}

LogicalHash HashOf(const Piece& piece) { return HashRows(piece, SeriesHash(piece)); }

void SeriesSums::Add(const Piece& piece) {
  const Hash128 series = SeriesHash(piece);
  const LogicalHash rows = HashRows(piece, series);
  series_[series].Add(rows);
  all_.Add(rows);
}

}  // namespace tidemark::transfer
