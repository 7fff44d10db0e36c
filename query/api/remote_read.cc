// POST /api/v1/read: raw samples for another Prometheus, vmctl and whoever speaks its remote read.
#include "query/api/remote_read.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "query/api/api.h"
#include "query/api/values.h"
#include "query/frame/column_union.h"
#include "storage/base/text/byte_size.h"

namespace tidemark::query::api {
namespace {

// Series that are read together, at most, and how many bytes of their samples are held: neighbours in storage lie in
// the same pages, so that one by one would open each page many times.
constexpr size_t kSeriesTogether = 512;
constexpr size_t kFirstTogether = 16;
constexpr size_t kBytesTogether = size_t{8} << 20;
constexpr size_t kSampleBytes = sizeof(int64_t) + sizeof(double);
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
  return PlainError(HttpStatus(ExecutionErrorType(error.code)), error.message);
}

// What reading may use, of one request.
struct ReadLimits {
  run::Budget budget;
  run::MemoryTotal* memory = nullptr;
  const Clock* clock = nullptr;
  int64_t timeout_ns = 0;
  std::stop_token stop;
  run::Turns* turns = nullptr;
};

// What the queries of one request have used of its limits.
struct ReadSpent {
  int64_t ns = 0;
  uint64_t samples = 0;
};

// The series of one query in the order of their labels, each with its samples.
class RemoteReader {
 public:
  // `spent` outlives it.
  RemoteReader(std::shared_ptr<const storage::View> view, const ReadQuery& query, const ReadLimits& limits,
               ReadSpent* spent)
      : view_(std::move(view)),
        matchers_(query.matchers),
        range_{TimestampAtMs(query.start_ms, 0), TimestampAtMs(query.end_ms, 999'999)},
        limits_(limits),
        spent_(spent) {}
  ~RemoteReader() { limits_.memory->Give(charged_); }
  RemoteReader(const RemoteReader&) = delete;
  RemoteReader& operator=(const RemoteReader&) = delete;

  // Finds the series.
  Status Open() {
    const int64_t began = limits_.clock->SteadyNs();
    TM_TRY_ASSIGN(refs_, view_->Select(matchers_, range_, {.max_series = limits_.budget.max_series}));
    refs_ = view_->Present(std::move(refs_), range_);
    TM_RETURN_IF_ERROR(
        Charge(refs_.size() * (sizeof(model::SeriesRef) + sizeof(model::LabelViews) + sizeof(uint32_t))));
    labels_.resize(refs_.size());
    for (size_t i = 0; i < refs_.size(); ++i) {
      if (i % 1024 == 0) TM_RETURN_IF_ERROR(CheckEnd(began));
      view_->LabelsOf(refs_[i], &labels_[i]);
      TM_RETURN_IF_ERROR(Charge(labels_[i].capacity() * sizeof(model::LabelView)));
    }
    order_.resize(refs_.size());
    std::iota(order_.begin(), order_.end(), 0U);
    std::sort(order_.begin(), order_.end(),
              [this](uint32_t a, uint32_t b) { return labels_[a] != labels_[b] ? labels_[a] < labels_[b] : a < b; });
    spent_->ns += limits_.clock->SteadyNs() - began;
    return {};
  }

  // The next series that has samples; false: there is none. Valid until the next call.
  Result<bool> Next(run::Turn* turn, const ReadSeries** series) {
    while (ready_at_ == ready_.size()) {
      if (at_ == order_.size()) return false;
      TM_RETURN_IF_ERROR(ReadSome(turn));
    }
    *series = &ready_[ready_at_++];
    return true;
  }

 private:
  [[nodiscard]] Status CheckEnd(int64_t began) const {
    if (limits_.stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "the client went away");
    if (spent_->ns + limits_.clock->SteadyNs() - began > limits_.timeout_ns) {
      return MakeError(ErrorCode::kTimeout, "the read took longer than query.timeout; ask for less");
    }
    return {};
  }

  Status Charge(uint64_t bytes) {
    const uint64_t max = limits_.budget.max_bytes;
    if (max != 0 && charged_ + bytes > max) {
      return LimitExceeded(
          fmt::format("the read takes more than the memory budget of {}; ask for fewer series or a "
                      "shorter time",
                      text::PrintMebibytes(max)));
    }
    if (!limits_.memory->Take(bytes)) {
      return MakeError(ErrorCode::kResourceExhausted, "all queries together use all the memory there is for them");
    }
    charged_ += bytes;
    return {};
  }
  void Release(uint64_t bytes) {
    limits_.memory->Give(bytes);
    charged_ -= bytes;
  }

  // Reads the next series in the order of labels, those with equal labels as one.
  Status ReadSome(run::Turn* turn) {
    Release(std::exchange(ready_bytes_, 0));
    ready_.clear();
    ready_at_ = 0;
    const int64_t began = limits_.clock->SteadyNs();
    TM_RETURN_IF_ERROR(turn->Pass([&] { return CheckEnd(began); }));
    size_t end = std::min(at_ + together_, order_.size());
    while (end < order_.size() && labels_[order_[end]] == labels_[order_[end - 1]]) ++end;
    std::vector<uint32_t> by_ref(order_.begin() + static_cast<std::ptrdiff_t>(at_),
                                 order_.begin() + static_cast<std::ptrdiff_t>(end));
    std::sort(by_ref.begin(), by_ref.end());
    std::vector<model::SeriesRef> refs;
    refs.reserve(by_ref.size());
    for (const uint32_t index : by_ref) refs.push_back(refs_[index]);
    std::vector<model::ColumnBuffer> columns(by_ref.size());
    const auto cursor = view_->Scan(refs, range_);
    size_t longest = 1;
    for (model::ColumnBuffer& held : columns) {
      TM_RETURN_IF_ERROR(CheckEnd(began));
      model::Column column;
      TM_TRY_ASSIGN(const bool more, cursor->Next(&column));
      if (!more) return MakeError(ErrorCode::kInternal, "a scan ended before its last series");
      spent_->samples += column.size();
      if (limits_.budget.max_samples != 0 && spent_->samples > limits_.budget.max_samples) {
        return LimitExceeded(fmt::format("exceeded sample limit ({})", limits_.budget.max_samples));
      }
      longest = std::max(longest, column.size());
      // As read, and as it is handed on.
      ready_bytes_ += 2 * column.size() * kSampleBytes;
      TM_RETURN_IF_ERROR(Charge(2 * column.size() * kSampleBytes));
      held = frame::CopyAsDoubles(column);
    }
    // Damaged pages are left out of a query with a warning. Here there is nowhere to say so, and what the client takes
    // for whole it may keep.
    if (!cursor->warnings().empty()) return MakeError(ErrorCode::kCorruption, cursor->warnings().front());
    for (size_t i = at_; i < end;) {
      std::vector<model::ColumnBuffer> same;
      const model::LabelViews& labels = labels_[order_[i]];
      for (; i < end && labels_[order_[i]] == labels; ++i) {
        const auto at = std::lower_bound(by_ref.begin(), by_ref.end(), order_[i]);
        same.push_back(std::move(columns[static_cast<size_t>(at - by_ref.begin())]));
      }
      Append(labels, std::move(same));
    }
    at_ = end;
    together_ = std::clamp(kBytesTogether / (longest * kSampleBytes), size_t{1}, kSeriesTogether);
    spent_->ns += limits_.clock->SteadyNs() - began;
    return {};
  }

  void Append(const model::LabelViews& labels, std::vector<model::ColumnBuffer> columns) {
    model::ColumnBuffer merged;
    if (columns.size() > 1) {
      frame::UniteColumns(columns, &merged);
    } else {
      merged = std::move(columns.front());
    }
    if (merged.times.empty()) return;
    ReadSeries& series = ready_.emplace_back();
    series.labels = labels;
    for (size_t row = 0; row < merged.times.size(); ++row) {
      const int64_t ms = model::Timestamp{merged.times[row]}.FloorMs();
      // Of several within a millisecond the last.
      if (!series.times_ms.empty() && series.times_ms.back() == ms) {
        series.values.back() = merged.floats[row];
        continue;
      }
      series.times_ms.push_back(ms);
      series.values.push_back(merged.floats[row]);
    }
  }

  const std::shared_ptr<const storage::View> view_;
  const std::vector<model::Matcher> matchers_;
  const model::TimeRange range_;
  const ReadLimits limits_;
  std::vector<model::SeriesRef> refs_;
  std::vector<model::LabelViews> labels_;  // of refs_
  std::vector<uint32_t> order_;            // indices into refs_, by labels
  size_t at_ = 0;                          // in order_
  size_t together_ = kFirstTogether;
  std::vector<ReadSeries> ready_;
  size_t ready_at_ = 0;
  uint64_t ready_bytes_ = 0;
  uint64_t charged_ = 0;
  ReadSpent* const spent_;
};

// The frames of all queries, one after the other.
class ChunkStream {
 public:
  ChunkStream(std::shared_ptr<const storage::View> view, std::vector<ReadQuery> queries, ReadLimits limits)
      : view_(std::move(view)), queries_(std::move(queries)), limits_(std::move(limits)) {}

  // Appends frames until there are `bytes_min` or no more. true: there may be more.
  Result<bool> Write(run::Turn* turn, std::string* out, size_t bytes_min) {
    while (query_ < queries_.size()) {
      if (reader_ == nullptr) {
        reader_ = std::make_unique<RemoteReader>(view_, queries_[query_], limits_, &spent_);
        TM_RETURN_IF_ERROR(reader_->Open());
      }
      if (out->size() >= bytes_min) return true;
      const ReadSeries* series = nullptr;
      TM_TRY_ASSIGN(const bool more, reader_->Next(turn, &series));
      if (more) {
        AppendChunkedFrames(out, query_, *series);
      } else {
        reader_.reset();
        ++query_;
      }
    }
    return false;
  }

  [[nodiscard]] run::Turns* turns() const { return limits_.turns; }

 private:
  const std::shared_ptr<const storage::View> view_;
  const std::vector<ReadQuery> queries_;
  const ReadLimits limits_;
  ReadSpent spent_;
  size_t query_ = 0;
  std::unique_ptr<RemoteReader> reader_;
};

Reply StreamChunks(const std::shared_ptr<ChunkStream>& stream) {
  Reply reply;
  reply.content_type = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
  {
    run::Turn turn(stream->turns());
    const Result<bool> more = stream->Write(&turn, &reply.body, kFirstBytes);
    if (!more.ok()) return PlainError(more.error());
    if (!*more) return reply;
  }
  reply.rest = [stream](const Reply::Push& push) {
    run::Turn turn(stream->turns(), run::Turn::Work::kWriting);
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
      if (!total_->Take(bytes - bytes_)) {
        return MakeError(ErrorCode::kResourceExhausted, "all queries together use all the memory there is for them");
      }
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
  run::Turn turn(limits.turns);
  ReadSpent spent;
  AnswerMemory memory(limits.memory);
  std::vector<std::string> results;
  uint64_t bytes = 0;
  for (const ReadQuery& query : request.queries) {
    RemoteReader reader(view, query, limits, &spent);
    TM_RETURN_IF_ERROR(reader.Open());
    std::string& result = results.emplace_back();
    for (;;) {
      const ReadSeries* series = nullptr;
      TM_TRY_ASSIGN(const bool more, reader.Next(&turn, &series));
      if (!more) break;
      AppendTimeSeries(&result, *series);
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
  const ReadLimits limits{
      .budget = options_.budget,
      .memory = memory_,
      .clock = dependencies_.clock != nullptr ? dependencies_.clock : &SystemClock::Get(),
      .timeout_ns = options_.timeout_ms * 1'000'000,
      .stop = request.stop,
      .turns = turns_.get(),
  };
  if (read->chunks) return StreamChunks(std::make_shared<ChunkStream>(*view, std::move(read->queries), limits));
  Result<std::string> answer = ReadSamples(*view, *read, limits);
  if (!answer.ok()) return PlainError(answer.error());
  Reply reply;
  reply.content_type = "application/x-protobuf";
  reply.headers.emplace_back("Content-Encoding", "snappy");
  reply.body = std::move(answer).value();
  return reply;
}

}  // namespace tidemark::query::api
