#include "tools/server/write/write_service.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "ingest/write_path/write_path.h"
#include "storage/model/type_conflicts.h"
#include "storage/series_filter.h"
#include "storage/storage.h"
#include "tools/server/write/write_status.h"

namespace tidemark::server {
namespace {

using http::Request;
using http::Response;

// A batch with more than this is not kept for the next request.
constexpr uint64_t kKeptBatchBytes = uint64_t{32} << 20;
// A body that unpacks to more is decoded by a thread that may take its time.
constexpr size_t kShortUnpackedBytes = size_t{64} << 10;
// Bytes of a batch for each byte of a body, at most as usual lines go; the shortest lines there are take twice that.
constexpr uint64_t kBatchBytesPerByte = 8;

Response Empty(int status) {
  Response response;
  response.status = status;
  return response;
}

// Of a request; "" for none. The second name is the one that our own client has sent since its first version.
std::string_view WriteIdOf(const Request& request) {
  const std::string_view id = request.Header("X-Write-Id");
  return id.empty() ? request.Header("X-Tidemark-Write-Id") : id;
}

std::string_view NameOf(const WriteMessage& message) {
  return message.caller != nullptr ? message.caller->name() : http::Everyone()->name();
}

// As the log of rejections names the sender.
std::string SenderOf(const Request& request) {
  const bool known = request.caller->name() != http::Everyone()->name();
  return known ? fmt::format("{} ({})", request.caller->name(), request.peer) : request.peer;
}

Response ResponseTo(const WriteEndpoint& endpoint, const WriteOutcome& outcome) {
  if (outcome.status == 204) return Empty(204);
  Response response = endpoint.refuse(outcome.status, outcome.text, outcome.faults);
  if (outcome.retry_s > 0) response.Set("Retry-After", std::to_string(outcome.retry_s));
  return response;
}

// Whether the sender may see and write some of the series only.
bool IsHeld(const WriteMessage& message) { return message.caller != nullptr && message.caller->filter() != nullptr; }

// Whether a row may have been given `now` for want of a time of its own.
bool MayHaveBeenGiven(const model::Batch& batch, model::Timestamp now, int64_t unit_ns) {
  return std::any_of(batch.rows.begin(), batch.rows.end(),
                     [&](const model::Row& row) { return row.time <= now && row.time.ns > now.ns - unit_ns; });
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
    workspace->decoder->Rest();
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
  Workspace& operator*() const { return *workspace_; }
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
      write_ids_(options.write_ids),
      quotas_(options.quotas),
      require_database_(options.require_database),
      parse_memory_bytes_(options.parse_memory_bytes) {
  if (options.write_all) {
    group_ = std::make_unique<WriteGroup>([this, all = std::move(options.write_all)](auto database, auto batches) {
      return WriteShort(all, database, batches);
    });
  }
  const auto add = [this](ingest::MakeDecoder make) {
    if (!stacks_.contains(make)) stacks_.emplace(make, std::make_unique<Stack>(make));
  };
  for (const WriteEndpoint& endpoint : WriteEndpoints()) add(endpoint.decoder);
  for (const DatagramProtocol& protocol : DatagramProtocols()) add(protocol.decoder);
}

WriteService::~WriteService() = default;

namespace {

WriteOutcome TooMuch(quota::Refusal refusal) {
  return {.status = 429, .text = std::move(refusal.reason), .retry_s = refusal.retry_s};
}

}  // namespace

Response WriteService::Take(const WriteEndpoint& endpoint, Request& request) {
  Response response = Answer(endpoint, request);
  if (endpoint.finish != nullptr) endpoint.finish(request, &response);
  return response;
}

bool WriteService::KnowsPolicy(const WriteTarget& target) const {
  const std::string_view database = target.database.empty() ? storage::kDefaultDatabase : target.database;
  return target.policy.empty() || knows_policy_(database, target.policy);
}

std::optional<Response> WriteService::Refusal(const WriteEndpoint& endpoint, Request& request,
                                              WriteTarget* target) const {
  if (endpoint.check_media != nullptr) {
    const Result<void> media = endpoint.check_media(request.Header("Content-Type"), request.Header("Content-Encoding"));
    if (!media.ok()) return endpoint.refuse(415, media.error().message, {});
  }
  *target = endpoint.target(request, require_database_.load(std::memory_order_relaxed));
  if (target->refused_status != 0) return endpoint.refuse(target->refused_status, target->refused_text, {});
  if (!request.caller->May(http::Access::kWrite, target->database)) {
    request.refusal =
        fmt::format("\"{}\" has no right to write to the database \"{}\"", request.caller->name(), target->database);
    return endpoint.refuse(403, request.refusal, {});
  }
  if (!KnowsPolicy(*target)) {
    return endpoint.refuse(404, fmt::format("retention policy not found: {}", target->policy), {});
  }
  return std::nullopt;
}

Response WriteService::Answer(const WriteEndpoint& endpoint, Request& request) {
  WriteTarget target;
  if (auto refusal = Refusal(endpoint, request, &target)) return *std::move(refusal);
  const std::string_view body = request.body.view();
  if (body.empty() && endpoint.empty_status != 0) return Empty(endpoint.empty_status);
  const std::string sender = SenderOf(request);
  return ResponseTo(endpoint, TakeMessage(endpoint.decoder, target,
                                          {.source = endpoint.source,
                                           .sender = sender,
                                           .caller = request.caller.get(),
                                           .write_id = WriteIdOf(request),
                                           .bytes = body}));
}

struct WriteService::Short {
  Short(const WriteEndpoint& at, Request& asked, WriteTarget to, Stack* stack)
      : endpoint(at),
        request(asked),
        target(std::move(to)),
        sender(SenderOf(asked)),
        message{.source = at.source, .sender = sender, .caller = asked.caller.get(), .bytes = asked.body.view()},
        workspace(std::in_place, stack) {}

  const WriteEndpoint& endpoint;
  Request& request;  // as it is until it is answered
  const WriteTarget target;
  const std::string sender;
  const WriteMessage message;
  std::optional<Loan> workspace;
  ingest::Decoded decoded;
  http::Answerer answer;
};

bool WriteService::IsBound(const http::Caller& caller, const std::string& database) const {
  return caller.filter() != nullptr || caller.account() != nullptr ||
         (quotas_ != nullptr && quotas_->Find(database) != nullptr);
}

http::Deferral WriteService::Defer(const WriteEndpoint& endpoint, Request& request, http::Answerer* answer) {
  if (group_ == nullptr || request.body.size() == 0 || !WriteIdOf(request).empty()) return {};
  WriteTarget target;
  if (Refusal(endpoint, request, &target)) return {};
  if (IsBound(*request.caller, target.database)) return {};
  WriteGroup::Place place = group_->TakePlace(target.database);
  if (!place) return {};
  auto taken = std::make_unique<Short>(endpoint, request, std::move(target), stacks_.at(endpoint.decoder).get());
  Workspace* const workspace = taken->workspace->get();
  if (workspace->decoder->UnpackedBytes(taken->message.bytes) > kShortUnpackedBytes) return {};
  Result<ingest::Decoded> decoded = Decode(workspace, taken->target, taken->message,
                                           {.time_unit_ns = taken->target.time_unit_ns,
                                            .now = {clock_->NowNs()},
                                            .sender = NameOf(taken->message),
                                            .dictionaries = &dictionaries_});
  // Take finds the same, and says it.
  if (!decoded.ok()) return {};
  taken->decoded = std::move(decoded).value();
  workspace->batch.names = nullptr;
  taken->answer = std::move(*answer);
  const model::Batch* const batch = &workspace->batch;
  http::Deferral deferral{.taken = true};
  if (place.Add(batch, [this, held = std::move(taken)](Result<model::WriteReport> written) {
        AnswerShort(held.get(), std::move(written));
      })) {
    deferral.work = [group = group_.get()](bool may_run) { group->Run(may_run); };
  }
  return deferral;
}

std::vector<Result<model::WriteReport>> WriteService::WriteShort(const WriteGroup::Write& write_all,
                                                                 std::string_view database,
                                                                 std::span<const model::Batch* const> batches) {
  std::vector<Result<model::WriteReport>> reports;
  reports.reserve(batches.size());
  for (size_t begin = 0; begin < batches.size();) {
    size_t end = begin;
    while (end < batches.size() && batches[end]->strings.empty() && !batches[end]->rows.empty()) ++end;
    if (end == begin && batches[end]->rows.empty()) {
      // Of a message of which nothing could be read; it makes no database either.
      reports.emplace_back(model::WriteReport());
      ++end;
    } else if (end > begin) {
      for (Result<model::WriteReport>& report : write_all(database, batches.subspan(begin, end - begin))) {
        reports.push_back(std::move(report));
      }
    } else {
      reports.push_back(sink_->Write(database, *batches[end++]));
    }
    begin = end;
  }
  return reports;
}

void WriteService::AnswerShort(Short* request, Result<model::WriteReport> written) {
  WriteOutcome outcome;
  Response response;
  try {
    if (written.ok()) {
      CountWritten(*written);
      outcome = Conclude(**request->workspace, request->target, request->message, &request->decoded, &*written, {});
    } else {
      outcome = {.status = StatusOf(written.error().code), .text = written.error().message};
    }
    response = ResponseTo(request->endpoint, outcome);
    if (request->endpoint.finish != nullptr) request->endpoint.finish(request->request, &response);
  } catch (const std::exception&) {
    // What was written is; whoever sends it again writes the same.
    outcome.status = 503;
    response = Empty(503);
  }
  if (outcome.status != 204) counters_.requests_failed.fetch_add(1, std::memory_order_relaxed);
  // Before the sender hears of it: its next request finds the workspace of this one, warm.
  request->workspace.reset();
  request->answer(std::move(response));
}

WriteOutcome WriteService::TakeMessage(ingest::MakeDecoder decoder, const WriteTarget& target,
                                       const WriteMessage& message) {
  WriteGate gate(message.caller, quotas_, target.database);
  const auto perform = [&]() -> WriteOutcome {
    if (auto refusal = gate.AdmitBytes(message.bytes.size())) return TooMuch(*std::move(refusal));
    const Loan workspace(stacks_.at(decoder).get());
    const ParseLease lease(this, workspace->decoder->UnpackedBytes(message.bytes));
    if (!lease.granted()) return {503, "too many points are being parsed at once; try again"};
    if (write_ids_ == nullptr || message.write_id.empty()) {
      return DecodeAndWrite(workspace.get(), target, message, &gate, nullptr);
    }
    if (message.write_id.size() > WriteIdBook::kMaxIdBytes) {
      return {400, fmt::format("X-Write-Id has more than {} bytes", WriteIdBook::kMaxIdBytes)};
    }
    WriteIdBook::Turn turn = write_ids_->Begin(NameOf(message), target.database, message.write_id, {clock_->NowNs()});
    if (turn.busy()) return {503, "a request with this X-Write-Id is under way; try again"};
    return DecodeAndWrite(workspace.get(), target, message, &gate, &turn);
  };
  WriteOutcome outcome = perform();
  // What is to be sent again as it is costs nothing the first time.
  if (outcome.status != 429 && outcome.status < 500) gate.KeepBytes();
  if (outcome.status != 204) counters_.requests_failed.fetch_add(1, std::memory_order_relaxed);
  return outcome;
}

WriteOutcome WriteService::DecodeAndWrite(Workspace* workspace, const WriteTarget& target, const WriteMessage& message,
                                          WriteGate* gate, WriteIdBook::Turn* turn) {
  const model::Timestamp now = turn != nullptr ? turn->time() : model::Timestamp{clock_->NowNs()};
  Result<ingest::Decoded> decoded = Decode(workspace, target, message,
                                           {.time_unit_ns = target.time_unit_ns,
                                            .now = now,
                                            .sender = NameOf(message),
                                            .dictionaries = &dictionaries_,
                                            .connection = message.connection});
  if (!decoded.ok()) {
    // What was said to another server, or forgotten, is to be said anew.
    const bool forgotten = decoded.error().code == ErrorCode::kNotFound;
    return {forgotten ? 409 : StatusOf(decoded.error().code), decoded.error().message};
  }
  uint64_t digest = 0;
  if (turn != nullptr) {
    // Of what was sent, whatever of it the gate lets through this time.
    digest = DigestOf(workspace->batch);
    const Result<bool> repeats = turn->Repeats(digest);
    if (!repeats.ok()) return {StatusOf(repeats.error().code), repeats.error().message};
    // What was refused in part is written again, since only that tells what it was; at the times that it has, it is the
    // same rows.
    if (*repeats && turn->status() == 204 && !decoded->refused()) return {};
  }
  model::WriteReport held;
  if (auto refusal = gate->Admit(&workspace->batch, &held)) return TooMuch(*std::move(refusal));
  if (turn != nullptr && MayHaveBeenGiven(workspace->batch, now, target.time_unit_ns)) {
    if (const Status promised = turn->Promise(); !promised.ok()) {
      return {StatusOf(promised.error().code), promised.error().message};
    }
  }
  Result<model::WriteReport> written = Write(*workspace, target.database);
  if (!written.ok()) return {StatusOf(written.error().code), written.error().message};
  if (held.rows_rejected > 0) {
    counters_.rows_rejected.fetch_add(held.rows_rejected, std::memory_order_relaxed);
    LogHeld(held, target, message);
    write_path::MergeRejections(std::move(held), &*written);
  }
  const std::optional<quota::Refusal> over = gate->Note(*written);
  if (turn != nullptr) turn->Finish(digest, !decoded->refused() && written->rows_rejected == 0 ? 204 : 400);
  return Conclude(*workspace, target, message, &*decoded, &*written, over);
}

WriteOutcome WriteService::Conclude(const Workspace& workspace, const WriteTarget& target, const WriteMessage& message,
                                    ingest::Decoded* decoded, model::WriteReport* written,
                                    const std::optional<quota::Refusal>& over) {
  if (!decoded->refused() && written->rows_rejected == 0) {
    // What is refused in part tells nothing of families: those may be the ones that were refused.
    KeepMetadata(std::move(decoded->metadata), target, message);
    return {};
  }
  if (IsHeld(message)) {
    // Of which type fields are that others write is theirs.
    for (model::Rejection& rejection : written->rejections) model::HideStoredType(&rejection.error);
  }
  WriteOutcome outcome{.status = 400, .text = workspace.decoder->Describe(*written)};
  if (over) {
    outcome.status = 429;
    outcome.retry_s = over->retry_s;
    if (!outcome.text.contains(over->reason)) outcome.text += "; " + over->reason;
  }
  outcome.rows_refused = decoded->rows_refused + written->rows_rejected;
  outcome.faults = std::move(decoded->faults);
  if (written->rows_rejected > 0) {
    std::vector<ingest::Fault> more = workspace.decoder->FaultsOf(message.bytes, *written);
    std::move(more.begin(), more.end(), std::back_inserter(outcome.faults));
    std::stable_sort(outcome.faults.begin(), outcome.faults.end(),
                     [](const auto& a, const auto& b) { return a.number < b.number; });
  }
  return outcome;
}

Result<ingest::Decoded> WriteService::Decode(Workspace* workspace, const WriteTarget& target,
                                             const WriteMessage& message, const ingest::DecodeOptions& options) {
  TM_TRY_ASSIGN(ingest::Decoded decoded, workspace->decoder->Decode(message.bytes, options, &workspace->batch));
  workspace->batch.source = message.source;
  workspace->batch.sender = message.sender;
  counters_.lines_bad.fetch_add(decoded.lines_refused, std::memory_order_relaxed);
  counters_.rows_rejected.fetch_add(decoded.rows_refused, std::memory_order_relaxed);
  if (refused_) {
    for (const ingest::Fault& fault : decoded.faults) {
      refused_({target.database, message.source, message.sender, fault.number}, InvalidArgument(fault.message));
    }
  }
  return decoded;
}

void WriteService::KeepMetadata(std::vector<ingest::Metadata> metadata, const WriteTarget& target,
                                const WriteMessage& message) {
  const std::string_view filter =
      IsHeld(message) ? std::string_view(message.caller->filter()->text()) : std::string_view();
  for (ingest::Metadata& entry : metadata) {
    metadata_->Put(target.database, filter, entry.family,
                   {std::move(entry.type), std::move(entry.help), std::move(entry.unit)});
  }
}

void WriteService::LogHeld(const model::WriteReport& held, const WriteTarget& target, const WriteMessage& message) {
  if (!refused_) return;
  for (const model::Rejection& rejection : held.rejections) {
    refused_({target.database, message.source, message.sender, rejection.line}, rejection.error);
  }
}

Result<model::WriteReport> WriteService::Write(const Workspace& workspace, const std::string& database) {
  if (workspace.batch.rows.empty()) return model::WriteReport();
  TM_TRY_ASSIGN(model::WriteReport report, sink_->Write(database, workspace.batch));
  CountWritten(report);
  return report;
}

void WriteService::CountWritten(const model::WriteReport& report) {
  counters_.points.fetch_add(report.points_written, std::memory_order_relaxed);
  counters_.rows_rejected.fetch_add(report.rows_rejected, std::memory_order_relaxed);
}

Result<model::WriteReport> WriteService::TakeDatagrams(const DatagramProtocol& protocol, const WriteTarget& target,
                                                       std::span<const Datagram> datagrams, std::string* problem) {
  WriteGate gate(nullptr, quotas_, target.database);
  uint64_t bytes = 0;
  for (const Datagram& datagram : datagrams) bytes += datagram.bytes.size();
  if (auto refusal = gate.AdmitBytes(bytes)) return MakeError(ErrorCode::kResourceExhausted, refusal->reason);
  const Loan workspace(stacks_.at(protocol.decoder).get());
  bool append = false;
  for (const Datagram& datagram : datagrams) {
    TM_TRY_ASSIGN(
        const ingest::Decoded decoded,
        Decode(workspace.get(), target, {.source = protocol.name, .sender = datagram.sender, .bytes = datagram.bytes},
               {.time_unit_ns = target.time_unit_ns, .now = datagram.arrived, .append = append}));
    append = true;
    if (problem->empty() && !decoded.faults.empty()) {
      *problem = fmt::format("from {}: {}", datagram.sender, decoded.faults.front().message);
    }
  }
  if (!append) return model::WriteReport();
  model::WriteReport held;
  if (auto refusal = gate.Admit(&workspace->batch, &held)) {
    return MakeError(ErrorCode::kResourceExhausted, std::move(refusal->reason));
  }
  // Rows do not say which datagram brought them.
  if (datagrams.size() > 1) workspace->batch.sender = {};
  TM_TRY_ASSIGN(model::WriteReport report, Write(*workspace.get(), target.database));
  write_path::MergeRejections(std::move(held), &report);
  static_cast<void>(gate.Note(report));
  if (problem->empty()) *problem = ingest::Reasons(report.rejections);
  return report;
}

}  // namespace tidemark::server
