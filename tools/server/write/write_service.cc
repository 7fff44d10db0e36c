#include "tools/server/write/write_service.h"

#include <fmt/core.h>

#include <algorithm>
#include <random>
#include <utility>

#include "ingest/write_path/write_path.h"
#include "query/api/json.h"

namespace tidemark::server {
namespace {

using http::Request;
using http::Response;
using query::api::AppendJsonString;

// Bytes of X-Influxdb-Error.
constexpr size_t kMaxErrorHeaderBytes = 1024;
// Bytes of a line that is quoted back for a row that the store refused.
constexpr size_t kMaxQuotedLineBytes = 512;
// Different reasons that a partial write names.
constexpr size_t kMaxReasons = 5;

// A batch with more than this is not kept for the next request.
constexpr uint64_t kKeptBatchBytes = uint64_t{32} << 20;
// Bytes of a batch for each byte of a body, at most as usual lines go; the shortest lines there are take twice that.
constexpr uint64_t kBatchBytesPerByte = 8;

// A number for one request: a random start for the process and a count.
std::string NewRequestId() {
  static const uint64_t kStart = (uint64_t{std::random_device{}()} << 32) | std::random_device{}();
  static std::atomic<uint64_t> count{0};
  const uint64_t n = count.fetch_add(1, std::memory_order_relaxed);
  // In the shape of a UUID, which is what clients expect to see.
  return fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", static_cast<uint32_t>(kStart >> 32),
                     static_cast<uint16_t>(kStart >> 16), static_cast<unsigned>(kStart >> 4 & 0xFFF),
                     static_cast<unsigned>(n >> 48 & 0xFFF), n & 0xFFFF'FFFF'FFFFU);
}

// One fault for the client: where, what, and the line itself.
struct Fault {
  uint32_t line = 0;
  uint32_t column = 0;
  std::string reason;
  std::string text;
};

// Quotes lines of the body by number. Calls must ask for ascending numbers.
class LineFinder {
 public:
  explicit LineFinder(std::string_view body) : rest_(body) {}
  std::string Find(uint32_t number) {
    while (at_ < number) {
      const size_t end = rest_.find('\n');
      if (end == std::string_view::npos) return {};
      rest_.remove_prefix(end + 1);
      ++at_;
    }
    const std::string_view line = rest_.substr(0, rest_.find('\n'));
    return std::string(line.substr(0, kMaxQuotedLineBytes)) + (line.size() > kMaxQuotedLineBytes ? "..." : "");
  }

 private:
  std::string_view rest_;
  uint32_t at_ = 1;
};

std::string FaultsJson(const std::vector<Fault>& faults) {
  std::string out = "[";
  for (const Fault& fault : faults) {
    if (out.size() > 1) out += ',';
    out += R"({"line_number":)";
    query::api::AppendInteger(&out, fault.line);
    if (fault.column != 0) {
      out += R"(,"column":)";
      query::api::AppendInteger(&out, fault.column);
    }
    out += R"(,"error_message":)";
    AppendJsonString(&out, fault.reason);
    out += R"(,"original_line":)";
    AppendJsonString(&out, fault.text);
    out += '}';
  }
  out += ']';
  return out;
}

std::string_view V2Code(int status) {
  switch (status) {
    case 400: return "invalid";
    case 401: return "unauthorized";
    case 404: return "not found";
    case 413: return "request too large";
    case 429: return "too many requests";
    case 503: return "unavailable";
    default: return "internal error";
  }
}

// Both generations' fields, each in its place, and the faults line by line.
Response Refusal(int status, std::string_view text, bool v2, const std::vector<Fault>& faults = {}) {
  std::string body = "{";
  if (v2) {
    body += R"("code":")";
    body += V2Code(status);
    body += R"(","message":)";
    AppendJsonString(&body, text);
    body += ',';
  }
  body += R"("error":)";
  AppendJsonString(&body, text);
  if (!faults.empty()) {
    body += R"(,"data":)";
    body += FaultsJson(faults);
  }
  body += "}\n";
  Response response = http::JsonResponse(status, std::move(body));
  response.Set("X-Influxdb-Error", std::string(text.substr(0, kMaxErrorHeaderBytes)));
  if (status == 503 || status == 429) response.Set("Retry-After", "1");
  return response;
}

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

