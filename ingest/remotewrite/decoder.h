// Prometheus remote write 1.0: bytes -> Batch. Specification, limits and answers: README.md beside this file.
//
//   Decoder decoder;
//   model::Batch batch;
//   TM_TRY_ASSIGN(DecodeReport report, decoder.Decode(body, {}, &batch));  // an Error refuses the whole request
//   ... write the batch ...
//   if (report.refused()) answer(400, ErrorText(report)); else answer(204);
//
// Good series become rows, one for each sample; bad ones are named in the report and leave nothing behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/batch.h"
#include "storage/model/limits.h"

namespace tidemark::remotewrite {

struct Limits {
  // Bytes of the request after decompression. The length that a snappy block declares is checked first.
  size_t max_decoded_bytes = size_t{64} << 20;
  // Bytes of a series' labels as encoded. The limit that InfluxDB sets to a series key.
  size_t max_key_bytes = model::kSeriesKeyBytesMax;
  // Samples and metadata entries of a request. Both are much larger in memory than as bytes, so that the limit on bytes
  // alone would not bound it; senders put at most some ten thousand into one request.
  size_t max_samples = 1'000'000;
  size_t max_metadata = 100'000;
  // How many refusals are described in the report; all are counted.
  size_t max_errors = 100;
  // Bytes that each text of a SeriesError keeps.
  size_t max_error_text_bytes = 512;
};

// A series of which something was not taken.
struct SeriesError {
  uint32_t position = 0;  // 1-based, in the request
  std::string reason;
  std::string series;  // its labels, as Prometheus prints them; cut when long, always UTF-8
};

// HELP, TYPE and UNIT of a metric family, for /api/v1/metadata.
struct Metadata {
  std::string family;
  std::string type;  // "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset", "unknown"
  std::string help;
  std::string unit;
};

struct DecodeReport {
  uint64_t series = 0;              // in the request
  uint64_t samples = 0;             // that became rows
  uint64_t samples_refused = 0;     // bad labels, or a time that cannot be stored
  uint64_t histograms_refused = 0;  // native histograms, which are not stored yet
  uint64_t exemplars_ignored = 0;   // exemplars, which are not stored; no error, as Prometheus drops them silently too
  std::vector<SeriesError> errors;  // the first max_errors
  uint64_t errors_total = 0;
  std::vector<Metadata> metadata;

  [[nodiscard]] bool refused() const { return errors_total > 0; }
};

// One line for each error, `series 3 (up{job="a"}): <reason>`, and a last one that says how many more there were.
std::string ErrorText(const DecodeReport& report);

// What a request's Content-Type and Content-Encoding must be. "" passes for both, as with Prometheus. Errors, all
// kUnsupported, to be answered with 415: remote write 2.0, other media types, other encodings.
Result<void> CheckHeaders(std::string_view content_type, std::string_view content_encoding);

// A decoder that remembers, from request to request, which labels it has found valid (by 128-bit hash), so that a
// series seen before costs little more than hashing it. Bounded: 6 MiB of hashes and, between requests, 8 MiB of
// buffer. Not thread-safe: one per connection or worker.
class Decoder {
 public:
  Decoder();
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  // Clears `batch` and fills it from a snappy block. The batch's views point into the decoder, until the next call, or
  // into the batch's arena. Row::line is the position of the series. Errors (the batch is empty then): kLimitExceeded
  // for a body with too many bytes, samples or metadata, kInvalidArgument for what is not snappy or not the protobuf
  // message.
  Result<DecodeReport> Decode(std::string_view body, const Limits& limits, model::Batch* batch);

  // The same for a message that is not compressed, whose bytes must live as long as the batch is used.
  Result<DecodeReport> DecodeMessage(std::string_view message, const Limits& limits, model::Batch* batch);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace tidemark::remotewrite
