// GET /api/v1/rows: rows as they are stored, exactly: times in nanoseconds, 64-bit integers digit by digit. The other
// endpoints know milliseconds and doubles. README.md has the format.
#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "query/api/api.h"
#include "query/api/json.h"
#include "query/api/name_cursor.h"
#include "query/api/selection.h"
#include "query/names/series_walk.h"
#include "query/run/query_state.h"
#include "storage/model/column.h"
#include "storage/model/stale_marker.h"

namespace tidemark::query::api {
namespace {

// Text before the reply begins: what goes wrong until then is told with its status.
constexpr size_t kFirstBytes = size_t{256} << 10;
constexpr size_t kPieceBytes = size_t{64} << 10;
constexpr size_t kRowsInLine = 1000;
// A field's names, about, and its place in a table.
constexpr size_t kFieldBytes = 256;

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

// JSON has no number for what is not finite. Of the NaNs, those that others may mean something by keep their bits.
void AppendDouble(std::string* out, double value) {
  if (std::isfinite(value)) {
    AppendFloat(out, value);
    return;
  }
  const auto bits = std::bit_cast<uint64_t>(value);
  out->push_back('"');
  if (model::IsStaleMarker(value)) {
    out->append("stale");
  } else if (std::isnan(value) && bits != std::bit_cast<uint64_t>(std::numeric_limits<double>::quiet_NaN())) {
    fmt::format_to(std::back_inserter(*out), "NaN:{:016x}", bits);
  } else {
    AppendFloat(out, value);
  }
  out->push_back('"');
}

// Of the fields of `refs`, measurement and name, which a metric's name does not tell apart.
using FieldNames = std::unordered_map<uint32_t, storage::FieldDescription>;

FieldNames NamesOf(const storage::View& view, std::span<const model::SeriesRef> refs) {
  FieldNames names;
  for (const model::SeriesRef& ref : refs) names.try_emplace(model::Number(view.NewestOf(ref.field)));
  for (storage::FieldDescription& field : view.Fields()) {
    const auto at = names.find(model::Number(field.id));
    if (at != names.end()) at->second = std::move(field);
  }
  return names;
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
  // `held`: the memory of `refs` among that of all queries.
  RowStream(std::shared_ptr<const storage::View> view, std::vector<model::SeriesRef> refs,
            std::shared_ptr<const void> held, model::TimeRange range)
      : view_(std::move(view)),
        held_(std::move(held)),
        refs_(std::move(refs)),
        names_(NamesOf(*view_, refs_)),
        rows_(std::make_unique<NameCursor>(view_, refs_, range)) {
    if (const auto gone = view_->RawGoneIn(range)) {
      gone_ = fmt::format("rows from {} to {} ns are gone; rollup tiers of them are left, which are not rows",
                          gone->range.first.ns, gone->range.last.ns);
    }
  }

  // Appends lines until there are `bytes_min` or no more. true: there may be more. `look` says whether to go on.
  Result<bool> Write(std::string* out, size_t bytes_min, const std::function<Status()>& look) {
    while (out->size() < bytes_min) {
      TM_RETURN_IF_ERROR(look());
      if (at_ == column_.size()) {
        TM_TRY_ASSIGN(const bool more, rows_->Next(&column_));
        if (!more) {
          AppendEnd(out);
          return false;
        }
        at_ = 0;
        // A series whose field has got another type comes in pieces.
        series_ += column_.empty() || column_.ref == last_ ? 0 : 1;
        if (!column_.empty()) last_ = column_.ref;
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
      if (const auto name = names_.find(model::Number(column_.ref.field));
          name != names_.end() && name->second.id != model::FieldId{}) {
        line.String("measurement", name->second.measurement);
        line.String("field", name->second.field);
      }
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
  const std::shared_ptr<const void> held_;
  const std::vector<model::SeriesRef> refs_;
  const FieldNames names_;
  const std::unique_ptr<storage::ColumnCursor> rows_;
  std::string gone_;
  model::Column column_;
  size_t at_ = 0;            // in column_
  model::SeriesRef last_{};  // the series of the last rows
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
  run::QueryState state(ContextFor(request, *view));
  std::vector<model::SeriesRef> refs;
  {
    run::Reservation memory(&state);
    const auto look = [&](uint64_t bytes) {
      Status status = state.CheckInterrupt();
      return status.ok() ? memory.Set(bytes) : status;
    };
    const Status found =
        names::SelectAll(**view, selection->matchers, selection->range, {}, options_.series_max, look, &refs);
    if (!found.ok()) return ErrorReply(found.error());
  }
  // A field is known by a series at least.
  const size_t fields = std::min(refs.size(), (*view)->Fields().size());
  Result<std::shared_ptr<const void>> held =
      run::HoldBytes(MemoryOf(request), refs.size() * sizeof(model::SeriesRef) + fields * kFieldBytes);
  if (!held.ok()) return ErrorReply(held.error());
  const auto stream = std::make_shared<RowStream>(*view, std::move(refs), std::move(held).value(), selection->range);
  Reply reply;
  reply.content_type = "application/x-ndjson";
  const Result<bool> first = stream->Write(&reply.body, kFirstBytes, [&state] { return state.CheckInterrupt(); });
  if (!first.ok()) return ErrorReply(first.error());
  if (!*first) return reply;
  reply.rest = [stream, turns = turns_.get(), stop = request.stop, client = request.client](const Reply::Push& push) {
    run::Turn turn(turns, run::Turn::Work::kWriting, {.deadline_ns = 0, .stop = stop}, client);
    const auto gone = [&stop]() -> Status {
      if (!stop.stop_requested()) return {};
      return MakeError(ErrorCode::kCancelled, "the client went away");
    };
    for (;;) {
      std::string piece;
      const Result<bool> more = stream->Write(&piece, kPieceBytes, [&turn, &gone]() -> Status {
        TM_RETURN_IF_ERROR(gone());
        return turn.Pass(gone);
      });
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
