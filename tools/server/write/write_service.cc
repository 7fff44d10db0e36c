#include "tools/server/write/write_service.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "ingest/write_path/write_path.h"
#include "storage/storage.h"

namespace tidemark::server {
namespace {

using http::Request;
using http::Response;

// A batch with more than this is not kept for the next request.
constexpr uint64_t kKeptBatchBytes = uint64_t{32} << 20;
// Bytes of a batch for each byte of a body, at most as usual lines go; the shortest lines there are take twice that.
constexpr uint64_t kBatchBytesPerByte = 8;

// The one place where an Error of a write becomes an HTTP code.
int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kConflict:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kUnsupported: return 400;
    case ErrorCode::kNotFound: return 404;
    case ErrorCode::kLimitExceeded: return 413;
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout:
    case ErrorCode::kCancelled: return 503;
    case ErrorCode::kCorruption:
    case ErrorCode::kIo:
    case ErrorCode::kInternal: return 500;
  }
  return 500;
}

Response Empty(int status) {
  Response response;
  response.status = status;
  return response;
}

}  // namespace

class WriteService::ParseLease {
 public:
  ParseLease(WriteService* service, size_t input_bytes)
      : service_(service), bytes_(uint64_t{input_bytes} * kBatchBytesPerByte) {
    // Small ones do not count, so that neither they nor a large one is refused for the other: threads bound how many
    // there are.
    const uint64_t most = service_->parse_memory_bytes_.load(std::memory_order_relaxed);
    if (bytes_ <= std::min(kSmallBytes, most / 16)) bytes_ = 0;
    const uint64_t others = service_->parsing_bytes_.fetch_add(bytes_, std::memory_order_relaxed);
    granted_ = others == 0 || bytes_ == 0 || others + bytes_ <= most;
  }
  ~ParseLease() { service_->parsing_bytes_.fetch_sub(bytes_, std::memory_order_relaxed); }
  ParseLease(const ParseLease&) = delete;
  ParseLease& operator=(const ParseLease&) = delete;

  [[nodiscard]] bool granted() const { return granted_; }

 private:
  static constexpr uint64_t kSmallBytes = uint64_t{1} << 20;

  WriteService* service_;
  uint64_t bytes_;
  bool granted_;
};

class WriteService::Stack {
 public:
  explicit Stack(ingest::MakeDecoder make) : make_(make) {}

  std::unique_ptr<Workspace> Take() {
    {
      MutexLock lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<Workspace> workspace = std::move(idle_.back());
        idle_.pop_back();
        return workspace;
      }
    }
    auto workspace = std::make_unique<Workspace>();
    workspace->decoder = make_();
    return workspace;
  }

  // Keeps the workspace for the next request, without its batch when that has grown large.
  void Return(std::unique_ptr<Workspace> workspace) {
    if (write_path::BatchBytes(workspace->batch) > kKeptBatchBytes) workspace->batch = model::Batch();
    MutexLock lock(mutex_);
    idle_.push_back(std::move(workspace));
  }

 private:
  const ingest::MakeDecoder make_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_ TM_GUARDED_BY(mutex_);
};

class WriteService::Loan {
 public:
  explicit Loan(Stack* stack) : stack_(stack), workspace_(stack->Take()) {}
  ~Loan() { stack_->Return(std::move(workspace_)); }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

  Workspace* operator->() const { return workspace_.get(); }
  [[nodiscard]] Workspace* get() const { return workspace_.get(); }

 private:
  Stack* stack_;
  std::unique_ptr<Workspace> workspace_;
};

WriteService::WriteService(model::PointSink* sink, query::api::MetadataBook* metadata, const Clock* clock,
                           WriteServiceOptions options)
    : sink_(sink),
      metadata_(metadata),
      clock_(clock),
      knows_policy_(std::move(options.knows_policy)),
      refused_(std::move(options.refused)),
      require_database_(options.require_database),
      parse_memory_bytes_(options.parse_memory_bytes) {
  const auto add = [this](ingest::MakeDecoder make) {
    if (!stacks_.contains(make)) stacks_.emplace(make, std::make_unique<Stack>(make));
  };
  for (const WriteEndpoint& endpoint : WriteEndpoints()) add(endpoint.decoder);
  for (const DatagramProtocol& protocol : DatagramProtocols()) add(protocol.decoder);
}

WriteService::~WriteService() = default;

Response WriteService::Take(const WriteEndpoint& endpoint, Request& request) {
  Response response = Answer(endpoint, request);
  if (endpoint.finish != nullptr) endpoint.finish(request, &response);
  return response;
}

bool WriteService::KnowsPolicy(const WriteTarget& target) const {
  const std::string_view database = target.database.empty() ? storage::kDefaultDatabase : target.database;
  return target.policy.empty() || knows_policy_(database, target.policy);
}

