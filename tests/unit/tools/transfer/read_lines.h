// ReadLines: the pieces in lines that AppendLines made.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/transfer/exact_lines.h"

namespace tidemark::transfer {

inline std::vector<Piece> ReadLines(const std::string& lines) {
  std::vector<Piece> out;
  LineReader reader;
  ExportEnd end;
  size_t at = 0;
  for (size_t next; (next = lines.find('\n', at)) != std::string::npos; at = next + 1) {
    Piece piece;
    const auto kind = reader.Read(std::string_view(lines).substr(at, next - at), &piece, &end);
    EXPECT_TRUE(kind.ok()) << kind.error().message;
    if (kind.ok() && *kind == LineReader::Kind::kPiece) out.push_back(std::move(piece));
  }
  return out;
}

}  // namespace tidemark::transfer
