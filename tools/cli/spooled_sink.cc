#include "tools/cli/spooled_sink.h"

#include <filesystem>

#include "tools/cli/line_protocol_text.h"

namespace tidemark::cli {
namespace {

constexpr int kMaxFolders = 16;
constexpr std::chrono::seconds kPersistWait{10};

ErrorCode CodeOf(client::ErrorCode code) {
  switch (code) {
    case client::ErrorCode::kInvalidArgument: return ErrorCode::kInvalidArgument;
    case client::ErrorCode::kQueueFull: return ErrorCode::kResourceExhausted;
    case client::ErrorCode::kTimeout: return ErrorCode::kTimeout;
    case client::ErrorCode::kClosed:
    case client::ErrorCode::kUnavailable: return ErrorCode::kUnavailable;
    case client::ErrorCode::kCorruption: return ErrorCode::kCorruption;
    case client::ErrorCode::kIo: break;
  }
  return ErrorCode::kIo;
}

Error FromClient(const client::Error& error) { return MakeError(CodeOf(error.code), error.message); }

}  // namespace

Result<std::unique_ptr<SpooledSink>> SpooledSink::Open(const std::string& server, const std::string& spool_root) {
  client::WriterOptions options;
  options.url = server;
  options.request_timeout = std::chrono::seconds(10);
  for (int i = 0;; ++i) {
    options.spool_directory = (std::filesystem::path(spool_root) / std::to_string(i)).string();
    auto writer = client::Writer::Open(options);
    if (writer.ok()) return std::unique_ptr<SpooledSink>(new SpooledSink(std::move(*writer)));
    if (writer.error().code != client::ErrorCode::kUnavailable || i + 1 == kMaxFolders)
      return FromClient(writer.error());
  }
}

Result<model::WriteReport> SpooledSink::Write(std::string_view database, const model::Batch& batch) {
  std::string lines;
  TM_RETURN_IF_ERROR(AppendLineProtocol(batch, &lines));
  model::WriteReport report;
  if (lines.empty()) return report;
  if (const client::Status taken = writer_->WriteLines(lines, batch.rows.size(), database); !taken.ok()) {
    return FromClient(taken.error());
  }
  if (const client::Status kept = writer_->Persist(kPersistWait); !kept.ok()) return FromClient(kept.error());
  report.rows_written = batch.rows.size();
  report.points_written = batch.points();
  return report;
}

}  // namespace tidemark::cli
