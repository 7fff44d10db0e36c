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
#include "tools/transfer/mixed_types.h"
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
    // Only a body that has both words can have a field of both types; others are read once.
    if (body.contains(R"("float")") && (body.contains(R"("integer")") || body.contains(R"("unsigned")"))) {
      // Behind a line that is none nothing is written, so that nothing needs to be known of it.
      (void)EachLine(body, [this](uint64_t) -> Status {
        types_.Add({}, piece_);
        return {};
      });
    }
    if (types_.any()) {
      // What is wrong with a line is told by the second reading, when all in front of it is written.
      const Status first = EachLine(body, [this](uint64_t number) { return TakeIf(true, number); });
      if (write_failed_) return first;
      TM_RETURN_IF_ERROR(Write());
    }
    const Status all = EachLine(body, [this](uint64_t number) { return TakeIf(false, number); });
    if (write_failed_) return all;
    // What stands in front of a line that is none is written too.
    TM_RETURN_IF_ERROR(Write());
    return all;
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
  // Calls `take` with the number of each line that is a piece, which is piece_ then.
  template <typename Take>
  Status EachLine(std::string_view body, const Take& take) {
    transfer::ExportEnd last;
    for (uint64_t number = 1; !body.empty(); ++number) {
      const size_t end = std::min(body.find('\n'), body.size());
      const std::string_view line = body.substr(0, end);
      body.remove_prefix(std::min(end + 1, body.size()));
      if (line.empty() || line == "\r") continue;
      const Result<transfer::LineReader::Kind> kind = reader_.Read(line, &piece_, &last);
      Status good;
      if (!kind.ok()) {
        good = kind.error();
      } else if (*kind == transfer::LineReader::Kind::kPiece) {
        good = take(number);
      }
      if (!good.ok()) return good.error().Within(fmt::format("line {}", number));
    }
    return {};
  }

  // Takes the piece at hand when it is one of those that go first, or when it is not.
  Status TakeIf(bool goes_first, uint64_t number) {
    if (types_.GoesFirst({}, piece_) != goes_first) return {};
    Status taken = TakePiece(number);
    write_failed_ = !taken.ok();
    return taken;
  }

  Status TakePiece(uint64_t number) {
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
  transfer::MixedTypes types_;
  bool write_failed_ = false;
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
