// POST /api/v1/read: requests and answers taken apart by protozero.
#include "query/api/remote_read.h"

#include <snappy.h>

#include <map>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "tests/unit/query/api/api_fixture.h"

namespace tidemark::query::api {
namespace {

struct Asked {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  std::vector<std::tuple<int, std::string, std::string>> matchers;
};

std::string Pack(const std::vector<Asked>& queries, const std::vector<int32_t>& types) {
  std::string bytes;
  protozero::pbf_writer request(bytes);
  for (const Asked& asked : queries) {
    protozero::pbf_writer query(request, 1);
    query.add_int64(1, asked.start_ms);
    query.add_int64(2, asked.end_ms);
    for (const auto& [type, name, value] : asked.matchers) {
      protozero::pbf_writer matcher(query, 3);
      matcher.add_enum(1, type);
      matcher.add_string(2, name);
      matcher.add_string(3, value);
    }
    protozero::pbf_writer hints(query, 4);
    hints.add_int64(1, 15'000);
  }
  if (!types.empty()) request.add_packed_enum(2, types.begin(), types.end());
  std::string out;
  snappy::Compress(bytes.data(), bytes.size(), &out);
  return out;
}

using Samples = std::vector<std::pair<int64_t, double>>;
using Answer = std::vector<std::pair<std::string, Samples>>;  // labels as a="b",..., in the order that they came

std::string LabelText(protozero::pbf_reader label) {
  std::string text;
  while (label.next()) text += label.tag() == 1 ? label.get_string() + "=" : label.get_string() + ",";
  return text;
}

std::vector<Answer> UnpackSamples(const std::string& body) {
  std::string bytes;
  EXPECT_TRUE(snappy::Uncompress(body.data(), body.size(), &bytes));
  std::vector<Answer> answers;
  protozero::pbf_reader response(bytes);
  while (response.next(1)) {
    Answer& answer = answers.emplace_back();
    protozero::pbf_reader result = response.get_message();
    while (result.next(1)) {
      auto& [labels, samples] = answer.emplace_back();
      protozero::pbf_reader series = result.get_message();
      while (series.next()) {
        if (series.tag() == 1) {
          labels += LabelText(series.get_message());
          continue;
        }
        auto& [time, value] = samples.emplace_back();
        protozero::pbf_reader sample = series.get_message();
        while (sample.next()) {
          if (sample.tag() == 1) value = sample.get_double();
          if (sample.tag() == 2) time = sample.get_int64();
        }
      }
    }
  }
  return answers;
}

// Bit by bit, unlike what it checks.
uint32_t Crc32c(const std::string& bytes) {
  uint32_t crc = ~0U;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1U ^ 0x82F63B78U : crc >> 1U;
  }
  return ~crc;
}

struct Frame {
  int64_t query = 0;
  std::string labels;
  size_t chunks = 0;
  size_t samples = 0;  // by the counts in front of the chunks
  int64_t first_ms = 0;
  int64_t last_ms = 0;
};

std::vector<Frame> UnpackFrames(const std::string& body) {
  std::vector<Frame> frames;
  for (size_t at = 0; at < body.size();) {
    uint64_t length = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(body.at(at++));
      length |= uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) break;
    }
    uint32_t crc = 0;
    for (int i = 0; i < 4; ++i) crc = crc << 8U | static_cast<unsigned char>(body.at(at++));
    const std::string message = body.substr(at, length);
    EXPECT_EQ(message.size(), length);
    EXPECT_EQ(Crc32c(message), crc);
    at += length;
    Frame& frame = frames.emplace_back();
    protozero::pbf_reader reader(message);
    while (reader.next()) {
      if (reader.tag() == 2) {
        frame.query = reader.get_int64();
        continue;
      }
      protozero::pbf_reader series = reader.get_message();
      while (series.next()) {
        if (series.tag() == 1) {
          frame.labels += LabelText(series.get_message());
          continue;
        }
        protozero::pbf_reader chunk = series.get_message();
        while (chunk.next()) {
          switch (chunk.tag()) {
            case 1: {
              const int64_t first = chunk.get_int64();
              if (frame.chunks++ == 0) frame.first_ms = first;
              break;
            }
            case 2: frame.last_ms = chunk.get_int64(); break;
            case 3: EXPECT_EQ(chunk.get_enum(), 1); break;
            default: {
              const std::string data = chunk.get_bytes();
              frame.samples +=
                  static_cast<size_t>(static_cast<unsigned char>(data[0])) << 8U | static_cast<unsigned char>(data[1]);
            }
          }
        }
      }
    }
  }
  return frames;
}

class RemoteReadTest : public ApiTest {
 protected:
  Reply Read(const std::string& body, const QueryApi& api, std::stop_token stop = {}) {
    const text::Params none;
    return api.RemoteRead(
        {.params = none, .database = {}, .filter = storage::SeriesFilter::Everything(), .stop = std::move(stop)}, body);
  }
  Reply Read(const std::string& body) { return Read(body, api_); }
  static std::string All(const Reply& reply) {
    std::string body = reply.body;
    if (reply.rest) {
      reply.rest([&body](std::string piece) {
        body += piece;
        return true;
      });
    }
    return body;
  }
};

