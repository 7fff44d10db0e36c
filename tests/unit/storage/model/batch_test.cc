#include "storage/model/batch.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "storage/model/series_key.h"

namespace tidemark::model {
namespace {

TEST(BatchBuilder, RowsShareShapesAndKeepTheirOrder) {
  BatchBuilder builder;
  builder.Row("cpu", {{"host", "a"}}, {10}).Field("user", 1.5).Field("cores", int64_t{2});
  builder.Row("mem", {{"host", "a"}}, {10}).Field("free", uint64_t{7}).Field("ok", true);
  builder.Row("cpu", {{"host", "b"}}, {10}).Field("user", 2.5).Field("cores", int64_t{4});
  const Batch& batch = builder.batch();
  ASSERT_EQ(batch.shapes.size(), 2U);
  ASSERT_EQ(batch.rows.size(), 3U);
  EXPECT_EQ(batch.rows[0].shape, batch.rows[2].shape);
  EXPECT_EQ(batch.points(), 6U);
  EXPECT_EQ(ValueOf(batch, FieldType::kFloat, batch.rows[2].first_value), FieldValue(2.5));
  EXPECT_EQ(ValueOf(batch, FieldType::kInt, batch.rows[2].first_value + 1), FieldValue(int64_t{4}));
  EXPECT_EQ(ValueOf(batch, FieldType::kBool, batch.rows[1].first_value + 1), FieldValue(true));
}

TEST(BatchBuilder, TagOrderAndEmptyTagsDoNotMatter) {
  BatchBuilder builder;
  builder.Row("m", {{"b", "2"}, {"a", "1"}, {"empty", ""}}, {1}).Field("f", "text");
  builder.Row("m", {{"a", "1"}, {"b", "2"}}, {2}).Field("f", "more");
  const Batch& batch = builder.batch();
  EXPECT_EQ(batch.rows[0].key.hash, batch.rows[1].key.hash);
  Arena arena;
  const auto key = ParseSeriesKey(KeyFormat::kCanonical, batch.rows[0].key.bytes, &arena);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->measurement, "m");
  EXPECT_EQ(key->tags, (LabelViews{{"a", "1"}, {"b", "2"}}));
}

TEST(BatchBuilder, RowsWithoutFieldsAreDroppedAndClearStartsAnew) {
  BatchBuilder builder;
  builder.Row("m", {}, {1});
  builder.Row("m", {}, {2}).Field("f", 1.0);
  EXPECT_EQ(builder.batch().rows.size(), 1U);
  builder.Clear();
  EXPECT_EQ(builder.batch().rows.size(), 0U);
}

TEST(Batch, FloatsKeepEveryBit) {
  BatchBuilder builder;
  const double values[] = {0.0,
                           -0.0,
                           0.1,
                           -7,
                           1e300,
                           9007199254740993.0,
                           std::numeric_limits<double>::infinity(),
                           std::bit_cast<double>(uint64_t{0x7ff0000000000002}),
                           std::numeric_limits<double>::denorm_min()};
  for (const double value : values) builder.Row("m", {}, {1}).Field("f", value);
  const Batch& batch = builder.batch();
  for (size_t i = 0; i < std::size(values); ++i) {
    EXPECT_EQ(std::bit_cast<uint64_t>(FloatOf(batch.values[i], batch.scales[i])), std::bit_cast<uint64_t>(values[i]));
  }
}

TEST(Batch, TheFormatIsPartOfTheHash) {
  EXPECT_NE(HashSeriesKey(KeyFormat::kLineProtocol, "m"), HashSeriesKey(KeyFormat::kCanonical, "m"));
  EXPECT_EQ(HashSeriesKey(KeyFormat::kLineProtocol, "m"), HashSeriesKey(KeyFormat::kLineProtocol, "m"));
}

}  // namespace
}  // namespace tidemark::model
