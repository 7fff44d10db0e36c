// What a native batch becomes: every type, every form of times, rows that lack fields, and what is refused where.
#include "ingest/native/decoder.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "storage/model/series_key.h"
#include "tests/unit/ingest/native/batch_message.h"

namespace tidemark::native {
namespace {

// The rows of a batch as text: "cpu,host=a user=5i 1000", in their order.
std::string RowsOf(const model::Batch& batch) {
  std::string out;
  Arena arena;
  for (const model::Row& row : batch.rows) {
    const auto key = model::ParseSeriesKey(row.key.format, row.key.bytes, &arena);
    const model::Shape& shape = batch.shapes[row.shape];
    EXPECT_TRUE(key.ok() && key->measurement == shape.measurement);
    EXPECT_EQ(row.key.hash, model::HashSeriesKey(row.key.format, row.key.bytes));
    out += shape.measurement;
    for (const auto& tag : key->tags) out += "," + std::string(tag.name) + "=" + std::string(tag.value);
    for (size_t f = 0; f < shape.fields.size(); ++f) {
      const model::ShapeField& field = shape.fields[f];
      out += (f == 0 ? " " : ",") + std::string(field.name) + "=";
      const model::FieldValue value = model::ValueOf(batch, field.type, row.first_value + f);
      switch (field.type) {
        case model::FieldType::kInt: out += std::to_string(std::get<int64_t>(value)) + "i"; break;
        case model::FieldType::kUInt: out += std::to_string(std::get<uint64_t>(value)) + "u"; break;
        case model::FieldType::kBool: out += std::get<bool>(value) ? "true" : "false"; break;
        case model::FieldType::kString: out += "\"" + std::get<std::string>(value) + "\""; break;
        case model::FieldType::kFloat: {
          char text[40];
          std::snprintf(text, sizeof(text), "%.17g", std::get<double>(value));
          out += text;
        }
      }
    }
    out += " " + std::to_string(row.time.ns) + "\n";
  }
  return out;
}

class NativeDecoderTest : public testing::Test {
 protected:
  Result<ingest::Decoded> Decode(BatchMessage& message) {
    body_ = message.Finish();
    return decoder_->Decode(body_, {.now = {777}}, &batch_);
  }
  // The reasons of all faults, with their rows and columns.
  static std::string FaultsOf(const ingest::Decoded& decoded) {
    std::string out;
    for (const ingest::Fault& fault : decoded.faults) {
      out += std::to_string(fault.number) + ":" + std::to_string(fault.column) + " " + fault.text +
             (fault.text.empty() ? "" : " ") + fault.reason + "\n";
    }
    return out;
  }

