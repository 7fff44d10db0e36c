#include "storage/journal/batch_record.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "storage/model/batch.h"

namespace tidemark::journal {
namespace {

using model::FieldId;
using model::FieldType;

struct Source {
  std::vector<model::ResolvedShape> shapes;
  std::vector<model::ResolvedRow> rows;
  std::vector<int64_t> values;
  std::vector<uint8_t> scales;
  std::vector<std::string> texts;
  std::vector<std::string_view> strings;

  [[nodiscard]] model::ResolvedBatch View() const {
    return {model::DatabaseId{3}, shapes, rows, values, scales, strings};
  }
};

Source RandomSource(std::mt19937_64* random) {
  Source source;
  source.texts.reserve(100'000);
  const size_t shapes = 1 + (*random)() % 4;
  for (size_t s = 0; s < shapes; ++s) {
    model::ResolvedShape shape{model::MeasurementId{static_cast<uint32_t>(s + 1)}, {}};
    const size_t fields = 1 + (*random)() % 6;
    for (size_t f = 0; f < fields; ++f) {
      shape.fields.push_back({FieldId{static_cast<uint32_t>(s * 10 + f)}, static_cast<FieldType>(1 + (*random)() % 5)});
    }
    source.shapes.push_back(std::move(shape));
  }
  const size_t rows = (*random)() % 3000;
  uint32_t shape = 0;
  for (size_t r = 0; r < rows; ++r) {
    if ((*random)() % 50 == 0) shape = static_cast<uint32_t>((*random)() % shapes);
    source.rows.push_back({model::SeriesId{static_cast<uint32_t>((*random)() % 100'000)},
                           shape,
                           {static_cast<int64_t>((*random)())},
                           static_cast<uint32_t>(source.values.size()),
                           0});
    for (const model::ResolvedField& field : source.shapes[shape].fields) {
      int64_t value = static_cast<int64_t>((*random)() >> ((*random)() % 64));
      uint8_t scale = 0;
      if (field.type == FieldType::kFloat) {
        scale = (*random)() % 8 == 0 ? model::kBinaryScale : static_cast<uint8_t>((*random)() % 4);
        if (scale != model::kBinaryScale) value %= int64_t{1} << 53;
      } else if (field.type == FieldType::kBool) {
        value &= 1;
      } else if (field.type == FieldType::kString) {
        value = static_cast<int64_t>(source.strings.size());
        source.texts.push_back(std::string((*random)() % 20, 'a'));
        source.strings.push_back(source.texts.back());
      }
      source.values.push_back(value);
      source.scales.push_back(scale);
    }
  }
  return source;
}

void ExpectSame(const model::ResolvedBatch& a, const model::ResolvedBatch& b) {
  EXPECT_EQ(a.database, b.database);
  ASSERT_EQ(a.shapes.size(), b.shapes.size());
  ASSERT_EQ(a.rows.size(), b.rows.size());
  for (size_t r = 0; r < a.rows.size(); ++r) {
    const model::ResolvedRow& x = a.rows[r];
    const model::ResolvedRow& y = b.rows[r];
    ASSERT_EQ(x.series, y.series);
    ASSERT_EQ(x.time, y.time);
    ASSERT_EQ(x.shape, y.shape);
    for (size_t f = 0; f < a.shapes[x.shape].fields.size(); ++f) {
      ASSERT_EQ(a.shapes[x.shape].fields[f].id, b.shapes[x.shape].fields[f].id);
      const FieldType type = a.shapes[x.shape].fields[f].type;
      ASSERT_EQ(type, b.shapes[x.shape].fields[f].type);
      const size_t i = x.first_value + f;
      const size_t j = y.first_value + f;
      if (type == FieldType::kFloat) {
        ASSERT_EQ(std::bit_cast<uint64_t>(model::FloatOf(a.values[i], a.scales[i])),
                  std::bit_cast<uint64_t>(model::FloatOf(b.values[j], b.scales[j])));
      } else if (type == FieldType::kString) {
        ASSERT_EQ(a.strings[static_cast<size_t>(a.values[i])], b.strings[static_cast<size_t>(b.values[j])]);
      } else {
        ASSERT_EQ(a.values[i], b.values[j]);
      }
    }
  }
}

TEST(BatchRecord, RandomBatchesComeBack) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  DecodedBatch decoded;
  for (int i = 0; i < 40; ++i) {
    const Source source = RandomSource(&random);
    std::string bytes;
    EncodeBatch(source.View(), &bytes);
    ASSERT_TRUE(DecodeBatch(bytes, &decoded).ok());
    ExpectSame(source.View(), decoded.View());
  }
}

TEST(BatchRecord, SmallIntegersTakeAboutAByte) {
  Source source;
  source.shapes.push_back({model::MeasurementId{1}, {}});
  for (uint32_t f = 0; f < 10; ++f) source.shapes[0].fields.push_back({FieldId{f + 1}, FieldType::kInt});
  std::mt19937_64 random(1);
  for (uint32_t r = 0; r < 10'000; ++r) {
    source.rows.push_back({model::SeriesId{r % 1000 + 1},
                           0,
                           {r / 1000 * int64_t{10'000'000'000}},
                           static_cast<uint32_t>(source.values.size()),
                           0});
    for (int f = 0; f < 10; ++f) source.values.push_back(static_cast<int64_t>(random() % 101));
    source.scales.resize(source.values.size(), 0);
  }
  std::string bytes;
  EncodeBatch(source.View(), &bytes);
  EXPECT_LT(static_cast<double>(bytes.size()) / static_cast<double>(source.values.size()), 1.1);
}

TEST(BatchRecord, DamagedBytesAreRefusedOrHarmless) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const Source source = RandomSource(&random);
  std::string bytes;
  EncodeBatch(source.View(), &bytes);
  DecodedBatch decoded;
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = bytes;
    if (damaged.empty()) break;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    if (random() % 4 == 0) damaged.resize(random() % (damaged.size() + 1));
    // The journal's checksum stands in front of this; here it only must not crash or run away.
    (void)DecodeBatch(damaged, &decoded).ok();
  }
  EXPECT_FALSE(DecodeBatch("", &decoded).ok());
}

}  // namespace
}  // namespace tidemark::journal
