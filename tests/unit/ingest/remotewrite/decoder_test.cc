#include "ingest/remotewrite/decoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "storage/model/series_key.h"
#include "tests/unit/ingest/remotewrite/request_builder.h"

namespace tidemark::remotewrite {
namespace {

// A decoded batch as text: one line for each row.
std::string Print(const model::Batch& batch) {
  std::string out;
  Arena arena;
  for (const model::Row& row : batch.rows) {
    const auto key = model::ParseSeriesKey(row.key.format, row.key.bytes, &arena).value();
    EXPECT_EQ(row.key.hash, model::HashSeriesKey(row.key.format, row.key.bytes));
    const model::Shape& shape = batch.shapes[row.shape];
    EXPECT_EQ(shape.measurement, key.measurement);
    EXPECT_EQ(shape.fields.size(), 1U);
    EXPECT_EQ(shape.fields[0].name, "value");
    EXPECT_EQ(shape.fields[0].type, model::FieldType::kFloat);
    out += std::to_string(row.line) + " " + std::string(key.measurement) + " " +
           model::ToString(model::ToLabels(key.tags)) + " " +
           std::to_string(model::FloatOf(batch.values[row.first_value], batch.scales[row.first_value])) + " " +
           std::to_string(row.time.ns) + "\n";
  }
  return out;
}

TEST(DecoderTest, SamplesBecomeRows) {
  RequestBuilder request;
  request.Series({{"__name__", "up"}, {"job", "api"}}, {{1, 1'000}, {0, 2'000}});
  request.Series({{"__name__", "load"}, {"instance", "é"}, {"job", "api"}}, {{1.5, -3}});
  request.Series({{"__name__", "up"}, {"job", "db"}, {"gone", ""}}, {{1e300, 0}});
  model::Batch batch;
  Decoder decoder;
  const std::string body = request.body();
  const DecodeReport report = decoder.Decode(body, {}, &batch).value();
  EXPECT_FALSE(report.refused());
  EXPECT_EQ(report.series, 3U);
  EXPECT_EQ(report.samples, 4U);
  EXPECT_EQ(batch.shapes.size(), 2U);
  batch.values.resize(3);  // 1e300 has too many digits to print
  batch.rows.resize(3);
  EXPECT_EQ(Print(batch),
            "1 up {job=\"api\"} 1.000000 1000000000\n"
            "1 up {job=\"api\"} 0.000000 2000000000\n"
            "2 load {instance=\"é\", job=\"api\"} 1.500000 -3000000\n");
}

TEST(DecoderTest, EveryDoubleComesBackBitForBit) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<uint64_t> patterns = {0x7ff0000000000002,  // the stale marker
                                    0x7ff8000000000001,
                                    0xfff0000000000001,
                                    0x8000000000000000,
                                    0,
                                    1,
                                    std::bit_cast<uint64_t>(std::numeric_limits<double>::infinity()),
                                    std::bit_cast<uint64_t>(-std::numeric_limits<double>::infinity()),
                                    std::bit_cast<uint64_t>(9007199254740991.0),
                                    std::bit_cast<uint64_t>(9007199254740992.0),
                                    std::bit_cast<uint64_t>(-9007199254740992.0),
                                    std::bit_cast<uint64_t>(-5.0)};
  for (int i = 0; i < 1'000; ++i) patterns.push_back(random());
  RequestBuilder request;
  std::vector<TestSample> samples;
  for (const uint64_t pattern : patterns) samples.push_back({std::bit_cast<double>(pattern), 7});
  request.Series({{"__name__", "m"}}, samples);
  model::Batch batch;
  Decoder decoder;
  ASSERT_EQ(decoder.DecodeMessage(request.message(), {}, &batch).value().samples, patterns.size());
  for (size_t i = 0; i < patterns.size(); ++i) {
    if (batch.scales[i] == model::kBinaryScale) {
      EXPECT_EQ(std::bit_cast<uint64_t>(batch.values[i]), patterns[i]);
    } else {
      EXPECT_EQ(std::bit_cast<uint64_t>(model::FloatOf(batch.values[i], batch.scales[i])), patterns[i]);
      EXPECT_LT(std::abs(batch.values[i]), int64_t{1} << 53);
    }
  }
  EXPECT_EQ(batch.scales.back() == 0,
            std::bit_cast<double>(patterns.back()) == std::trunc(std::bit_cast<double>(patterns.back())) &&
                std::abs(std::bit_cast<double>(patterns.back())) < 9007199254740992.0);
  EXPECT_EQ(batch.scales[0], model::kBinaryScale);
  EXPECT_EQ(batch.scales[11], 0);
}

TEST(DecoderTest, BadSeriesAreNamedAndGoodOnesKept) {
  RequestBuilder request;
  request.Series({{"__name__", "good"}}, {{1, 1}});
  request.Series({{"job", "x"}}, {{1, 1}, {2, 2}});
  request.Series({{"__name__", "dup"}, {"a", "1"}, {"a", "2"}}, {{1, 1}});
  request.Series({{"__name__", "utf"}, {"a", "\xff"}}, {{1, 1}});
  request.Series({{"__name__", "noname"}, {"", "v"}}, {{1, 1}});
  request.Series({{"__name__", "\xc3("}}, {{1, 1}});
  request.Series({}, {{1, 1}});
  request.Series({{"__name__", "good"}, {"a", "1"}}, {{2, 2}});
  model::Batch batch;
  Decoder decoder;
  for (int round = 0; round < 2; ++round) {
    const DecodeReport report = decoder.DecodeMessage(request.message(), {}, &batch).value();
    EXPECT_EQ(batch.rows.size(), 2U);
    EXPECT_EQ(report.samples, 2U);
    EXPECT_EQ(report.samples_refused, 7U);
    EXPECT_EQ(report.errors_total, 6U);
    EXPECT_EQ(ErrorText(report),
              "series 2 ({job=\"x\"}): no metric name (label __name__)\n"
              "series 3 (dup{a=\"1\", a=\"2\"}): duplicate tag \"a\"\n"
              "series 4 (utf{a=\"?\"}): value of label \"a\" is not valid UTF-8\n"
              "series 5 (noname{=\"v\"}): malformed series key: a label without a name\n"
              "series 6 (?(): metric name is not valid UTF-8\n"
              "series 7 ({}): no metric name (label __name__)");
  }
}

TEST(DecoderTest, ReasonsAreAlwaysUtf8) {
  RequestBuilder request;
  request.Series({{"__name__", "m"}, {"\xff", "1"}, {"\xff", "2"}}, {{1, 1}});
  model::Batch batch;
  const DecodeReport report = Decoder().DecodeMessage(request.message(), {}, &batch).value();
  EXPECT_EQ(ErrorText(report), "series 1 (m{?=\"1\", ?=\"2\"}): duplicate tag \"?\"");
}

TEST(DecoderTest, ErrorsAreBoundedAndCounted) {
  RequestBuilder request;
  for (int i = 0; i < 10; ++i) request.Series({{"job", std::string(1'000, 'x')}}, {{1, 1}});
  model::Batch batch;
  const DecodeReport report =
      Decoder().DecodeMessage(request.message(), {.max_errors = 2, .max_error_text_bytes = 34}, &batch).value();
  EXPECT_EQ(report.errors_total, 10U);
  EXPECT_EQ(ErrorText(report),
            "series 1 ({job=\"xxxxxxxxxxxxxxxxxxxxxxxxxxxx...): no metric name (label __name__)\n"
            "series 2 ({job=\"xxxxxxxxxxxxxxxxxxxxxxxxxxxx...): no metric name (label __name__)\nand 8 more");
}

TEST(DecoderTest, LabelsInSeveralRunsAreOneKey) {
  std::string bytes;
  protozero::pbf_writer series(bytes);
  AddLabel(&series, "__name__", "up");
  AddSample(&series, {1, 1});
  AddLabel(&series, "job", "x");
  AddLabel(&series, "zone", "y");
  series.add_uint64(9, 77);  // a field that does not exist
  AddLabel(&series, "zz", "z");
  RequestBuilder request;
  request.RawSeries(bytes);
  request.Series({{"__name__", "up"}, {"job", "x"}, {"zone", "y"}, {"zz", "z"}}, {{2, 2}});
  model::Batch batch;
  Decoder decoder;
  ASSERT_FALSE(decoder.DecodeMessage(request.message(), {}, &batch).value().refused());
  ASSERT_EQ(batch.rows.size(), 2U);
  EXPECT_EQ(batch.rows[0].key.bytes, batch.rows[1].key.bytes);
  EXPECT_EQ(batch.rows[0].key.hash, batch.rows[1].key.hash);
}

TEST(DecoderTest, HistogramsAreRefusedAndFloatsOfTheSeriesKept) {
  std::string bytes;
  protozero::pbf_writer series(bytes);
  AddLabel(&series, "__name__", "latency");
  AddSample(&series, {1, 1});
  series.add_message(4, std::string("\x08\x01", 2));
  series.add_message(4, std::string("\x08\x02", 2));
  series.add_message(3, std::string());
  RequestBuilder request;
  request.RawSeries(bytes);
  model::Batch batch;
  Decoder decoder;
  const DecodeReport report = decoder.DecodeMessage(request.message(), {}, &batch).value();
  EXPECT_EQ(report.samples, 1U);
  EXPECT_EQ(report.histograms_refused, 2U);
  EXPECT_EQ(report.exemplars_ignored, 1U);
  EXPECT_EQ(ErrorText(report), "series 1 (latency): native histograms are not stored yet (2 dropped)");
}

TEST(DecoderTest, TimesThatCannotBeStoredAreRefused) {
  constexpr int64_t kFirst = -9'223'372'036'854;
  constexpr int64_t kLast = 9'223'372'036'854;
  RequestBuilder request;
  request.Series({{"__name__", "m"}}, {{1, kFirst - 1}, {2, kFirst}, {3, kLast}, {4, kLast + 1}});
  request.Series({{"__name__", "m"}}, {{5, std::numeric_limits<int64_t>::max()}});
  model::Batch batch;
  const DecodeReport report = Decoder().DecodeMessage(request.message(), {}, &batch).value();
  EXPECT_EQ(report.samples, 2U);
  EXPECT_EQ(report.samples_refused, 3U);
  EXPECT_EQ(report.errors[0].reason, "timestamp -9223372036855 ms is outside of -9223372036854 to 9223372036854");
  EXPECT_EQ(batch.rows[0].time.ns, kFirst * 1'000'000);
  EXPECT_EQ(batch.rows[1].time.ns, kLast * 1'000'000);
}

TEST(DecoderTest, MetadataIsHandedOn) {
  RequestBuilder request;
  request.Metadata(1, "http_requests_total", "Requests.", "");
  request.Metadata(77, "odd", "", "bytes");
  model::Batch batch;
  const DecodeReport report = Decoder().DecodeMessage(request.message(), {}, &batch).value();
  ASSERT_EQ(report.metadata.size(), 2U);
  EXPECT_EQ(report.metadata[0].family, "http_requests_total");
  EXPECT_EQ(report.metadata[0].type, "counter");
  EXPECT_EQ(report.metadata[0].help, "Requests.");
  EXPECT_EQ(report.metadata[1].type, "unknown");
  EXPECT_EQ(report.metadata[1].unit, "bytes");
  EXPECT_TRUE(batch.rows.empty());
}

TEST(DecoderTest, BombsAndDamageAreRefusedWhole) {
  model::Batch batch;
  Decoder decoder;
  RequestBuilder request;
  request.Series({{"__name__", "m"}}, {{1, 1}, {2, 2}});
  request.Series({{"__name__", "n"}}, {{1, 1}});

  // 10 bytes that declare 4 GiB - 1.
  const auto bomb = decoder.Decode(std::string("\xff\xff\xff\xff\x0f\x00\x00\x00\x00\x00", 10), {}, &batch);
  ASSERT_FALSE(bomb.ok());
  EXPECT_EQ(bomb.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(bomb.error().message,
            "the body declares 4294967295 bytes after decompression, more than the limit of 67108864");

  EXPECT_EQ(decoder.Decode("", {}, &batch).error().message, "the body is not a snappy block");
  std::string damaged = request.body();
  damaged.resize(damaged.size() - 3);
  EXPECT_EQ(decoder.Decode(damaged, {}, &batch).error().message, "the body is a damaged snappy block");

  const std::string& message = request.message();
  const auto cut = decoder.DecodeMessage(std::string_view(message).substr(0, message.size() - 1), {}, &batch);
  ASSERT_FALSE(cut.ok());
  EXPECT_EQ(cut.error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(batch.rows.empty()) << "a refused request leaves nothing behind";

  const auto many = decoder.DecodeMessage(message, {.max_samples = 2}, &batch);
  ASSERT_FALSE(many.ok());
  EXPECT_EQ(many.error().message, "more than 2 samples in a request");
  EXPECT_TRUE(batch.rows.empty());
  EXPECT_TRUE(decoder.DecodeMessage(message, {.max_samples = 3}, &batch).ok());

  const auto long_key = decoder.DecodeMessage(message, {.max_key_bytes = 5}, &batch).value();
  EXPECT_EQ(long_key.errors[0].reason, "15 bytes of labels, more than the limit of 5");
}

// Cutting and flipping bytes anywhere gives an answer, and never rows that do not hold together.
TEST(DecoderTest, HostileBytes) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  RequestBuilder request;
  for (int i = 0; i < 5; ++i) {
    request.Series({{"__name__", "metric_" + std::to_string(i)}, {"job", "j"}, {"x", "é"}}, {{i / 2.0, i}, {1e9, -i}});
  }
  request.Metadata(2, "metric_1", "help", "s");
  Decoder decoder;
  model::Batch batch;
  for (int i = 0; i < 20'000; ++i) {
    std::string bad = request.message();
    for (uint64_t flips = random() % 3; flips > 0; --flips) bad[random() % bad.size()] = static_cast<char>(random());
    bad.resize(random() % 4 == 0 ? random() % bad.size() : bad.size());
    const auto decoded = decoder.DecodeMessage(bad, {}, &batch);
    if (decoded.ok()) {
      ASSERT_EQ(batch.rows.size(), decoded->samples);
      Print(batch);
    } else {
      ASSERT_TRUE(batch.rows.empty());
    }
  }
}

TEST(DecoderTest, AWarmDecoderSaysTheSame) {
  Decoder warm;
  model::Batch first;
  model::Batch second;
  RequestBuilder request;
  for (int i = 0; i < 5'000; ++i) {
    request.Series({{"__name__", "m" + std::to_string(i % 300)}, {"host", std::to_string(i)}}, {{1.0 * i, i}});
  }
  ASSERT_TRUE(warm.DecodeMessage(request.message(), {}, &first).ok());
  ASSERT_TRUE(warm.DecodeMessage(request.message(), {}, &second).ok());
  EXPECT_EQ(Print(first), Print(second));
  EXPECT_EQ(first.shapes.size(), 300U);
}

TEST(CheckHeadersTest, OneIsTakenTwoIsNot) {
  EXPECT_TRUE(CheckHeaders("", "").ok());
  EXPECT_TRUE(CheckHeaders("application/x-protobuf", "snappy").ok());
  EXPECT_TRUE(CheckHeaders("Application/X-Protobuf; proto=prometheus.WriteRequest", "Snappy").ok());
  const auto two = CheckHeaders("application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy");
  ASSERT_FALSE(two.ok());
  EXPECT_EQ(two.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(two.error().message,
            "protobuf message io.prometheus.write.v2.Request is not accepted; send prometheus.WriteRequest (remote "
            "write 1.0)");
  EXPECT_EQ(CheckHeaders("text/plain", "snappy").error().message,
            "content type text/plain is not accepted; send application/x-protobuf");
  EXPECT_EQ(CheckHeaders("application/x-protobuf", "zstd").error().message,
            "content encoding zstd is not accepted; send snappy");
}

}  // namespace
}  // namespace tidemark::remotewrite