// The reasons of `rejections`, each once.
std::string Reasons(const std::vector<model::Rejection>& rejections) {
  std::vector<std::string_view> reasons;
  for (const model::Rejection& rejection : rejections) {
    if (std::find(reasons.begin(), reasons.end(), rejection.error.message) != reasons.end()) continue;
    if (reasons.size() == kMaxReasons) break;
    reasons.push_back(rejection.error.message);
  }
  std::string out;
  for (const std::string_view reason : reasons) {
    if (!out.empty()) out += '\n';
    out += reason;
  }
  return out;
}

Response NoContent() {
  Response response;
  response.status = 204;
  return response;
}

}  // namespace

void AddInfluxHeaders(const Request& request, Response* response) {
  std::string_view id = request.Header("X-Request-Id");
  if (id.empty()) id = request.Header("Request-Id");
  std::string given(id.substr(0, 128));
  if (given.empty()) given = NewRequestId();
  response->Set("Request-Id", given)
      .Set("X-Influxdb-Build", "OSS")
      .Set("X-Influxdb-Version", std::string(kInfluxVersion))
      .Set("X-Request-Id", given);
}

Response InfluxError(int status, std::string_view text) { return Refusal(status, text, false); }

class WriteService::ParseLease {
 public:
  ParseLease(WriteService* service, size_t body_bytes)
      : service_(service), bytes_(uint64_t{body_bytes} * kBatchBytesPerByte) {
    const uint64_t others = service_->parsing_bytes_.fetch_add(bytes_, std::memory_order_relaxed);
    granted_ = others == 0 || others + bytes_ <= service_->options_.parse_memory_bytes;
  }
  ~ParseLease() { service_->parsing_bytes_.fetch_sub(bytes_, std::memory_order_relaxed); }
  ParseLease(const ParseLease&) = delete;
  ParseLease& operator=(const ParseLease&) = delete;

  [[nodiscard]] bool granted() const { return granted_; }

 private:
  WriteService* service_;
  uint64_t bytes_;
  bool granted_;
};

template <typename Workspace>
std::unique_ptr<Workspace> WriteService::Stack<Workspace>::Take() {
  {
    MutexLock lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Workspace> workspace = std::move(idle_.back());
      idle_.pop_back();
      return workspace;
    }
  }
  return std::make_unique<Workspace>();
}

template <typename Workspace>
void WriteService::Stack<Workspace>::Return(std::unique_ptr<Workspace> workspace) {
  if (write_path::BatchBytes(workspace->batch) > kKeptBatchBytes) workspace->batch = model::Batch();
  MutexLock lock(mutex_);
  idle_.push_back(std::move(workspace));
}

WriteService::WriteService(model::PointSink* sink, query::api::MetadataBook* metadata, const Clock* clock,
                           WriteServiceOptions options)
    : sink_(sink), metadata_(metadata), clock_(clock), options_(std::move(options)) {}

void WriteService::CountBadLines(std::string_view database, const lineprotocol::ParseReport& parsed) {
  counters_.lines_bad.fetch_add(parsed.lines_bad, std::memory_order_relaxed);
  if (!options_.refused) return;
  for (const lineprotocol::LineError& error : parsed.errors) {
    options_.refused(database, error.line,
                     InvalidArgument(fmt::format("unable to parse '{}': {}", error.text, error.reason)));
  }
}

Response WriteService::Write(Request& request) {
  const auto answer = [&]() -> Response {
    Target target;
    target.database = request.database.empty() ? std::string(request.params.Get("db")) : request.database;
    if (target.database.empty() && options_.require_database) return InfluxError(400, "database is required");
    const std::string_view policy = request.params.Get("rp");
    if (!policy.empty() && policy != "autogen" && policy != "default") {
      return InfluxError(404, fmt::format("retention policy not found: {}", policy));
    }
    const std::string_view consistency = request.params.Get("consistency");
    if (!consistency.empty() && consistency != "any" && consistency != "one" && consistency != "quorum" &&
        consistency != "all") {
      return InfluxError(400, "invalid consistency level");
    }
    const Result<lineprotocol::Precision> precision = lineprotocol::ParsePrecision(request.params.Get("precision"));
    if (!precision.ok()) return InfluxError(400, precision.error().message);
    target.precision = *precision;
    return WriteBody(request, target, false);
  };
  Response response = answer();
  AddInfluxHeaders(request, &response);
  return response;
}

