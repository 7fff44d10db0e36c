#include <snappy.h>

#include <array>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <utility>

#include "query/api/remote_read.h"
#include "query/api/xor_chunk.h"

namespace tidemark::query::api {
namespace {

// Of a request after decompression: more matchers than this is no question.
constexpr size_t kRequestBytesMax = size_t{4} << 20;
constexpr size_t kQueriesMax = 100;
constexpr size_t kFrameBytesMax = size_t{1} << 20;

// Fields are told by number and wire type: one of another type than the schema's is unknown, and skipped, as protobuf's
// own parsers do. protozero aborts when it is asked for a value of another type.
using protozero::tag_and_type;
constexpr auto kVarint = protozero::pbf_wire_type::varint;
constexpr auto kBytes = protozero::pbf_wire_type::length_delimited;

enum ResponseType : int32_t { kSamples = 0, kStreamedXorChunks = 1 };
constexpr int32_t kXorEncoding = 1;

// The CRC-32 of Castagnoli, reflected, byte by byte: frames are made much slower than it is computed.
constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1U ^ ((value & 1U) != 0 ? 0x82F63B78U : 0U);
    table[i] = value;
  }
  return table;
}();

uint32_t Crc32c(std::string_view bytes) {
  uint32_t crc = ~0U;
  for (const char c : bytes) crc = crc >> 8U ^ kCrcTable[(crc ^ static_cast<unsigned char>(c)) & 0xFFU];
  return ~crc;
}

Result<model::Matcher> ParseMatcher(protozero::pbf_reader message) {
  model::Matcher matcher;
  int32_t type = 0;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case tag_and_type(1, kVarint): type = message.get_enum(); break;
      case tag_and_type(2, kBytes): matcher.name = message.get_string(); break;
      case tag_and_type(3, kBytes): matcher.value = message.get_string(); break;
      default: message.skip();
    }
  }
  switch (type) {
    case 0: matcher.op = model::MatchOp::kEqual; break;
    case 1: matcher.op = model::MatchOp::kNotEqual; break;
    case 2: matcher.op = model::MatchOp::kRegex; break;
    case 3: matcher.op = model::MatchOp::kNotRegex; break;
    default: return InvalidArgument("invalid matcher type");
  }
  return matcher;
}

Result<ReadQuery> ParseQuery(protozero::pbf_reader message) {
  ReadQuery query;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case tag_and_type(1, kVarint): query.start_ms = message.get_int64(); break;
      case tag_and_type(2, kVarint): query.end_ms = message.get_int64(); break;
      case tag_and_type(3, kBytes): {
        TM_TRY_ASSIGN(model::Matcher matcher, ParseMatcher(message.get_message()));
        query.matchers.push_back(std::move(matcher));
        break;
      }
      default: message.skip();  // hints: what the client will do with it
    }
  }
  return query;
}

Result<ReadRequest> ParseMessage(std::string_view bytes) {
  ReadRequest request;
  bool any_type = false;
  bool chosen = false;
  const auto consider = [&](int32_t type) {
    any_type = true;
    if (chosen || (type != kSamples && type != kStreamedXorChunks)) return;
    chosen = true;
    request.chunks = type == kStreamedXorChunks;
  };
  protozero::pbf_reader message(bytes.data(), bytes.size());
  while (message.next()) {
    switch (message.tag_and_type()) {
      case tag_and_type(1, kBytes): {
        TM_TRY_ASSIGN(ReadQuery query, ParseQuery(message.get_message()));
        if (request.queries.size() == kQueriesMax) return InvalidArgument("more than 100 queries in one request");
        request.queries.push_back(std::move(query));
        break;
      }
      case tag_and_type(2, kBytes):
        for (const int32_t type : message.get_packed_enum()) consider(type);
        break;
      case tag_and_type(2, kVarint): consider(message.get_enum()); break;
      default: message.skip();
    }
  }
  if (any_type && !chosen) {
    return MakeError(ErrorCode::kUnsupported,
                     "server does not support any of the requested response types; supported: SAMPLES, "
                     "STREAMED_XOR_CHUNKS");
  }
  return request;
}

void AddLabels(protozero::pbf_writer* message, const model::LabelViews& labels) {
  for (const model::LabelView& label : labels) {
    protozero::pbf_writer pair(*message, 1);
    pair.add_string(1, label.name.data(), label.name.size());
    pair.add_string(2, label.value.data(), label.value.size());
  }
}

void AppendFrame(std::string* out, std::string_view message) {
  uint64_t length = message.size();
  for (; length >= 0x80; length >>= 7U) out->push_back(static_cast<char>((length & 0x7FU) | 0x80U));
  out->push_back(static_cast<char>(length));
  const uint32_t crc = Crc32c(message);
  for (const int shift : {24, 16, 8, 0}) out->push_back(static_cast<char>(crc >> shift & 0xFFU));
  out->append(message);
}

}  // namespace

Result<ReadRequest> ParseReadRequest(std::string_view body) {
  size_t length = 0;
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &length)) {
    return InvalidArgument("snappy: corrupt input");
  }
  if (length > kRequestBytesMax) return InvalidArgument("the request is larger than 4 MiB");
  std::string bytes;
  if (!snappy::Uncompress(body.data(), body.size(), &bytes)) return InvalidArgument("snappy: corrupt input");
  try {
    return ParseMessage(bytes);
  } catch (const protozero::exception& error) {
    return InvalidArgument(std::string("proto: ") + error.what());
  }
}

void AppendTimeSeries(std::string* result, const ReadSeries& series) {
  protozero::pbf_writer message(*result);
  protozero::pbf_writer time_series(message, 1);
  AddLabels(&time_series, series.labels);
  for (size_t i = 0; i < series.values.size(); ++i) {
    protozero::pbf_writer sample(time_series, 2);
    sample.add_double(1, series.values[i]);
    sample.add_int64(2, series.times_ms[i]);
  }
}

std::string EncodeReadResponse(const std::vector<std::string>& results) {
  std::string bytes;
  {
    protozero::pbf_writer message(bytes);
    for (const std::string& result : results) message.add_message(1, result);
  }
  std::string out;
  snappy::Compress(bytes.data(), bytes.size(), &out);
  return out;
}

void AppendChunkedFrames(std::string* out, uint64_t query, const ReadSeries& series) {
  size_t at = 0;
  while (at < series.values.size()) {
    std::string frame;
    {
      protozero::pbf_writer message(frame);
      {
        protozero::pbf_writer chunked(message, 1);
        AddLabels(&chunked, series.labels);
        size_t bytes = 0;
        while (at < series.values.size() && bytes < kFrameBytesMax) {
          XorChunk chunk;
          for (; at < series.values.size() && chunk.size() < kXorChunkSamples; ++at) {
            chunk.Add(series.times_ms[at], series.values[at]);
          }
          const int64_t first_ms = chunk.first_ms();
          const int64_t last_ms = chunk.last_ms();
          const std::string data = chunk.Finish();
          protozero::pbf_writer part(chunked, 2);
          part.add_int64(1, first_ms);
          part.add_int64(2, last_ms);
          part.add_enum(3, kXorEncoding);
          part.add_bytes(4, data);
          bytes += data.size();
        }
      }
      message.add_int64(2, static_cast<int64_t>(query));
    }
    AppendFrame(out, frame);
  }
}

}  // namespace tidemark::query::api
