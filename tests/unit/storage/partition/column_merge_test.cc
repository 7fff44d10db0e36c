#include "storage/partition/column_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "storage/model/batch.h"

namespace tidemark::storage {
namespace {

using testing::ElementsAre;

// Owns what a column views.
struct Piece {
  std::vector<int64_t> times;
  std::vector<int64_t> ints;
  std::vector<double> floats;
  model::Column column;
};

Piece Scaled(std::vector<int64_t> times, std::vector<int64_t> mantissas, uint8_t scale) {
  Piece piece{std::move(times), std::move(mantissas), {}, {}};
  piece.column.type = model::FieldType::kFloat;
  piece.column.scale = scale;
  piece.column.times = {piece.times.size(), 0, 0, piece.times.data()};
  piece.column.ints = piece.ints.data();
  return piece;
}

Piece Binary(std::vector<int64_t> times, std::vector<double> values) {
  Piece piece{std::move(times), {}, std::move(values), {}};
  piece.column.scale = model::kBinaryScale;
  piece.column.times = {piece.times.size(), 0, 0, piece.times.data()};
  piece.column.floats = piece.floats.data();
  return piece;
}

Piece Regular(int64_t first, int64_t step, std::vector<int64_t> ints) {
  Piece piece{{}, std::move(ints), {}, {}};
  piece.column.type = model::FieldType::kInt;
  piece.column.times = {piece.ints.size(), first, piece.ints.size() > 1 ? step : 0, nullptr};
  piece.column.ints = piece.ints.data();
  return piece;
}

std::vector<int64_t> TimesOf(const model::Column& column) {
  std::vector<int64_t> out;
  for (size_t i = 0; i < column.size(); ++i) out.push_back(column.times[i]);
  return out;
}
std::vector<double> DoublesOf(const model::Column& column) {
  std::vector<double> out(column.size());
  model::ToDoubles(column, 0, column.size(), out.data());
  return out;
}
std::vector<int64_t> IntsOf(const model::Column& column) { return {column.ints, column.ints + column.size()}; }

TEST(WithoutTimesTest, LeavesWhatHasNoRowBeside) {
  const Piece regular = Regular(100, 10, {1, 2, 3, 4, 5});
  const Piece beside = Binary({90, 110, 115, 140, 200}, {0, 0, 0, 0, 0});
  model::ColumnBuffer buffer;
  const model::Column left = partition::WithoutTimes(regular.column, beside.column.times, &buffer);
  EXPECT_EQ(left.type, model::FieldType::kInt);
  EXPECT_THAT(TimesOf(left), ElementsAre(100, 120, 130));
  EXPECT_THAT(IntsOf(left), ElementsAre(1, 3, 4));
  const model::Column floats = partition::WithoutTimes(beside.column, regular.column.times, &buffer);
  EXPECT_THAT(TimesOf(floats), ElementsAre(90, 115, 200));
  EXPECT_EQ(partition::WithoutTimes(regular.column, regular.column.times, &buffer).size(), 0U);
}

TEST(WithoutTimesTest, IsTheColumnItselfWhereNothingGoes) {
  const Piece regular = Regular(100, 10, {1, 2, 3});
  model::ColumnBuffer buffer;
  for (const std::vector<int64_t>& times : {std::vector<int64_t>{}, std::vector<int64_t>{1, 99},
                                            std::vector<int64_t>{121}, std::vector<int64_t>{105, 115}}) {
    const Piece beside = Binary(times, std::vector<double>(times.size()));
    const model::Column left = partition::WithoutTimes(regular.column, beside.column.times, &buffer);
    EXPECT_TRUE(left.times.regular());
    EXPECT_EQ(left.ints, regular.column.ints);
  }
}

TEST(ColumnMergeTest, OnePieceIsNotCopied) {
  const Piece piece = Scaled({1, 5}, {10, 20}, 1);
  partition::ColumnMerger merger;
  EXPECT_EQ(merger.Merge({&piece.column, 1}).ints, piece.ints.data());
}

TEST(ColumnMergeTest, RegularPiecesThatMeetStayRegular) {
  const Piece late = Regular(30, 10, {3, 4});
  const Piece early = Regular(10, 10, {1, 2});
  const Piece last = Regular(50, 10, {5});
  const std::vector<model::Column> pieces = {late.column, early.column, last.column};
  partition::ColumnMerger merger;
  const model::Column out = merger.Merge(pieces);
  EXPECT_TRUE(out.times.regular());
  EXPECT_THAT(TimesOf(out), ElementsAre(10, 20, 30, 40, 50));
  EXPECT_THAT(IntsOf(out), ElementsAre(1, 2, 3, 4, 5));
}

TEST(ColumnMergeTest, AGapMakesTimesExplicit) {
  const Piece a = Regular(10, 10, {1, 2});
  const Piece b = Regular(35, 10, {3, 4});
  const std::vector<model::Column> pieces = {a.column, b.column};
  partition::ColumnMerger merger;
  const model::Column out = merger.Merge(pieces);
  EXPECT_FALSE(out.times.regular());
  EXPECT_THAT(TimesOf(out), ElementsAre(10, 20, 35, 45));
}

TEST(ColumnMergeTest, TheLastPieceWinsAtTheSameTime) {
  const Piece oldest = Regular(10, 10, {1, 2, 3, 4, 5});
  const Piece middle = Regular(20, 20, {20, 40});
  const Piece newest = Regular(40, 10, {400});
  const std::vector<model::Column> pieces = {oldest.column, middle.column, newest.column};
  partition::ColumnMerger merger;
  const model::Column out = merger.Merge(pieces);
  EXPECT_THAT(TimesOf(out), ElementsAre(10, 20, 30, 40, 50));
  EXPECT_THAT(IntsOf(out), ElementsAre(1, 20, 3, 400, 5));
}

TEST(ColumnMergeTest, ScalesAreBroughtTogetherExactly) {
  const Piece tenths = Scaled({1, 3}, {15, -25}, 1);
  const Piece thousandths = Scaled({2}, {1234}, 3);
  const std::vector<model::Column> pieces = {tenths.column, thousandths.column};
  partition::ColumnMerger merger;
  const model::Column out = merger.Merge(pieces);
  EXPECT_TRUE(out.scaled());
  EXPECT_EQ(out.scale, 3);
  EXPECT_THAT(IntsOf(out), ElementsAre(1500, 1234, -2500));
}

TEST(ColumnMergeTest, ScalesThatDoNotFitBecomeTheSameDoubles) {
  const int64_t large = (int64_t{1} << 53) - 1;
  const Piece whole = Scaled({1}, {large}, 0);
  const Piece fine = Scaled({2}, {1}, 20);
  const std::vector<model::Column> pieces = {whole.column, fine.column};
  partition::ColumnMerger merger;
  const model::Column out = merger.Merge(pieces);
  EXPECT_FALSE(out.scaled());
  EXPECT_THAT(DoublesOf(out), ElementsAre(static_cast<double>(large), 1e-20));
}

TEST(ColumnMergeTest, DecimalsBesideFreeDoublesBecomeDoubles) {
  const Piece decimals = Scaled({1, 2}, {31, 7}, 1);
  const Piece doubles = Binary({2}, {0.1});
  const std::vector<model::Column> pieces = {decimals.column, doubles.column};
  partition::ColumnMerger merger;
  EXPECT_THAT(DoublesOf(merger.Merge(pieces)), ElementsAre(3.1, 0.1));
}

}  // namespace
}  // namespace tidemark::storage
