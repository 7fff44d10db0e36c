// GET /api/v1/rows: rows as they are stored, exactly: times in nanoseconds, 64-bit integers digit by digit. The other
// endpoints know milliseconds and doubles. README.md has the format.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "query/api/api.h"
#include "query/api/json.h"
#include "query/api/selection.h"
#include "storage/model/column.h"
#include "storage/model/stale_marker.h"

namespace tidemark::query::api {
namespace {

// Text before the reply begins: what goes wrong until then is told with its status.
constexpr size_t kFirstBytes = size_t{256} << 10;
constexpr size_t kPieceBytes = size_t{64} << 10;
constexpr size_t kRowsInLine = 1000;

std::string_view NameOf(model::FieldType type) {
  switch (type) {
    case model::FieldType::kFloat: return "float";
    case model::FieldType::kInt: return "integer";
    case model::FieldType::kUInt: return "unsigned";
    case model::FieldType::kBool: return "boolean";
    case model::FieldType::kString: return "string";
  }
  return "";
}

// JSON has no number for what is not finite.
void AppendDouble(std::string* out, double value) {
  if (std::isfinite(value)) {
    AppendFloat(out, value);
    return;
  }
  out->push_back('"');
  if (model::IsStaleMarker(value)) {
    out->append("stale");
  } else {
    AppendFloat(out, value);
  }
  out->push_back('"');
}

void AppendValue(std::string* out, const model::Column& column, size_t row) {
  switch (column.type) {
    case model::FieldType::kFloat: AppendDouble(out, model::DoubleAt(column, row)); break;
    case model::FieldType::kInt: AppendInteger(out, column.ints[row]); break;
    case model::FieldType::kUInt: AppendInteger(out, static_cast<uint64_t>(column.ints[row])); break;
    case model::FieldType::kBool: out->append(column.ints[row] != 0 ? "true" : "false"); break;
    case model::FieldType::kString: AppendJsonString(out, column.strings[row]); break;
  }
}

// The lines of all series, one after the other.
class RowStream {
 public:
  RowStream(std::shared_ptr<const storage::View> view, std::vector<model::SeriesRef> refs, model::TimeRange range,
            std::stop_token stop)
      : view_(std::move(view)), refs_(std::move(refs)), stop_(std::move(stop)), rows_(view_->Scan(refs_, range)) {
    if (const auto gone = view_->RawGoneIn(range)) {
      gone_ = fmt::format("rows from {} to {} ns are gone; rollup tiers of them are left, which are not rows",
                          gone->range.first.ns, gone->range.last.ns);
    }
  }

  // Appends lines until there are `bytes_min` or no more. true: there may be more.
  Result<bool> Write(std::string* out, size_t bytes_min) {
    while (out->size() < bytes_min) {
      if (stop_.stop_requested()) return MakeError(ErrorCode::kCancelled, "the client went away");
      if (at_ == column_.size()) {
        TM_TRY_ASSIGN(const bool more, rows_->Next(&column_));
        if (!more) {
          AppendEnd(out);
          return false;
        }
        at_ = 0;
        series_ += column_.empty() ? 0 : 1;
        continue;
      }
      AppendLine(out);
    }
    return true;
  }

 private:
  void AppendLine(std::string* out) {
    const size_t end = std::min(column_.size(), at_ + kRowsInLine);
    view_->LabelsOf(column_.ref, &labels_);
    {
      JsonObject line(out);
      AppendLabels(line.Key("labels"), std::span<const model::LabelView>(labels_));
      line.String("type", NameOf(column_.type));
      line.Key("times_ns")->push_back('[');
      for (size_t row = at_; row < end; ++row) {
        if (row > at_) out->push_back(',');
        AppendInteger(out, column_.times[row]);
      }
      out->push_back(']');
      line.Key("values")->push_back('[');
      for (size_t row = at_; row < end; ++row) {
        if (row > at_) out->push_back(',');
        AppendValue(out, column_, row);
      }
      out->push_back(']');
    }
    out->push_back('\n');
    count_ += end - at_;
    at_ = end;
  }

  // Without this line a part would look like the whole.
  void AppendEnd(std::string* out) {
    std::vector<std::string> warnings = rows_->warnings();
    if (!gone_.empty()) warnings.push_back(gone_);
    {
      JsonObject line(out);
      JsonObject end(line.Key("end"));
      end.Integer("series", series_);
      end.Integer("rows", count_);
      AppendStrings(end.Key("warnings"), warnings);
    }
    out->push_back('\n');
  }

  const std::shared_ptr<const storage::View> view_;
  const std::vector<model::SeriesRef> refs_;
  const std::stop_token stop_;
  const std::unique_ptr<storage::ColumnCursor> rows_;
  std::string gone_;
  model::Column column_;
  size_t at_ = 0;  // in column_
  model::LabelViews labels_;
  uint64_t series_ = 0;
  uint64_t count_ = 0;
};

}  // namespace

Reply QueryApi::Rows(const ApiRequest& request) const {
  const Result<Selection> selection = ParseSelection(request, true);
  if (!selection.ok()) return ErrorReply(ErrorType::kBadData, selection.error().message);
  const auto view = OpenView(request);
  if (!view.ok()) return ErrorReply(ExecutionErrorType(view.error().code), view.error().message);
  std::vector<model::SeriesRef> refs;
  for (const std::vector<model::Matcher>& matchers : selection->matchers) {
    const auto some = (*view)->Select(matchers, selection->range,
                                      {.numeric = true, .strings = true, .max_series = options_.series_max});
    if (!some.ok()) return ErrorReply(ExecutionErrorType(some.error().code), some.error().message);
    refs.insert(refs.end(), some->begin(), some->end());
  }
  std::sort(refs.begin(), refs.end());
  refs.erase(std::unique(refs.begin(), refs.end()), refs.end());
  refs = (*view)->Present(std::move(refs), selection->range);
  const auto stream = std::make_shared<RowStream>(*view, std::move(refs), selection->range, request.stop);
  Reply reply;
  reply.content_type = "application/x-ndjson";
  {
    run::Turn turn(turns_.get());
    const Result<bool> more = stream->Write(&reply.body, kFirstBytes);
    if (!more.ok()) return ErrorReply(ExecutionErrorType(more.error().code), more.error().message);
    if (!*more) return reply;
  }
  reply.rest = [stream, turns = turns_.get()](const Reply::Push& push) {
    run::Turn turn(turns, run::Turn::Work::kWriting);
    for (;;) {
      std::string piece;
      const Result<bool> more = stream->Write(&piece, kPieceBytes);
      // The status has gone: the line that ends an export is missing, and this one says why.
      if (!more.ok()) {
        JsonObject line(&piece);
        line.String("error", more.error().message);
      }
      if (!more.ok()) piece.push_back('\n');
      turn.Rest();
      if (!push(std::move(piece)) || !more.ok() || !*more) return;
    }
  };
  return reply;
}

}  // namespace tidemark::query::api