  std::unique_ptr<ingest::Decoder> decoder_ = MakeDecoder();
  std::string body_;
  model::Batch batch_;
};

TEST_F(NativeDecoderTest, EveryTypeComesOutExactly) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  BatchMessage message;
  message.Series("m", {{"host", "a"}}).Series("m", {{"host", "b"}});
  message.Table({.series = {0, 1},
                 .times = {{1, -2}},
                 .columns = {Ints("i", {kMin, 7}), SmallInts("s", {-5, 5}), UInts("u", {kMax, 0}),
                             Floats("f", {0.1, -1e300}), Bools("b", {1, 0}), Strings("t", {"", "grün"}),
                             Decimals("d", {125, -1}, 2), SmallDecimals("e", {5, 6}, 1)}});
  const auto decoded = Decode(message);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_FALSE(decoded->refused());
  EXPECT_EQ(RowsOf(batch_),
            "m,host=a i=-9223372036854775808i,s=-5i,u=18446744073709551615u,f=0.10000000000000001,b=true,t=\"\",d=1.25,"
            "e=0.5 1\n"
            "m,host=b i=7i,s=5i,u=0u,f=-1.0000000000000001e+300,b=false,t=\"grün\",d=-0.01,e=0.59999999999999998 -2\n");
  // Decimals stay integers.
  EXPECT_EQ(batch_.values[6], 125);
  EXPECT_EQ(batch_.scales[6], 2);
}

TEST_F(NativeDecoderTest, FloatsKeepTheirBits) {
  const double stale = std::bit_cast<double>(uint64_t{0x7ff0000000000002});
  BatchMessage message;
  message.Series("m", {});
  message.Table(
      {.series = {0, 0, 0, 0, 0},
       .times = {{1, 2, 3, 4, 5}},
       .columns = {Floats("f", {-0.0, std::numeric_limits<double>::infinity(), stale, 3.0, 9007199254740993.0})}});
  ASSERT_TRUE(Decode(message).ok());
  EXPECT_EQ(batch_.scales, (std::vector<uint8_t>{255, 255, 255, 0, 255}));
  EXPECT_EQ(batch_.values[0], std::bit_cast<int64_t>(-0.0));
  EXPECT_EQ(batch_.values[2], std::bit_cast<int64_t>(stale));
  EXPECT_EQ(batch_.values[3], 3);
}

TEST_F(NativeDecoderTest, DecimalsBeyondTheEnginesAreRoundedOnce) {
  BatchMessage message;
  message.Series("m", {});
  message.Table(
      {.series = {0, 0, 0},
       .times = {{1, 2, 3}},
       .columns = {Decimals("d", {std::numeric_limits<int64_t>::max(), 1, std::numeric_limits<int64_t>::min()}, 30)}});
  ASSERT_TRUE(Decode(message).ok());
  EXPECT_EQ(model::FloatOf(batch_.values[0], batch_.scales[0]), 9223372036854775807e-30);
  EXPECT_EQ(model::FloatOf(batch_.values[1], batch_.scales[1]), 1e-30);
  EXPECT_EQ(model::FloatOf(batch_.values[2], batch_.scales[2]), -9223372036854775808e-30);
  EXPECT_EQ(model::FloatOf(1, 0), 1);
  // 2^53 has no room as a mantissa, and is a double.
  BatchMessage large;
  large.Series("m", {});
  large.Table({.series = {0}, .times = {{1}}, .columns = {Decimals("d", {int64_t{1} << 53}, 0)}});
  ASSERT_TRUE(Decode(large).ok());
  EXPECT_EQ(batch_.scales[0], model::kBinaryScale);
  EXPECT_EQ(model::FloatOf(batch_.values[0], batch_.scales[0]), 9007199254740992.0);
}

TEST_F(NativeDecoderTest, TimesInEveryForm) {
  const auto times_of = [&](TableSpec table) {
    BatchMessage message;
    message.Series("m", {{"h", "a"}}).Series("m", {{"h", "b"}});
    message.Table(table);
    const auto decoded = Decode(message);
    if (!decoded.ok()) return decoded.error().message;
    std::string out;
    for (const model::Row& row : batch_.rows) {
      out += std::string(row.key.bytes.substr(row.key.bytes.size() - 1)) + std::to_string(row.time.ns) + " ";
    }
    return out + FaultsOf(*decoded);
  };
  const auto step = [](int64_t first, int64_t step_ns, uint32_t count) {
    return [=](Builder& b) { return wire::CreateTimes(b, 0, first, 0, 1, step_ns, count); };
  };
  const auto deltas = [](int64_t first, std::vector<uint32_t> values, uint64_t unit) {
    return [=](Builder& b) { return wire::CreateTimesDirect(b, nullptr, first, &values, unit); };
  };
  const std::vector<ColumnSpec> two = {Ints("v", {1, 2})};
  const std::vector<ColumnSpec> four = {Ints("v", {1, 2, 3, 4})};
  using enum wire::Layout;
  EXPECT_EQ(times_of({.series = {0, 1}, .columns = two}), "a777 b777 ");
  EXPECT_EQ(times_of({.series = {0, 1}, .times = {{5}}, .columns = two}), "a5 b5 ");
  EXPECT_EQ(times_of({.series = {0, 1}, .times = {{5, 4}}, .columns = two}), "a5 b4 ");
  EXPECT_EQ(times_of({.series = {0, 1}, .make_times = step(9, 0, 0), .columns = two}), "a9 b9 ");
  EXPECT_EQ(times_of({.series = {0, 1}, .make_times = step(9, -3, 0), .columns = two}), "a9 b6 ");
  EXPECT_EQ(times_of({.series = {1, 0}, .make_times = deltas(9, {2}, 1'000), .columns = two}), "b9 a2009 ");
  EXPECT_EQ(times_of({.layout = Grid, .series = {0, 1}, .times = {{5, 6}}, .columns = four}), "a5 a6 b5 b6 ");
  EXPECT_EQ(times_of({.layout = Grid, .series = {1, 0}, .make_times = step(10, 10, 2), .columns = four}),
            "b10 b20 a10 a20 ");
  EXPECT_EQ(times_of({.layout = Grid, .series = {0, 1}, .make_times = deltas(1, {4}, 1), .columns = four}),
            "a1 a5 b1 b5 ");
  // Beyond int64 they stay at its ends, which the store refuses row by row.
  EXPECT_EQ(
      times_of({.series = {0, 1}, .make_times = step(std::numeric_limits<int64_t>::max() - 1, 5, 0), .columns = two}),
      "a9223372036854775806 b9223372036854775807 ");
  EXPECT_EQ(times_of({.series = {0, 1}, .make_times = deltas(1, {4'000'000'000}, UINT64_MAX), .columns = two}),
            "a1 b9223372036854775807 ");
  EXPECT_EQ(times_of({.series = {0, 1}, .times = {{5, 6, 7}}, .columns = two}), "0:0 table 1: 3 times for 2 rows\n");
  EXPECT_EQ(times_of({.series = {0, 1}, .make_times = step(9, 3, 5), .columns = two}),
            "0:0 table 1: 5 times for 2 rows\n");
  EXPECT_EQ(times_of({.series = {0, 1}, .make_times = deltas(9, {2}, 0), .columns = two}),
            "0:0 table 1: delta_unit_ns is 0\n");
}

TEST_F(NativeDecoderTest, RowsOfOneMeasurementComeTogetherAndKeepTheirNumbers) {
  BatchMessage message;
  message.Series("b", {{"h", "1"}}).Series("a", {{"h", "1"}}).Series("b", {{"h", "2"}});
  message.Table({.series = {0, 1, 2, 1},
                 .times = {{1, 2, 3, 4}},
                 .columns = {Ints("v", {1, 2, 3, 4}), Strings("t", {"p", "q", "r", "s"})}});
  message.Table({.series = {1}, .times = {{5}}, .columns = {Ints("v", {5})}});
  ASSERT_TRUE(Decode(message).ok());
  EXPECT_EQ(RowsOf(batch_),
            "b,h=1 v=1i,t=\"p\" 1\nb,h=2 v=3i,t=\"r\" 3\na,h=1 v=2i,t=\"q\" 2\na,h=1 v=4i,t=\"s\" 4\na,h=1 v=5i 5\n");
  std::string lines;
  for (const model::Row& row : batch_.rows) lines += std::to_string(row.line);
  EXPECT_EQ(lines, "13245");
}

TEST_F(NativeDecoderTest, RowsMayLackFields) {
  BatchMessage message;
  message.Series("m", {{"h", "1"}}).Series("n", {});
  ColumnSpec some = Ints("a", {1, 2, 3, 4});
  some.present = {0b0101};
  ColumnSpec others = Strings("b", {"w", "x", "y", "z"});
  others.present = {0b0110};
  message.Table({.series = {0, 1, 1, 0}, .times = {{1, 2, 3, 4}}, .columns = {some, others}});
  const auto decoded = Decode(message);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(RowsOf(batch_), "m,h=1 a=1i 1\nn b=\"x\" 2\nn a=3i,b=\"y\" 3\n");
  EXPECT_EQ(FaultsOf(*decoded), "4:0 m,h=1 missing fields\n");
  EXPECT_EQ(decoded->rows_refused, 1U);
}

TEST_F(NativeDecoderTest, GoodRowsAreTakenBesideBadOnes) {
  BatchMessage message;
  message.Series("m", {{"h", "1"}}).Series("m", {{"b", "1"}, {"a", "2"}});
  message.Table({.series = {0, 1, 9, 0, 0},
                 .times = {{1, 2, 3, 4, 5}},
                 .columns = {Bools("ok", {1, 1, 1, 2, 0}), Strings("t", {"a", "b", "c", "d", "\xff"})}});
  message.Table({.series = {0}, .times = {{6}}, .columns = {Ints("v", {1, 2})}});
  message.Table({.series = {0}, .times = {{7}}, .columns = {Ints("v", {1}), Ints("v", {2})}});
  message.Table({.series = {0}, .times = {{8}}, .columns = {}});
  message.Table({.series = {0}, .times = {{9}}, .columns = {Ints("", {1})}});
  message.Table({.series = {0}, .times = {{10}}, .columns = {Ints("w", {1})}});
  const auto decoded = Decode(message);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(RowsOf(batch_), "m,h=1 ok=true,t=\"a\" 1\nm,h=1 w=1i 10\n");
  EXPECT_EQ(FaultsOf(*decoded),
            "2:0 m,a=2,b=1 the tag \"a\" stands behind \"b\"\n"
            "3:0 series 9 of a dictionary with 2\n"
            "4:1 m,h=1 field \"ok\": invalid boolean: it is neither 0 nor 1\n"
            "5:2 m,h=1 field \"t\": the string is not valid UTF-8\n"
            "0:0 table 2: column 1 (v): 2 values for 1 rows\n"
            "0:0 table 3: column 2: duplicate field \"v\"\n"
            "0:0 table 4: no columns\n"
            "0:0 table 5: column 1 (): missing field key\n");
  EXPECT_EQ(decoded->rows_refused, 8U);
  EXPECT_EQ(decoded->faults_total, 8U);
  const std::string text = decoder_->Describe({});
  EXPECT_TRUE(text.starts_with("partial write: 8 of 10 rows refused\nrow 2: m,a=2,b=1: the tag")) << text;
}

TEST_F(NativeDecoderTest, TheStoresRefusalsAreNamedWithTheirSeries) {
  BatchMessage message;
  message.Series("m", {{"h", "1"}}).Series("m", {{"h", "2"}});
  message.Table({.series = {0}, .times = {{1}}, .columns = {Ints("v", {1})}});
  message.Table(
      {.layout = wire::Layout::Grid, .series = {0, 1}, .times = {{1, 2}}, .columns = {Ints("v", {1, 2, 3, 4})}});
  ASSERT_TRUE(Decode(message).ok());
  model::WriteReport report;
  report.Reject(4, InvalidArgument("points beyond retention policy"));
  report.Reject(1, InvalidArgument("field type conflict"));
  const auto faults = decoder_->FaultsOf(body_, report);
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_EQ(faults[0].number, 1U);
  EXPECT_EQ(faults[0].text, "m,h=1");
  EXPECT_EQ(faults[1].number, 4U);
  EXPECT_EQ(faults[1].text, "m,h=2");
}

TEST_F(NativeDecoderTest, AnEmptyBatchIsOne) {
  BatchMessage message;
  const auto decoded = Decode(message);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_TRUE(batch_.rows.empty());
}

}  // namespace
}  // namespace tidemark::native