Response WriteService::Answer(const WriteEndpoint& endpoint, Request& request) {
  if (endpoint.check_media != nullptr) {
    const Result<void> media = endpoint.check_media(request.Header("Content-Type"), request.Header("Content-Encoding"));
    if (!media.ok()) return endpoint.refuse(415, media.error().message, {});
  }
  const WriteTarget target = endpoint.target(request, require_database_.load(std::memory_order_relaxed));
  if (target.refused_status != 0) return endpoint.refuse(target.refused_status, target.refused_text, {});
  if (!request.caller->May(http::Access::kWrite, target.database)) {
    request.refusal =
        fmt::format("\"{}\" has no right to write to the database \"{}\"", request.caller->name(), target.database);
    return endpoint.refuse(403, request.refusal, {});
  }
  if (!KnowsPolicy(target)) {
    return endpoint.refuse(404, fmt::format("retention policy not found: {}", target.policy), {});
  }
  const std::string_view body = request.body.view();
  if (body.empty() && endpoint.empty_status != 0) return Empty(endpoint.empty_status);
  const auto fail = [&](int status, std::string_view text, const std::vector<ingest::Fault>& faults = {}) {
    counters_.requests_failed.fetch_add(1, std::memory_order_relaxed);
    return endpoint.refuse(status, text, faults);
  };
  const Loan workspace(stacks_.at(endpoint.decoder).get());
  const ParseLease lease(this, workspace->decoder->UnpackedBytes(body));
  if (!lease.granted()) return fail(503, "too many points are being parsed at once; try again");
  Result<ingest::Decoded> decoded =
      Decode(workspace.get(), target, body, {.time_unit_ns = target.time_unit_ns, .now = {clock_->NowNs()}}, {});
  if (!decoded.ok()) return fail(StatusOf(decoded.error().code), decoded.error().message);
  const Result<model::WriteReport> written = Write(*workspace.get(), target.database);
  if (!written.ok()) return fail(StatusOf(written.error().code), written.error().message);
  if (!decoded->refused() && written->rows_rejected == 0) return Empty(204);
  std::vector<ingest::Fault> faults = std::move(decoded->faults);
  if (written->rows_rejected > 0) {
    std::vector<ingest::Fault> more = workspace->decoder->FaultsOf(body, *written);
    std::move(more.begin(), more.end(), std::back_inserter(faults));
    std::stable_sort(faults.begin(), faults.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  }
  return fail(400, workspace->decoder->Describe(*written), faults);
}

Result<ingest::Decoded> WriteService::Decode(Workspace* workspace, const WriteTarget& target, std::string_view bytes,
                                             const ingest::DecodeOptions& options, std::string_view sender) {
  TM_TRY_ASSIGN(ingest::Decoded decoded, workspace->decoder->Decode(bytes, options, &workspace->batch));
  if (!sender.empty()) {
    for (ingest::Fault& fault : decoded.faults) fault.message = fmt::format("from {}: {}", sender, fault.message);
  }
  counters_.lines_bad.fetch_add(decoded.lines_refused, std::memory_order_relaxed);
  counters_.rows_rejected.fetch_add(decoded.rows_refused, std::memory_order_relaxed);
  if (refused_) {
    for (const ingest::Fault& fault : decoded.faults) {
      refused_(target.database, fault.number, InvalidArgument(fault.message));
    }
  }
  for (ingest::Metadata& entry : decoded.metadata) {
    metadata_->Put(target.database, entry.family,
                   {std::move(entry.type), std::move(entry.help), std::move(entry.unit)});
  }
  return decoded;
}

Result<model::WriteReport> WriteService::Write(const Workspace& workspace, const std::string& database) {
  if (workspace.batch.rows.empty()) return model::WriteReport();
  TM_TRY_ASSIGN(model::WriteReport report, sink_->Write(database, workspace.batch));
  counters_.points.fetch_add(report.points_written, std::memory_order_relaxed);
  counters_.rows_rejected.fetch_add(report.rows_rejected, std::memory_order_relaxed);
  return report;
}

Result<model::WriteReport> WriteService::TakeDatagrams(const DatagramProtocol& protocol, const WriteTarget& target,
                                                       std::span<const Datagram> datagrams, std::string* problem) {
  const Loan workspace(stacks_.at(protocol.decoder).get());
  bool append = false;
  for (const Datagram& datagram : datagrams) {
    TM_TRY_ASSIGN(
        const ingest::Decoded decoded,
        Decode(workspace.get(), target, datagram.bytes,
               {.time_unit_ns = target.time_unit_ns, .now = datagram.arrived, .append = append}, datagram.sender));
    append = true;
    if (problem->empty() && !decoded.faults.empty()) *problem = decoded.faults.front().message;
  }
  if (!append) return model::WriteReport();
  TM_TRY_ASSIGN(model::WriteReport report, Write(*workspace.get(), target.database));
  if (problem->empty()) *problem = ingest::Reasons(report.rejections);
  return report;
}

}  // namespace tidemark::server
