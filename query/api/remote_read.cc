// POST /api/v1/read: raw samples for another Prometheus, vmctl and whoever speaks its remote read.
#include "query/api/remote_read.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "query/api/api.h"
#include "query/api/merged_reader.h"
#include "query/api/values.h"
#include "query/api/warning_headers.h"
#include "query/run/query_state.h"
#include "storage/base/text/byte_size.h"

namespace tidemark::query::api {
namespace {

// Frames before the reply begins: what goes wrong until then is told with its status.
constexpr size_t kFirstBytes = size_t{256} << 10;
constexpr size_t kPieceBytes = size_t{64} << 10;

Reply PlainError(int status, std::string_view text) {
  Reply reply;
  reply.status = status;
  reply.body = std::string(text) + "\n";
  reply.content_type = "text/plain; charset=utf-8";
  reply.headers.emplace_back("X-Content-Type-Options", "nosniff");
  return reply;
}

Reply PlainError(const Error& error) {
  // Prometheus says 400 where a read is too large; its clients ask again after a 5xx.
  if (error.code == ErrorCode::kLimitExceeded || error.code == ErrorCode::kInvalidArgument) {
    return PlainError(400, error.message);
  }
  const int status = HttpStatus(ExecutionErrorType(error.code));
  Reply reply = PlainError(status, error.message);
  if (status == 503) reply.headers.emplace_back("Retry-After", "1");
  return reply;
}

// Remote read knows milliseconds: of several rows within one the last stays.
ReadSeries InMilliseconds(const MergedSeries& merged) {
  ReadSeries series{.labels = merged.labels, .times_ms = {}, .values = {}};
  for (size_t row = 0; row < merged.rows.times.size(); ++row) {
    const int64_t ms = model::Timestamp{merged.rows.times[row]}.FloorMs();
    if (!series.times_ms.empty() && series.times_ms.back() == ms) {
      series.values.back() = merged.rows.floats[row];
      continue;
    }
    series.times_ms.push_back(ms);
    series.values.push_back(merged.rows.floats[row]);
  }
  return series;
}

model::TimeRange RangeOf(const ReadQuery& query) {
  return {TimestampAtMs(query.start_ms, 0), TimestampAtMs(query.end_ms, 999'999)};
}

// The frames of all queries, one after the other.
class ChunkStream {
 public:
  ChunkStream(std::shared_ptr<const storage::View> view, std::vector<ReadQuery> queries, ReadLimits limits)
      : view_(std::move(view)), queries_(std::move(queries)), limits_(std::move(limits)) {}

  // Appends frames until there are `bytes_min` or no more. true: there may be more.
  Result<bool> Write(run::Turn* turn, std::string* out, size_t bytes_min) {
    while (query_ < queries_.size()) {
      if (reader_ == nullptr) {
        const ReadQuery& query = queries_[query_];
        reader_ = std::make_unique<MergedReader>(view_, std::vector<std::vector<model::Matcher>>{query.matchers},
                                                 RangeOf(query), limits_, &spent_);
        TM_RETURN_IF_ERROR(reader_->Open(turn));
      }
      if (out->size() >= bytes_min) return true;
      const MergedSeries* series = nullptr;
      TM_TRY_ASSIGN(const bool more, reader_->Next(turn, &series));
      if (more) {
        AppendChunkedFrames(out, query_, InMilliseconds(*series));
      } else {
        reader_.reset();
        ++query_;
      }
    }
    return false;
  }

  [[nodiscard]] run::Turns* turns() const { return limits_.turns; }
  [[nodiscard]] uint64_t client() const { return limits_.client; }
  // Of the next piece.
  [[nodiscard]] BackgroundLimits background() const {
    return {.deadline_ns = DeadlineOf(limits_), .stop = limits_.stop};
  }

 private:
  const std::shared_ptr<const storage::View> view_;
  const std::vector<ReadQuery> queries_;
  const ReadLimits limits_;
  ReadSpent spent_;
  size_t query_ = 0;
  std::unique_ptr<MergedReader> reader_;
};

Reply StreamChunks(const std::shared_ptr<ChunkStream>& stream) {
  Reply reply;
  reply.content_type = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
  {
    run::Turn turn(stream->turns(), run::Turn::Work::kQuery, stream->background(), stream->client());
    const Result<bool> more = stream->Write(&turn, &reply.body, kFirstBytes);
    if (!more.ok()) return PlainError(more.error());
    if (!*more) return reply;
  }
  reply.rest = [stream](const Reply::Push& push) {
    run::Turn turn(stream->turns(), run::Turn::Work::kWriting, stream->background(), stream->client());
    for (;;) {
      std::string piece;
      const Result<bool> more = stream->Write(&turn, &piece, kPieceBytes);
      // In place of the next frame, as Prometheus does: it has no right checksum, so that the client sees that the
      // stream is broken and not at its end.
      if (!more.ok()) piece += more.error().message + "\n";
      turn.Rest();
      if (!push(std::move(piece)) || !more.ok() || !*more) return;
    }
  };
  return reply;
}

// The memory of an answer that is put together, counted among that of all queries.
class AnswerMemory {
 public:
  explicit AnswerMemory(run::MemoryTotal* total) : total_(total) {}
  ~AnswerMemory() { total_->Give(bytes_); }
  AnswerMemory(const AnswerMemory&) = delete;
  AnswerMemory& operator=(const AnswerMemory&) = delete;

  // Makes it `bytes` in all, at least what it is.
  Status GrowTo(uint64_t bytes, uint64_t max) {
    if (max != 0 && bytes > max) {
      return LimitExceeded(
          fmt::format("the answer takes more than the memory budget of {}; ask for fewer series, "
                      "a shorter time, or STREAMED_XOR_CHUNKS",
                      text::PrintMebibytes(max)));
    }
    if (bytes > bytes_) {
      TM_RETURN_IF_ERROR(run::TakeBytes(total_, bytes - bytes_));
      bytes_ = bytes;
    }
    return {};
  }

 private:
  run::MemoryTotal* const total_;
  uint64_t bytes_ = 0;
};

Result<std::string> ReadSamples(const std::shared_ptr<const storage::View>& view, const ReadRequest& request,
                                const ReadLimits& limits) {
  // Held three times while it is put together and compressed.
  constexpr uint64_t kCopies = 3;
  run::Turn turn(limits.turns, run::Turn::Work::kQuery, {.deadline_ns = DeadlineOf(limits), .stop = limits.stop},
                 limits.client);
  ReadSpent spent;
  AnswerMemory memory(limits.memory);
  std::vector<std::string> results;
  uint64_t bytes = 0;
  for (const ReadQuery& query : request.queries) {
    MergedReader reader(view, {query.matchers}, RangeOf(query), limits, &spent);
    TM_RETURN_IF_ERROR(reader.Open(&turn));
    std::string& result = results.emplace_back();
    for (;;) {
      const MergedSeries* series = nullptr;
      TM_TRY_ASSIGN(const bool more, reader.Next(&turn, &series));
      if (!more) break;
      AppendTimeSeries(&result, InMilliseconds(*series));
      TM_RETURN_IF_ERROR(memory.GrowTo(kCopies * (bytes + result.size()), limits.budget.max_bytes));
    }
    bytes += result.size();
  }
  return EncodeReadResponse(results);
}

}  // namespace

Reply QueryApi::RemoteRead(const ApiRequest& request, std::string_view body) const {
  Result<ReadRequest> read = ParseReadRequest(body);
  if (!read.ok()) return PlainError(400, read.error().message);
  Result<std::shared_ptr<const storage::View>> view = OpenView(request);
  if (!view.ok()) return PlainError(view.error());
  const ReadLimits limits = LimitsOf(request, runner_.limits(), dependencies_.clock, MemoryOf(request), turns_.get());
  if (request.on_deadline) {
    request.on_deadline(limits.clock->SteadyNs() + limits.timeout_ns, PlainError(run::TimedOut()));
  }
  const std::vector<std::string> warnings = (*view)->Warnings();
  if (read->chunks) {
    Reply reply = StreamChunks(std::make_shared<ChunkStream>(*view, std::move(read->queries), limits));
    AddWarningHeaders(&reply, warnings);
    return reply;
  }
  Result<std::string> answer = ReadSamples(*view, *read, limits);
  if (!answer.ok()) return PlainError(answer.error());
  Reply reply;
  reply.content_type = "application/x-protobuf";
  reply.headers.emplace_back("Content-Encoding", "snappy");
  AddWarningHeaders(&reply, warnings);
  reply.body = std::move(answer).value();
  return reply;
}

}  // namespace tidemark::query::api
