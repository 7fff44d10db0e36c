// Messages of Prometheus' remote read: what is asked, and how series are put into an answer.
// Source: prometheus/prompb remote.proto and types.proto, storage/remote/{codec,chunked}.go.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/labels.h"
#include "storage/model/matcher.h"

namespace tidemark::query::api {

// Series that satisfy all matchers, with their samples in [start_ms, end_ms].
struct ReadQuery {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  std::vector<model::Matcher> matchers;
};

struct ReadRequest {
  std::vector<ReadQuery> queries;
  bool chunks = false;  // STREAMED_XOR_CHUNKS; else SAMPLES
};

// `body` as it came: one snappy block. Errors: kInvalidArgument; kUnsupported when every response type that the client
// accepts is unknown.
Result<ReadRequest> ParseReadRequest(std::string_view body);

// One series of an answer. Samples ascend.
struct ReadSeries {
  model::LabelViews labels;
  std::vector<int64_t> times_ms;
  std::vector<double> values;
};

// Appends the series to the QueryResult that `result` is.
void AppendTimeSeries(std::string* result, const ReadSeries& series);
// The answer of type SAMPLES: one QueryResult for each query, in their order, as one snappy block.
std::string EncodeReadResponse(const std::vector<std::string>& results);

// Appends the series as frames of the stream: varint length, CRC-32C (big-endian), ChunkedReadResponse; each of about
// a MiB at most.
void AppendChunkedFrames(std::string* out, uint64_t query, const ReadSeries& series);

}  // namespace tidemark::query::api
