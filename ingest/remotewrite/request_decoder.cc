#include "ingest/remotewrite/request_decoder.h"

#include <fmt/core.h>
#include <snappy.h>

#include <algorithm>
#include <string>
#include <utility>

#include "ingest/remotewrite/decoder.h"

namespace tidemark::remotewrite {
namespace {

class RequestDecoder final : public ingest::Decoder {
 public:
  // Times are milliseconds and always there: the options say nothing to this protocol.
  Result<ingest::Decoded> Decode(std::string_view body, const ingest::DecodeOptions& /*options*/,
                                 model::Batch* batch) override {
    TM_TRY_ASSIGN(report_, decoder_.Decode(body, {}, batch));
    ingest::Decoded out;
    out.rows_refused = report_.samples_refused;
    out.faults_total = report_.errors_total;
    out.faults.reserve(report_.errors.size());
    for (const SeriesError& error : report_.errors) {
      out.faults.push_back(
          {error.position, 0, error.reason, error.series, fmt::format("{}: {}", error.series, error.reason)});
    }
    out.metadata.reserve(report_.metadata.size());
    for (Metadata& entry : report_.metadata) {
      out.metadata.push_back(
          {std::move(entry.family), std::move(entry.type), std::move(entry.help), std::move(entry.unit)});
    }
    report_.metadata.clear();
    return out;
  }

  [[nodiscard]] size_t UnpackedBytes(std::string_view body) const override {
    size_t bytes = 0;
    if (!snappy::GetUncompressedLength(body.data(), body.size(), &bytes)) return body.size();
    return std::min(bytes, Limits().max_decoded_bytes);
  }

  [[nodiscard]] std::string Describe(const model::WriteReport& report) const override {
    std::string text = report_.refused() ? ErrorText(report_) : std::string();
    if (report.rows_rejected > 0) {
      if (!text.empty()) text += '\n';
      text += fmt::format("{} samples refused: {}", report.rows_rejected, ingest::Reasons(report.rejections));
    }
    return text;
  }

 private:
  remotewrite::Decoder decoder_;
  DecodeReport report_;  // of the last input
};

}  // namespace

std::unique_ptr<ingest::Decoder> MakeDecoder() { return std::make_unique<RequestDecoder>(); }

}  // namespace tidemark::remotewrite