constexpr int64_t kNowMs = kNow * 1000;

TEST_F(RemoteReadTest, SamplesOfEachQueryInTheOrderOfLabels) {
  const Reply reply = Read(Pack({{kNowMs - 10'000, kNowMs, {{0, "__name__", "cpu_user"}}},
                                 {0, 1, {{0, "__name__", "cpu_user"}}},
                                 {kNowMs - 9'999, kNowMs, {{2, "__name__", "cpu_.*|up"}, {3, "host", "b"}}}},
                                {}));
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.content_type, "application/x-protobuf");
  EXPECT_EQ(reply.headers, (std::vector<std::pair<std::string, std::string>>{{"Content-Encoding", "snappy"}}));
  const std::vector<Answer> answers = UnpackSamples(reply.body);
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[0], (Answer{{"__name__=cpu_user,host=a,", {{kNowMs - 10'000, 5.5}, {kNowMs, 6.5}}},
                                {"__name__=cpu_user,host=b,", {{kNowMs - 10'000, 10}, {kNowMs, 10}}}}));
  EXPECT_TRUE(answers[1].empty());
  EXPECT_EQ(answers[2], (Answer{{"__name__=cpu_cores,host=a,", {{kNowMs, 4}}},
                                {"__name__=cpu_user,host=a,", {{kNowMs, 6.5}}},
                                {"__name__=up,job=\"x\",", {{kNowMs, 1}}}}));
}

TEST_F(RemoteReadTest, TheFirstTypeThatIsKnownIsGiven) {
  const std::vector<Asked> asked = {{0, kNowMs, {{0, "__name__", "up"}}}};
  EXPECT_EQ(Read(Pack(asked, {1, 0})).content_type,
            "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse");
  EXPECT_EQ(Read(Pack(asked, {7, 0, 1})).content_type, "application/x-protobuf");
  EXPECT_EQ(Read(Pack(asked, {7})).status, 400);
}

TEST_F(RemoteReadTest, ChunksOfEachSeries) {
  model::BatchBuilder rows;
  for (int64_t i = 0; i < 250; ++i) {
    rows.Row("many", {{"host", "a"}}, {(kNow + i) * 1'000'000'000}).Field("value", 0.1 * static_cast<double>(i));
  }
  ASSERT_TRUE(store_.Write("default", rows.batch()).ok());
  const Reply reply = Read(
      Pack({{0, kNowMs, {{0, "__name__", "cpu_user"}}}, {kNowMs, kNowMs + 1'000'000, {{0, "__name__", "many"}}}}, {1}));
  EXPECT_EQ(reply.status, 200);
  EXPECT_FALSE(reply.rest);
  const std::vector<Frame> frames = UnpackFrames(reply.body);
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[0].labels, "__name__=cpu_user,host=a,");
  EXPECT_EQ(frames[1].labels, "__name__=cpu_user,host=b,");
  EXPECT_EQ(frames[1].query, 0);
  EXPECT_EQ(frames[0].samples, 6U);
  EXPECT_EQ(frames[2].query, 1);
  EXPECT_EQ(frames[2].chunks, 3U);
  EXPECT_EQ(frames[2].samples, 250U);
  EXPECT_EQ(frames[2].first_ms, kNowMs);
  EXPECT_EQ(frames[2].last_ms, kNowMs + 249'000);
}

TEST_F(RemoteReadTest, ManySeriesAreStreamedAndStopWhenNobodyWantsMore) {
  model::BatchBuilder rows;
  constexpr int kSeries = 6000;
  for (int i = 0; i < kSeries; ++i) {
    rows.Row("many", {{"host", std::to_string(100'000 + i)}}, {kNow * 1'000'000'000}).Field("value", 1.0 + i);
  }
  ASSERT_TRUE(store_.Write("default", rows.batch()).ok());
  const std::string body = Pack({{0, kNowMs, {{0, "__name__", "many"}}}}, {1});
  const Reply reply = Read(body);
  ASSERT_TRUE(reply.rest);
  EXPECT_LT(reply.body.size(), size_t{300} << 10U);
  const std::vector<Frame> frames = UnpackFrames(All(reply));
  ASSERT_EQ(frames.size(), static_cast<size_t>(kSeries));
  for (int i = 0; i < kSeries; ++i) {
    ASSERT_EQ(frames[static_cast<size_t>(i)].labels, "__name__=many,host=" + std::to_string(100'000 + i) + ",");
  }
  const Reply left = Read(body);
  int pieces = 0;
  left.rest([&pieces](std::string) { return ++pieces < 2; });
  EXPECT_EQ(pieces, 2);
  // A client that goes away before the reply, and one in the middle of it, whose stream then breaks.
  std::stop_source gone;
  const Reply cut = Read(body, api_, gone.get_token());
  gone.request_stop();
  EXPECT_TRUE(All(cut).ends_with("the client went away\n"));
  EXPECT_EQ(Read(body, api_, gone.get_token()).status, 499);
}

TEST_F(RemoteReadTest, MemoryIsGivenBack) {
  const std::string body = Pack({{0, kNowMs, {{2, "__name__", ".+"}}}}, {1});
  All(Read(body));
  EXPECT_EQ(api_.query_memory_bytes(), 0U);
}

TEST_F(RemoteReadTest, BudgetsHold) {
  const std::string body = Pack({{0, kNowMs, {{2, "__name__", ".+"}}}}, {});
  ApiOptions few_series;
  few_series.budget.max_series = 2;
  ApiOptions few_samples;
  few_samples.budget.max_samples = 10;
  ApiOptions few_bytes;
  few_bytes.budget.max_bytes = 500;
  for (const ApiOptions& options : {few_series, few_samples, few_bytes}) {
    const QueryApi api = With(options);
    const Reply reply = Read(body, api);
    EXPECT_EQ(reply.status, 400) << reply.body;
    EXPECT_EQ(reply.content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(api.query_memory_bytes(), 0U);
  }
}

TEST_F(RemoteReadTest, RefusesWhatIsNoRequest) {
  std::string huge;
  const std::string zeros(2 << 20, '\0');
  snappy::Compress(zeros.data(), zeros.size(), &huge);
  std::string cut;
  snappy::Compress("\x0a\x7f\x08", 3, &cut);
  for (const std::string& body :
       {std::string(), std::string("not snappy"), huge, cut, Pack({{0, 1, {{0, "a", "b"}}}}, {}).substr(0, 9),
        Pack({{0, kNowMs, {{2, "__name__", "("}}}}, {}), Pack({{0, kNowMs, {{9, "a", "b"}}}}, {}),
        Pack(std::vector<Asked>(101), {})}) {
    if (body.empty()) continue;
    EXPECT_EQ(Read(body).status, 400) << body.size();
  }
}

TEST_F(RemoteReadTest, FieldsOfOtherWireTypesAreSkipped) {
  using namespace std::string_literals;
  // Every field of every message with every wire type that has a value.
  for (const int depth : {0, 1, 2}) {
    for (char field = 1; field <= 4; ++field) {
      for (const auto& [type, value] : {std::pair(0, "\x01"s), {1, "12345678"s}, {2, "\x01z"s}, {5, "1234"s}}) {
        std::string message = static_cast<char>(field << 3 | type) + value;
        if (depth >= 2) message = "\x1a"s + static_cast<char>(message.size()) + message;
        if (depth >= 1) message = "\x0a"s + static_cast<char>(message.size()) + message;
        std::string body;
        snappy::Compress(message.data(), message.size(), &body);
        const int status = Read(body).status;
        EXPECT_TRUE(status == 200 || status == 400 || status == 415) << depth << ' ' << int{field} << ' ' << type;
      }
    }
  }
}

TEST_F(RemoteReadTest, DamagedRequestsGetAnAnswer) {
  const std::string good =
      Pack({{0, kNowMs, {{0, "__name__", "s"}, {2, "a", "b.*"}}}, {5, 6, {{1, "c", "d"}}}}, {1, 0});
  std::string plain;
  ASSERT_TRUE(snappy::Uncompress(good.data(), good.size(), &plain));
  for (size_t at = 0; at < plain.size(); ++at) {
    for (int value = 0; value < 256; value += 3) {
      std::string message = plain;
      message[at] = static_cast<char>(value);
      std::string body;
      snappy::Compress(message.data(), message.size(), &body);
      EXPECT_GE(Read(body).status, 200);
    }
  }
}

TEST_F(RemoteReadTest, StaleMarkersAndSubMillisecondRows) {
  model::BatchBuilder rows;
  rows.Row("s", {}, {kNow * 1'000'000'000 + 100}).Field("value", 1.0);
  rows.Row("s", {}, {kNow * 1'000'000'000 + 200}).Field("value", 2.0);
  rows.Row("s", {}, {(kNow + 1) * 1'000'000'000}).Field("value", std::bit_cast<double>(uint64_t{0x7ff0000000000002}));
  ASSERT_TRUE(store_.Write("default", rows.batch()).ok());
  const std::vector<Answer> answers = UnpackSamples(Read(Pack({{0, kNowMs + 1000, {{0, "__name__", "s"}}}}, {0})).body);
  ASSERT_EQ(answers[0].size(), 1U);
  const Samples& samples = answers[0][0].second;
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_EQ(samples[0], (std::pair<int64_t, double>{kNowMs, 2.0}));
  EXPECT_EQ(std::bit_cast<uint64_t>(samples[1].second), 0x7ff0000000000002U);
}

}  // namespace
}  // namespace tidemark::query::api
