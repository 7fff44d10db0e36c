#include "clients/sink/spooled_sink.h"

#include <algorithm>
#include <filesystem>

#include "clients/sink/line_protocol_text.h"

namespace tidemark::sink {
namespace {

constexpr int kMaxFolders = 16;
constexpr std::chrono::seconds kPersistWait{10};
constexpr std::chrono::seconds kCloseWait{2};

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

// Whether a program that has ended may have left rows there.
bool HasSegments(const std::filesystem::path& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".spool") return true;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<SpooledSink>> SpooledSink::Open(const SpooledSinkOptions& options) {
  std::unique_ptr<SpooledSink> sink(new SpooledSink());
  TM_RETURN_IF_ERROR(sink->OpenFolders(options));
  return sink;
}

Result<void> SpooledSink::OpenFolders(const SpooledSinkOptions& options) {
  client::WriterOptions writer_options;
  writer_options.url = options.server;
  writer_options.encoding = client::Encoding::kNative;
  writer_options.request_timeout = std::chrono::seconds(10);
  writer_options.close_wait = kCloseWait;
  writer_options.spool_bytes = options.spool_bytes;
  writer_options.on_rejected = [refusals = refusals_](const client::Rejection& rejection) {
    const MutexLock lock(refusals->mutex);
    if (refusals->first.empty()) refusals->first = rejection.refusal.text;
  };
  if (options.spool_root.empty()) {
    auto writer = client::Writer::Open(writer_options);
    if (!writer.ok()) return FromClient(writer.error());
    own_ = std::move(*writer);
    return {};
  }
  for (int i = 0; i < kMaxFolders; ++i) {
    const std::filesystem::path folder = std::filesystem::path(options.spool_root) / std::to_string(i);
    if (own_ && !HasSegments(folder)) continue;
    writer_options.spool_directory = folder.string();
    auto writer = client::Writer::Open(writer_options);
    if (writer.ok()) {
      if (own_) {
        others_.push_back(std::move(*writer));
      } else {
        own_ = std::move(*writer);
      }
    } else if (!own_ && (writer.error().code != client::ErrorCode::kUnavailable || i + 1 == kMaxFolders)) {
      // What others left is not worth failing for: the next sink tries again.
      return FromClient(writer.error());
    }
  }
  return {};
}

SpooledSink::~SpooledSink() {
  if (own_) static_cast<void>(Close(kCloseWait));
}

Result<model::WriteReport> SpooledSink::Write(std::string_view database, const model::Batch& batch) {
  std::string lines;
  TM_RETURN_IF_ERROR(AppendLineProtocol(batch, &lines));
  model::WriteReport report;
  if (lines.empty()) return report;
  if (const client::Status taken = own_->WriteLines(lines, batch.rows.size(), database); !taken.ok()) {
    return FromClient(taken.error());
  }
  if (const client::Status kept = own_->Persist(kPersistWait); !kept.ok()) return FromClient(kept.error());
  report.rows_written = batch.rows.size();
  report.points_written = batch.points();
  return report;
}

Result<void> SpooledSink::Flush(std::chrono::milliseconds wait) {
  const auto until = std::chrono::steady_clock::now() + wait;
  const auto flush = [&](client::Writer& writer) -> Result<void> {
    const auto left = until - std::chrono::steady_clock::now();
    const client::Status flushed =
        writer.Flush(std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left), {}));
    if (!flushed.ok()) return FromClient(flushed.error());
    return {};
  };
  TM_RETURN_IF_ERROR(flush(*own_));
  for (const auto& other : others_) TM_RETURN_IF_ERROR(flush(*other));
  return {};
}

SpooledSink::Balance SpooledSink::Close(std::chrono::milliseconds wait) {
  const MutexLock lock(close_mutex_);
  if (closed_) return balance_;
  closed_ = true;
  const auto until = std::chrono::steady_clock::now() + wait;
  const auto settle = [&](client::Writer& writer) TM_REQUIRES(close_mutex_) {
    const auto left = until - std::chrono::steady_clock::now();
    // Its error says what the counters below say too.
    static_cast<void>(writer.Close(std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left), {})));
    const client::WriterStats stats = writer.stats();
    balance_.delivered += stats.delivered;
    balance_.waiting += stats.spool_points;
    balance_.rejected += stats.rejected;
    balance_.lost += stats.lost;
    if (balance_.last_error.empty()) balance_.last_error = stats.last_error;
  };
  settle(*own_);
  for (const auto& other : others_) settle(*other);
  const MutexLock refusals(refusals_->mutex);
  balance_.first_refusal = refusals_->first;
  return balance_;
}

}  // namespace tidemark::sink