Response WriteService::WriteV2(Request& request) {
  const auto answer = [&]() -> Response {
    Target target;
    // bucket=db/rp, as the 1.x server reads it.
    std::string_view bucket = request.params.Get("bucket");
    std::string_view policy;
    if (const size_t slash = bucket.find('/'); slash != std::string_view::npos) {
      policy = bucket.substr(slash + 1);
      bucket = bucket.substr(0, slash);
    }
    if (!policy.empty() && policy != "autogen" && policy != "default") {
      return Refusal(404, fmt::format("retention policy not found: {}", policy), true);
    }
    if (bucket.empty()) bucket = request.params.Get("db");
    target.database = request.database.empty() ? std::string(bucket) : request.database;
    const std::string_view text = request.params.Get("precision");
    const Result<lineprotocol::Precision> precision = lineprotocol::ParsePrecision(text);
    if (!precision.ok() || (!text.empty() && text != "ns" && text != "us" && text != "ms" && text != "s")) {
      return Refusal(400, fmt::format("invalid precision \"{}\"; valid precision units are ns, us, ms, and s", text),
                     true);
    }
    target.precision = *precision;
    return WriteBody(request, target, true);
  };
  Response response = answer();
  AddInfluxHeaders(request, &response);
  return response;
}

Response WriteService::WriteBody(Request& request, const Target& target, bool v2) {
  const std::string_view body = request.body.view();
  if (body.empty()) return v2 ? NoContent() : Response{};
  const ParseLease lease(this, body.size());
  if (!lease.granted()) {
    counters_.requests_failed.fetch_add(1, std::memory_order_relaxed);
    return Refusal(503, "too many points are being parsed at once; try again", v2);
  }
  std::unique_ptr<LineWorkspace> workspace = lines_.Take();
  const lineprotocol::ParseOptions options{
      .precision = target.precision, .default_time = {clock_->NowNs()}, .limits = {}};
  const lineprotocol::ParseReport parsed = workspace->parser.Parse(body, options, &workspace->batch);
  CountBadLines(target.database, parsed);
  std::vector<Fault> faults;
  faults.reserve(parsed.errors.size());
  for (const lineprotocol::LineError& error : parsed.errors) {
    faults.push_back({error.line, error.column, error.reason, error.text});
  }
  if (parsed.lines_ok == 0) {
    lines_.Return(std::move(workspace));
    if (parsed.lines_bad == 0) return NoContent();
    counters_.requests_failed.fetch_add(1, std::memory_order_relaxed);
    return Refusal(400, lineprotocol::ErrorText(parsed), v2, faults);
  }
  const Result<model::WriteReport> written = sink_->Write(target.database, workspace->batch);
  lines_.Return(std::move(workspace));
  if (!written.ok()) {
    counters_.requests_failed.fetch_add(1, std::memory_order_relaxed);
    return Refusal(StatusOf(written.error().code), written.error().message, v2);
  }
  counters_.points.fetch_add(written->points_written, std::memory_order_relaxed);
  if (parsed.lines_bad == 0 && written->rows_rejected == 0) return NoContent();
  counters_.rows_rejected.fetch_add(written->rows_rejected, std::memory_order_relaxed);
  counters_.requests_failed.fetch_add(1, std::memory_order_relaxed);
  std::string reason = parsed.lines_bad > 0 ? lineprotocol::ErrorText(parsed) : std::string();
  if (written->rows_rejected > 0) {
    if (!reason.empty()) reason += '\n';
    reason += Reasons(written->rejections);
    std::vector<model::Rejection> rejections = written->rejections;
    std::stable_sort(rejections.begin(), rejections.end(),
                     [](const auto& a, const auto& b) { return a.line < b.line; });
    LineFinder finder(body);
    for (const model::Rejection& rejection : rejections) {
      faults.push_back({rejection.line, 0, rejection.error.message, finder.Find(rejection.line)});
    }
    std::stable_sort(faults.begin(), faults.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
  }
  return Refusal(400, fmt::format("partial write: {} dropped={}", reason, parsed.lines_bad + written->rows_rejected),
                 v2, faults);
}

Response WriteService::RemoteWrite(Request& request) {
  if (const Result<void> headers =
          remotewrite::CheckHeaders(request.Header("Content-Type"), request.Header("Content-Encoding"));
      !headers.ok()) {
    return http::GoError(415, headers.error().message);
  }
  const std::string database = request.database.empty() ? std::string(request.params.Get("db")) : request.database;
  std::unique_ptr<RemoteWorkspace> workspace = remotes_.Take();
  const Result<remotewrite::DecodeReport> decoded =
      workspace->decoder.Decode(request.body.view(), {}, &workspace->batch);
  if (!decoded.ok()) {
    remotes_.Return(std::move(workspace));
    counters_.requests_failed.fetch_add(1, std::memory_order_relaxed);
    return http::GoError(StatusOf(decoded.error().code), decoded.error().message);
  }
  if (options_.refused) {
    for (const remotewrite::SeriesError& error : decoded->errors) {
      options_.refused(database, error.position, InvalidArgument(fmt::format("{}: {}", error.series, error.reason)));
    }
  }
  for (const remotewrite::Metadata& metadata : decoded->metadata) {
    metadata_->Put(database, metadata.family, {metadata.type, metadata.help, metadata.unit});
  }
  Result<model::WriteReport> written = model::WriteReport();
  if (!workspace->batch.rows.empty()) written = sink_->Write(database, workspace->batch);
  remotes_.Return(std::move(workspace));
  if (!written.ok()) {
    counters_.requests_failed.fetch_add(1, std::memory_order_relaxed);
    Response response = http::GoError(StatusOf(written.error().code), written.error().message);
    if (response.status == 503) response.Set("Retry-After", "1");
    return response;
  }
  counters_.points.fetch_add(written->points_written, std::memory_order_relaxed);
  if (!decoded->refused() && written->rows_rejected == 0) return NoContent();
  counters_.rows_rejected.fetch_add(written->rows_rejected + decoded->samples_refused, std::memory_order_relaxed);
  counters_.requests_failed.fetch_add(1, std::memory_order_relaxed);
  std::string text = decoded->refused() ? remotewrite::ErrorText(*decoded) : std::string();
  if (written->rows_rejected > 0) {
    if (!text.empty()) text += '\n';
    text += fmt::format("{} samples refused: {}", written->rows_rejected, Reasons(written->rejections));
  }
  return http::GoError(400, text);
}

Result<model::WriteReport> WriteService::WriteLines(std::string_view database, std::string_view lines,
                                                    lineprotocol::Precision precision, std::string* problem) {
  std::unique_ptr<LineWorkspace> workspace = lines_.Take();
  const lineprotocol::ParseOptions options{.precision = precision, .default_time = {clock_->NowNs()}, .limits = {}};
  const lineprotocol::ParseReport parsed = workspace->parser.Parse(lines, options, &workspace->batch);
  CountBadLines(database, parsed);
  if (parsed.lines_bad > 0) *problem = lineprotocol::ErrorText(parsed);
  Result<model::WriteReport> written = model::WriteReport();
  if (!workspace->batch.rows.empty()) written = sink_->Write(database, workspace->batch);
  lines_.Return(std::move(workspace));
  if (written.ok()) {
    counters_.points.fetch_add(written->points_written, std::memory_order_relaxed);
    counters_.rows_rejected.fetch_add(written->rows_rejected, std::memory_order_relaxed);
    if (written->rows_rejected > 0) {
      if (!problem->empty()) *problem += '\n';
      *problem += Reasons(written->rejections);
    }
  }
  return written;
}

}  // namespace tidemark::server
