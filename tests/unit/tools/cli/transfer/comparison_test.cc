// Comparisons of what a source gave and what a database has, point by point.
#include "tools/cli/transfer/comparison.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/tools/transfer/hard_pieces.h"

namespace tidemark::cli {
namespace {

using transfer::FieldType;
using transfer::Piece;

class ListReader final : public PieceReader {
 public:
  explicit ListReader(std::vector<Piece> pieces) : pieces_(std::move(pieces)) {}
  Result<bool> Next(Piece* piece) override {
    if (at_ == pieces_.size()) return false;
    *piece = pieces_[at_++];
    return true;
  }
  [[nodiscard]] Progress progress() const override { return {at_, pieces_.size()}; }

 private:
  const std::vector<Piece> pieces_;
  size_t at_ = 0;
};

class ListTarget final : public Target {
 public:
  explicit ListTarget(std::vector<Piece> pieces) : pieces_(std::move(pieces)) {}
  Result<std::vector<std::string>> Databases() override { return std::vector<std::string>{"db"}; }
  Result<transfer::ExportEnd> Read(const Wanted& wanted, const Take& take) override {
    if (wanted.database != "db") return NotFound("no such database");
    ++readings;
    transfer::ExportEnd end;
    for (Piece piece : pieces_) {
      end.rows += piece.size();
      TM_RETURN_IF_ERROR(take(&piece));
    }
    return end;
  }
  Result<Written> Write(const std::string&, std::span<const Piece>) override { return Unsupported("read only"); }
  Status Drop(const std::string&) override { return {}; }

  int readings = 0;

 private:
  const std::vector<Piece> pieces_;
};

struct Outcome {
  Compared numbers;
  std::vector<std::string> names;
  int readings = 0;
};

Outcome CompareLists(const std::vector<Piece>& source, const std::vector<Piece>& stored, bool again = true,
                     const std::string& database = "db") {
  Outcome out;
  SourceSums sums;
  for (const Piece& piece : source) sums.Add(piece);
  ListTarget target(stored);
  const Reopen reopen = [&]() -> Result<std::unique_ptr<PieceReader>> { return std::make_unique<ListReader>(source); };
  const auto compared = Compare(sums, {.wanted = database, .name = database}, &target, again ? reopen : Reopen(),
                                [&out](const std::string& name) { out.names.push_back(name); });
  EXPECT_TRUE(compared.ok());
  if (compared.ok()) out.numbers = *compared;
  out.readings = target.readings;
  return out;
}

TEST(Comparison, WhatIsAlikeTakesOneReading) {
  const std::vector<Piece> pieces = transfer::HardPieces();
  std::vector<Piece> stored(pieces.rbegin(), pieces.rend());
  // Another series, which the source does not have.
  stored.push_back(transfer::Of("f", FieldType::kInt, {1}, {{"host", "other"}}));
  const Outcome out = CompareLists(pieces, stored);
  EXPECT_EQ(out.numbers.points, transfer::HashOfAll(pieces).points);
  EXPECT_EQ(out.numbers.missing + out.numbers.different + out.numbers.others, 0U);
  EXPECT_TRUE(out.names.empty());
  EXPECT_EQ(out.readings, 1);
}

TEST(Comparison, EachConflictHasItsNameItsTimeAndBothValues) {
  const Piece alike = transfer::Of("alike", FieldType::kInt, {1, 2, 3});
  Piece source = transfer::Of("f", FieldType::kFloat, {transfer::Bits(1.0), transfer::Bits(2.0), transfer::Bits(3.0)});
  Piece stored = source;
  stored.bits[1] = transfer::Bits(-0.0);
  stored.times_ns[2] += 1;
  const Outcome out = CompareLists({alike, source}, {alike, stored});
  EXPECT_EQ(out.numbers.points, 6U);
  EXPECT_EQ(out.numbers.different, 1U);
  EXPECT_EQ(out.numbers.missing, 1U);
  // The time behind the last one of the source is not asked about.
  EXPECT_EQ(out.numbers.others, 0U);
  ASSERT_EQ(out.names.size(), 2U);
  EXPECT_EQ(out.names[0], "m.f{host=\"a\"} at 2023-11-14T22:13:20.000000008Z: the source has 2, the database -0");
  EXPECT_EQ(out.names[1], "m.f{host=\"a\"} at 2023-11-14T22:13:20.000000015Z: the source has 3, the database nothing");
}

TEST(Comparison, PointsThatComeAgainAreCountedOnce) {
  const Piece first = transfer::Of("f", FieldType::kInt, {1, 2});
  Piece again = first;
  again.bits[1] = 9;
  const Outcome out = CompareLists({first, again}, {again});
  EXPECT_EQ(out.numbers.points, 2U);
  EXPECT_EQ(out.numbers.repeated, 1U);
  EXPECT_EQ(out.numbers.ambiguous, 1U);
  EXPECT_EQ(out.numbers.missing + out.numbers.different, 0U);
  ASSERT_EQ(out.names.size(), 1U);
  EXPECT_NE(out.names[0].find("the source has 2 and then 9"), std::string::npos) << out.names[0];
}

TEST(Comparison, WhatTheDatabaseHadBeforeIsNoConflict) {
  const Piece source = transfer::Of("f", FieldType::kInt, {1, 2, 3});
  Piece stored = source;
  stored.times_ns.push_back(source.times_ns[0] + 1);
  stored.bits.push_back(7);
  const Outcome out = CompareLists({source}, {stored});
  EXPECT_EQ(out.numbers.others, 1U);
  EXPECT_EQ(out.numbers.missing + out.numbers.different, 0U);
}

TEST(Comparison, NothingIsThere) {
  const Piece source = transfer::Of("f", FieldType::kInt, {1, 2, 3});
  EXPECT_EQ(CompareLists({source}, {}).numbers.missing, 3U);
  EXPECT_EQ(CompareLists({source}, {}, true, "another").numbers.missing, 3U);
  // A pipe cannot be read again: how much is not alike is all that can be said.
  const Outcome out = CompareLists({source}, {}, false);
  EXPECT_EQ(out.numbers.unseen, 3U);
  EXPECT_EQ(out.numbers.points, 0U);
}

}  // namespace
}  // namespace tidemark::cli
