#include "tools/server/admin/row_import.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "query/api/envelope.h"
#include "storage/base/text/json_string.h"
#include "storage/model/batch.h"
#include "tools/transfer/exact_lines.h"
#include "tools/transfer/piece.h"
#include "tools/transfer/piece_batch.h"

namespace tidemark::server {
namespace {

// Points of one write.
constexpr size_t kBatchPoints = 50'000;
// Rejections that an answer names; all are counted.
constexpr size_t kNamedMax = 100;

class Import {
 public:
  Import(model::PointSink* sink, std::string_view database) : sink_(sink), database_(database) {}

  Status Take(std::string_view body) {
    for (uint64_t number = 1; !body.empty(); ++number) {
      const size_t end = std::min(body.find('\n'), body.size());
      const std::string_view line = body.substr(0, end);
      body.remove_prefix(std::min(end + 1, body.size()));
      if (line.empty() || line == "\r") continue;
      if (const Status taken = TakeLine(line, number); !taken.ok()) {
        return taken.error().Within(fmt::format("line {}", number));
      }
    }
    return Write();
  }

  [[nodiscard]] std::string Json() const {
    std::string out = fmt::format(R"({{"points":{},"rejected":{},"rejections":[)", points_, rejected_);
    for (size_t i = 0; i < named_.size(); ++i) {
      out += fmt::format(R"({}{{"line":{},"message":)", i == 0 ? "" : ",", named_[i].first);
      text::AppendJsonString(&out, named_[i].second);
      out += '}';
    }
    return out + "]}";
  }

 private:
  Status TakeLine(std::string_view line, uint64_t number) {
    transfer::ExportEnd end;
    TM_TRY_ASSIGN(const transfer::LineReader::Kind kind, reader_.Read(line, &piece_, &end));
    if (kind == transfer::LineReader::Kind::kEnd) return {};
    if (const Status added = AddTo(piece_, &batch_); !added.ok()) {
      Reject(number, piece_.size(), added.error().message);
      return {};
    }
    pending_.push_back({held_, number});
    held_ += piece_.size();
    return held_ < kBatchPoints ? Status() : Write();
  }

  void Reject(uint64_t number, uint64_t points, const std::string& why) {
    rejected_ += points;
    if (named_.size() < kNamedMax) named_.emplace_back(number, why);
  }

  Status Write() {
    if (held_ == 0) return {};
    TM_TRY_ASSIGN(const model::WriteReport report, sink_->Write(database_, batch_.batch()));
    points_ += report.points_written;
    rejected_ += report.rows_rejected;
    for (const model::Rejection& rejection : report.rejections) {
      if (named_.size() == kNamedMax) break;
      named_.emplace_back(LineOf(rejection.line), rejection.error.message);
    }
    batch_.Clear();
    pending_.clear();
    held_ = 0;
    return {};
  }

  // Of the row with this number, from 1.
  [[nodiscard]] uint64_t LineOf(uint32_t row) const {
    const auto behind = std::upper_bound(pending_.begin(), pending_.end(), row,
                                         [](uint32_t wanted, const Pending& one) { return wanted <= one.rows_before; });
    return behind == pending_.begin() ? 0 : std::prev(behind)->line;
  }

  struct Pending {
    size_t rows_before;
    uint64_t line;
  };

  model::PointSink* const sink_;
  const std::string_view database_;
  transfer::LineReader reader_;
  transfer::Piece piece_;
  model::BatchBuilder batch_;
  std::vector<Pending> pending_;  // what is in batch_
  size_t held_ = 0;               // rows in it, each of one point
  uint64_t points_ = 0;
  uint64_t rejected_ = 0;
  std::vector<std::pair<uint64_t, std::string>> named_;
};

}  // namespace

http::Response ImportRows(model::PointSink* sink, std::string_view database, std::string_view body) {
  using query::api::ErrorType;
  Import import(sink, database);
  if (const Status taken = import.Take(body); !taken.ok()) {
    const Error& error = taken.error();
    query::api::Reply reply = error.code == ErrorCode::kInvalidArgument
                                  ? query::api::ErrorReply(ErrorType::kBadData, error.message)
                                  : query::api::ErrorReply(error);
    return http::JsonResponse(reply.status, std::move(reply.body));
  }
  return http::JsonResponse(200, R"({"status":"success","data":)" + import.Json() + '}');
}

}  // namespace tidemark::server
