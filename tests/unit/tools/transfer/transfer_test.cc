// Pieces: lines of JSON and the logical hash, exact to the last bit.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "storage/model/batch.h"
#include "tests/unit/tools/transfer/hard_pieces.h"
#include "tests/unit/tools/transfer/read_lines.h"
#include "tools/transfer/exact_lines.h"
#include "tools/transfer/piece_batch.h"
#include "tools/transfer/value_text.h"

namespace tidemark::transfer {
namespace {

TEST(Transfer, LinesGiveTheSamePiecesBack) {
  const std::vector<Piece> pieces = HardPieces();
  std::string lines;
  for (const Piece& piece : pieces) AppendLines(piece, &lines);
  const std::vector<Piece> read = ReadLines(lines);
  ASSERT_EQ(read.size(), pieces.size());
  for (size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(read[i].times_ns, pieces[i].times_ns);
    EXPECT_EQ(read[i].bits, pieces[i].bits) << Describe(pieces[i]);
    EXPECT_EQ(read[i].strings, pieces[i].strings);
    EXPECT_EQ(HashOf(read[i]), HashOf(pieces[i]));
  }
}

TEST(Transfer, TheHashKnowsEveryPartOfAPoint) {
  const Piece piece = Of("f", FieldType::kFloat, {Bits(0.0)});
  const LogicalHash hash = HashOf(piece);
  std::vector<Piece> others(7, piece);
  others[0].measurement = "n";
  others[1].field = "g";
  others[2].tags[0].value = "b";
  others[3].type = FieldType::kInt;
  others[4].times_ns[0] += 1;
  others[5].bits[0] = Bits(-0.0);
  others[6].tags.clear();
  for (const Piece& other : others) EXPECT_NE(HashOf(other).sum, hash.sum) << Describe(other);
}

TEST(Transfer, TheHashIsOfNoOrderAndAddsUp) {
  Piece piece = Of("f", FieldType::kUInt, {1, 2, 3});
  const LogicalHash whole = HashOf(piece);
  LogicalHash parts;
  for (const size_t row : {2, 0, 1}) {
    Piece part = piece;
    part.times_ns = {piece.times_ns[row]};
    part.bits = {piece.bits[row]};
    parts.Add(HashOf(part));
  }
  EXPECT_EQ(parts, whole);
}

// Whoever reads the definition in logical_hash.h and computes it elsewhere gets these.
TEST(Transfer, TheHashIsTheSameForEver) {
  LogicalHash all = HashOfAll(HardPieces());
  EXPECT_EQ(all.points, 42U);
  EXPECT_EQ(ToText(HashOf(Of("f", FieldType::kUInt, {1})).sum), "05649c1d94da2b2775e517c987de4412");
  EXPECT_EQ(ToText(all.sum), "f0ee7fd09c0da51e1af717e6ba3a741b");
}

TEST(Transfer, LinesThatAreNone) {
  LineReader reader;
  Piece piece;
  ExportEnd end;
  const std::pair<const char*, const char*> cases[] = {
      {"", "no JSON object"},
      {"[]", "no JSON object"},
      {R"({"type":"float","times_ns":[1],"values":[1])", "no JSON object"},
      {R"({"labels":{"__name__":"m"},"times_ns":[1],"values":[1],"type":"float"})", "must stand before"},
      {R"({"labels":{"__name__":"m"},"type":"double","times_ns":[1],"values":[1]})", "is no type"},
      {R"({"labels":{},"type":"float","times_ns":[1],"values":[1]})", "so is __name__"},
      {R"({"labels":{"__name__":"m"},"type":"float","times_ns":[1,2],"values":[1]})", "2 times and 1 values"},
      {R"({"labels":{"__name__":"m"},"type":"float","times_ns":[1.5],"values":[1]})", "time 1 is no whole"},
      {R"({"labels":{"__name__":"m"},"type":"integer","times_ns":[1],"values":[9223372036854775808]})",
       "is no integer"},
      {R"({"labels":{"__name__":"m"},"type":"unsigned","times_ns":[1],"values":[-1]})", "is no unsigned"},
      {R"({"labels":{"__name__":"m"},"type":"boolean","times_ns":[1],"values":["true"]})", ""},
      {R"({"labels":{"__name__":"m"},"type":"float","times_ns":[1],"values":["NaN:3ff0000000000000"]})", "is no float"},
      {R"({"labels":{"__name__":"m"},"type":"string","times_ns":[1],"values":[1]})", "is no string"},
      {R"({"measurement":"m","type":"string","times_ns":[],"values":[]})", "go together"},
      {R"({"error":"gone"})", "broken off: gone"},
      {R"({"what":1})", "\"what\" is no key"},
  };
  for (const auto& [line, reason] : cases) {
    const auto kind = reader.Read(line, &piece, &end);
    if (*reason == '\0') {
      EXPECT_TRUE(kind.ok()) << line;
      continue;
    }
    ASSERT_FALSE(kind.ok()) << line;
    EXPECT_NE(kind.error().message.find(reason), std::string::npos) << line << ": " << kind.error().message;
  }
}

TEST(Transfer, TheEndOfAnExport) {
  std::string line;
  AppendEnd({.series = 2, .rows = 3, .warnings = {"a \"page\""}}, &line);
  LineReader reader;
  Piece piece;
  ExportEnd end;
  line.pop_back();
  const auto kind = reader.Read(line, &piece, &end);
  ASSERT_TRUE(kind.ok());
  EXPECT_EQ(*kind, LineReader::Kind::kEnd);
  EXPECT_EQ(end.series, 2U);
  EXPECT_EQ(end.rows, 3U);
  EXPECT_EQ(end.warnings, std::vector<std::string>{"a \"page\""});
}

TEST(Transfer, WhatNoSeriesCanBeIsRefusedWithItsName) {
  model::BatchBuilder batch;
  std::vector<Piece> bad(5, Of("f", FieldType::kFloat, {Bits(1.0)}));
  bad[0].measurement.clear();
  bad[1].field.clear();
  bad[2].tags[0].value = "\xff";
  bad[3].times_ns[0] = std::numeric_limits<int64_t>::min();
  bad[4].tags[0].value.assign(70'000, 'x');
  for (const Piece& piece : bad) EXPECT_FALSE(AddTo(piece, &batch).ok()) << Describe(piece);
  EXPECT_TRUE(batch.batch().rows.empty());
}

}  // namespace
}  // namespace tidemark::transfer
