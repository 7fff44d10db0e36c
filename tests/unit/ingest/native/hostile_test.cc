// Batches that mean harm: offsets and lengths that lead nowhere, vectors that many share, counts without an end. They
// are refused as a whole, and cost no more than their limits say.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "ingest/native/decoder.h"
#include "tests/test_seed.h"
#include "tests/unit/ingest/native/batch_message.h"

namespace tidemark::native {
namespace {

std::string GoodBatch() {
  BatchMessage message;
  message.Series("cpu", {{"host", "a"}}).Series("cpu", {{"host", "b"}}).Series("mem", {});
  message.Table(
      {.layout = wire::Layout::Grid,
       .series = {0, 1},
       .times = {{1'000, 2'000}},
       .columns = {Ints("i", {1, 2, 3, 4}), Strings("s", {"a", "bc", "", "d"}), Decimals("d", {1, 2, 3, 4}, 1)}});
  message.Table({.series = {2}, .times = {{5}}, .columns = {Bools("b", {1}), Floats("f", {0.5})}});
  return message.Finish();
}

std::string ErrorOf(const std::string& body, const Limits& limits = {}) {
  model::Batch batch;
  const auto decoded = MakeDecoderWith(limits)->Decode(body, {.now = {1}}, &batch);
  if (decoded.ok()) return "";
  EXPECT_TRUE(batch.rows.empty() && batch.values.empty());
  return decoded.error().message;
}

TEST(NativeHostileTest, WhatIsNoBatchIsSaidToBeNone) {
  EXPECT_EQ(ErrorOf(""), "a batch has at least 8 bytes, and not 0");
  EXPECT_EQ(ErrorOf("cpu,host=a user=1i 1000\n"), "the body is no native batch: bytes 5 to 8 are not \"TMNB\"");
  const std::string good = GoodBatch();
  EXPECT_EQ(ErrorOf(good), "");
  EXPECT_EQ(ErrorOf(good.substr(0, good.size() / 2)),
            "the body is damaged: an offset or a length leads out of it, or there are too many tables");
}

TEST(NativeHostileTest, ABatchIsReadWhereverItLies) {
  const std::string good = GoodBatch();
  for (size_t shift = 0; shift < 16; ++shift) {
    const std::string moved = std::string(shift, 'x') + good;
    model::Batch batch;
    const auto decoded = MakeDecoder()->Decode(std::string_view(moved).substr(shift), {.now = {1}}, &batch);
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(batch.rows.size(), 5U);
  }
}

TEST(NativeHostileTest, EveryCutAndEveryChangedByteIsSurvived) {
  const uint64_t seed = TestSeed();
  std::mt19937_64 random(seed);
  const std::string good = GoodBatch();
  const auto decoder = MakeDecoder();
  model::Batch batch;
  for (size_t size = 0; size < good.size(); ++size) {
    // A copy of its own size, so that the address sanitizer sees a read behind it.
    const std::string cut(good.data(), size);
    static_cast<void>(decoder->Decode(cut, {.now = {1}}, &batch));
  }
  for (int round = 0; round < 20'000; ++round) {
    std::string changed = good;
    for (uint64_t i = 0; i <= random() % 3; ++i) {
      changed[random() % changed.size()] = static_cast<char>(random() % 4 == 0 ? 0xFF : random());
    }
    const auto decoded = decoder->Decode(changed, {.now = {1}}, &batch);
    if (!decoded.ok()) continue;
    for (const model::Row& row : batch.rows) {
      ASSERT_LT(row.shape, batch.shapes.size());
      ASSERT_LE(row.first_value + batch.shapes[row.shape].fields.size(), batch.values.size());
    }
  }
}

TEST(NativeHostileTest, RowsAndValuesAreBounded) {
  const auto grid = [](uint32_t series, uint32_t count) {
    BatchMessage message;
    message.Series("m", {});
    message.Table({.layout = wire::Layout::Grid,
                   .series = std::vector<uint32_t>(series, 0),
                   .make_times = [=](Builder& b) { return wire::CreateTimes(b, 0, 0, 0, 1, 1, count); },
                   .columns = {Bools("b", {1})}});
    return message.Finish();
  };
  // A hundred bytes that ask for 4 thousand million rows.
  EXPECT_EQ(ErrorOf(grid(1, UINT32_MAX)), "more than 1000000 rows in a batch");
  EXPECT_EQ(ErrorOf(grid(2, UINT32_MAX)), "more than 1000000 rows in a batch");
  // The rows are there, the values are not.
  EXPECT_EQ(ErrorOf(grid(1, 1'000'000)), "");
  EXPECT_EQ(ErrorOf(grid(1, 11), {.max_rows = 10}), "more than 10 rows in a batch");
  BatchMessage wide;
  wide.Series("m", {});
  wide.Table({.series = {0, 0}, .times = {{1}}, .columns = {Bools("a", {1, 0}), Bools("b", {1, 0})}});
  EXPECT_EQ(ErrorOf(wide.Finish(), {.max_values = 3}), "more than 3 values in a batch");
}

TEST(NativeHostileTest, RowsThatNoByteStandsForCountAsMemory) {
  const auto unpacked = [](uint32_t series, uint32_t count) {
    BatchMessage message;
    message.Series("m", {});
    message.Table({.layout = wire::Layout::Grid,
                   .series = std::vector<uint32_t>(series, 0),
                   .make_times = [=](Builder& b) { return wire::CreateTimes(b, 0, 0, 0, 1, 1, count); },
                   .columns = {Bools("b", {1})}});
    // Wherever it lies.
    const std::string moved = "x" + message.Finish();
    const auto decoder = MakeDecoder();
    const size_t bytes = decoder->UnpackedBytes(std::string_view(moved).substr(1));
    const std::string body = moved.substr(1);
    EXPECT_EQ(decoder->UnpackedBytes(body), bytes);
    return bytes;
  };
  EXPECT_LT(unpacked(1, 1), 400U);
  // 64 bytes of a row alone, of which the caller takes eight times what is said here.
  EXPECT_GT(unpacked(1, 100'000), 800'000U);
  EXPECT_GT(unpacked(1'000, 1'000), 8'000'000U);
  // More is refused before there is any row.
  EXPECT_LT(unpacked(1'000, UINT32_MAX), 20'000'000U);
  const auto decoder = MakeDecoder();
  for (const std::string_view text : {"", "x", "cpu v=1 1000000000"}) {
    EXPECT_EQ(decoder->UnpackedBytes(text), text.size());
  }
}

TEST(NativeHostileTest, FieldsOfShapesAreBounded) {
  // Each row is of a measurement of its own, so that each has all names of fields for itself.
  const auto wide = [](bool sparse) {
    BatchMessage message;
    for (int i = 0; i < 4; ++i) message.Series("m" + std::to_string(i), {});
    TableSpec table{.series = {0, 1, 2, 3}, .times = {{1}}};
    for (int c = 0; c < 3; ++c) table.columns.push_back(Bools("c" + std::to_string(c), {1, 0, 1, 0}));
    if (sparse) table.columns[0].present = {0b0101};
    message.Table(table);
    return message.Finish();
  };
  const std::string reason =
      "more than 11 fields in a batch, those of each measurement and set of fields of a table counted anew";
  EXPECT_EQ(ErrorOf(wide(false), {.max_shape_fields = 11}), reason);
  EXPECT_EQ(ErrorOf(wide(true), {.max_shape_fields = 11}), reason);
  EXPECT_EQ(ErrorOf(wide(false), {.max_shape_fields = 12}), "");
  EXPECT_EQ(ErrorOf(wide(true), {.max_shape_fields = 12}), "");
}

TEST(NativeHostileTest, ManyTablesOfManyMeasurementsCostWhatTheyHave) {
  // 10,000 tables of two rows over 50,000 measurements: counted anew for each table they would be 4 GB of zeros.
  constexpr uint32_t kMeasurements = 50'000;
  constexpr uint32_t kTables = 10'000;
  BatchMessage message;
  for (uint32_t m = 0; m < kMeasurements; ++m) message.Series("m" + std::to_string(m), {});
  for (uint32_t t = 0; t < kTables; ++t) {
    // Not in order, so that they are put in order.
    message.Table({.series = {kMeasurements - 1 - t, t}, .times = {{t}}, .columns = {Ints("v", {1, 2})}});
  }
  model::Batch batch;
  const std::string body = message.Finish();
  const auto decoded = MakeDecoder()->Decode(body, {.now = {1}}, &batch);
  ASSERT_TRUE(decoded.ok() && !decoded->refused());
  ASSERT_EQ(batch.rows.size(), 2 * kTables);
  for (const model::Row& row : batch.rows) {
    const std::string_view measurement = batch.shapes[row.shape].measurement;
    EXPECT_EQ(PrintKey(row.key.bytes), measurement);
    const int64_t t = row.time.ns;
    // The first of two rows has 1.
    EXPECT_EQ(measurement, "m" + std::to_string(batch.values[row.first_value] == 1 ? kMeasurements - 1 - t : t));
  }
}

TEST(NativeHostileTest, TimesAtTheEndsAndStepsBackwardsStayNumbers) {
  const auto times = [](int64_t first, int64_t step, uint32_t count) {
    BatchMessage message;
    message.Series("m", {});
    message.Table({.layout = wire::Layout::Grid,
                   .series = {0},
                   .make_times = [=](Builder& b) { return wire::CreateTimes(b, 0, first, 0, 1, step, count); },
                   .columns = {Ints("v", std::vector<int64_t>(count, 7))}});
    const std::string body = message.Finish();
    model::Batch batch;
    const auto decoded = MakeDecoder()->Decode(body, {.now = {1}}, &batch);
    EXPECT_TRUE(decoded.ok());
    std::vector<int64_t> out;
    for (const model::Row& row : batch.rows) out.push_back(row.time.ns);
    return out;
  };
  using Times = std::vector<int64_t>;
  EXPECT_EQ(times(10, -3, 4), (Times{10, 7, 4, 1}));
  // Beyond the ends they stay at the ends, which the store refuses.
  EXPECT_EQ(times(INT64_MAX - 1, 1, 3), (Times{INT64_MAX - 1, INT64_MAX, INT64_MAX}));
  EXPECT_EQ(times(INT64_MIN + 1, -1, 3), (Times{INT64_MIN + 1, INT64_MIN, INT64_MIN}));
  EXPECT_EQ(times(0, INT64_MIN, 3), (Times{0, INT64_MIN, INT64_MIN}));
}

TEST(NativeHostileTest, ColumnsThatShareTheirStringsAreRefused) {
  // A hundred columns of one vector of 100,000 bytes: 10 MB to journal for 100 kB that came.
  flatbuffers::FlatBufferBuilder builder;
  const std::vector<uint32_t> ends = {100'000};
  const std::vector<uint8_t> bytes(100'000, 'x');
  const auto strings = wire::CreateStringValuesDirect(builder, &ends, &bytes);
  std::vector<flatbuffers::Offset<wire::Column>> columns;
  for (int i = 0; i < 100; ++i) {
    columns.push_back(wire::CreateColumnDirect(builder, ("c" + std::to_string(i)).c_str(), wire::Values::StringValues,
                                               strings.Union()));
  }
  const std::vector<uint32_t> series = {0};
  std::vector<flatbuffers::Offset<wire::DataTable>> tables = {
      wire::CreateDataTableDirect(builder, wire::Layout::Rows, &series, 0, &columns)};
  const std::vector<uint32_t> key_ends = {2};
  const std::vector<uint8_t> keys = {1, 'm'};
  const auto dictionary = wire::CreateDictionaryDirect(builder, nullptr, 0, 0, &key_ends, &keys);
  wire::FinishBatchBuffer(builder, wire::CreateBatchDirect(builder, dictionary, &tables));
  const std::string body(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
  EXPECT_EQ(ErrorOf(body), "table 1: columns share the bytes of their strings");
}

TEST(NativeHostileTest, TablesThatAreTheSameCountEachTime) {
  // One table, named 300,000 times.
  flatbuffers::FlatBufferBuilder builder;
  const std::vector<uint32_t> series;
  const auto table = wire::CreateDataTableDirect(builder, wire::Layout::Rows, &series);
  const std::vector<flatbuffers::Offset<wire::DataTable>> tables(300'000, table);
  wire::FinishBatchBuffer(builder, wire::CreateBatchDirect(builder, 0, &tables));
  const std::string body(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
  EXPECT_EQ(ErrorOf(body), "the body is damaged: an offset or a length leads out of it, or there are too many tables");
}

TEST(NativeHostileTest, EndsThatDoNotAscendAreRefused) {
  const auto with = [](std::vector<uint32_t> ends, std::string bytes) {
    BatchMessage message;
    message.Series("m", {});
    message.Table({.series = {0, 0}, .times = {{1}}, .columns = {RawStrings("s", std::move(ends), std::move(bytes))}});
    const std::string body = message.Finish();
    model::Batch batch;
    const auto decoded = MakeDecoder()->Decode(body, {.now = {1}}, &batch);
    EXPECT_TRUE(decoded.ok() && batch.rows.empty() && decoded->faults.size() == 1);
    return decoded->faults[0].reason;
  };
  EXPECT_EQ(with({2, 1}, "ab"), "table 1: column 1 (s): ends[1] is 1, after 2 and with 2 bytes");
  EXPECT_EQ(with({1, 3}, "ab"), "table 1: column 1 (s): ends[1] is 3, after 1 and with 2 bytes");
  EXPECT_EQ(with({UINT32_MAX, 2}, "ab"), "table 1: column 1 (s): ends[0] is 4294967295, after 0 and with 2 bytes");

  flatbuffers::FlatBufferBuilder builder;
  const std::vector<uint32_t> key_ends = {5, 2};
  const std::vector<uint8_t> keys = {1, 'm'};
  const auto dictionary = wire::CreateDictionaryDirect(builder, nullptr, 0, 0, &key_ends, &keys);
  wire::FinishBatchBuffer(builder, wire::CreateBatchDirect(builder, dictionary));
  const std::string body(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
  EXPECT_EQ(ErrorOf(body), "dictionary: key_ends[0] is 5, after 0 and with 2 bytes of keys");
}

TEST(NativeHostileTest, DictionariesAreBounded) {
  const auto series = [](size_t count, size_t bytes) {
    BatchMessage message;
    for (size_t i = 0; i < count; ++i) message.Series(std::to_string(i), {{"t", std::string(bytes, 'x')}});
    return message.Finish();
  };
  EXPECT_EQ(ErrorOf(series(10, 1), {.max_series = 9}), "a dictionary with more than 9 series");
  EXPECT_EQ(ErrorOf(series(10, 1), {.max_series = 10}), "");
  EXPECT_EQ(ErrorOf(series(100, 1'000), {.max_dictionary_bytes = 50'000}), "a dictionary of more than 50000 bytes");
}

}  // namespace
}  // namespace tidemark::native
