// /api/v1/events: string points by matchers and time.
#include <fmt/core.h>

#include <algorithm>
#include <queue>
#include <string>
#include <utility>

#include "query/api/api.h"
#include "query/api/json.h"
#include "query/api/values.h"
#include "query/names/series_walk.h"
#include "query/promql/parser.h"
#include "query/run/query_state.h"

namespace tidemark::query::api {
namespace {

// An event that is kept, with the JSON of what follows its time.
struct Kept {
  int64_t ns = 0;
  std::string json;
  friend bool operator>(const Kept& a, const Kept& b) { return a.ns > b.ns; }
};

// Twice: it is in the body too in the end. The length, since capacity changes as events are moved about.
uint64_t BytesOf(const Kept& kept) { return sizeof(Kept) + 2 * kept.json.size(); }

// What is missing of the events of `range`. `dropped`: those that were too many.
std::vector<std::string> WarningsOf(const storage::View& view, model::TimeRange range, bool dropped) {
  std::vector<std::string> warnings = view.Warnings();
  // Only where somebody asks for that time: else each look at the newest events would say it.
  if (range.first != model::Timestamp::Min()) {
    if (const auto gone = view.RawGoneIn(range)) {
      warnings.push_back(fmt::format("events up to Unix time {} are gone: rollup tiers keep no texts",
                                     static_cast<double>(gone->range.last.FloorMs()) / 1000));
    }
  }
  if (dropped) warnings.emplace_back("older events were left out: raise limit or narrow start and end");
  return warnings;
}

}  // namespace

Result<EventFilter> QueryApi::ParseEventFilter(const ApiRequest& request) const {
  EventFilter filter{.database = {}, .matchers = {}, .filter = request.filter};
  filter.database = DatabaseOf(request);
  for (const std::string_view text : request.params.All("match[]")) {
    Result<std::vector<model::Matcher>> matchers = promql::ParseSelector(text, options_.parse);
    if (!matchers.ok()) return InvalidParameter("match[]", matchers.error());
    filter.matchers.push_back(std::move(matchers).value());
  }
  return filter;
}

Reply QueryApi::Events(const ApiRequest& request) const {
  Result<EventFilter> filter = ParseEventFilter(request);
  if (!filter.ok()) return ErrorReply(ErrorType::kBadData, filter.error().message);
  const Result<uint64_t> asked = ParseLimit(request.params.Get("limit"));
  if (!asked.ok()) return ErrorReply(ErrorType::kBadData, InvalidParameter("limit", asked.error()).message);
  const uint64_t limit = *asked == 0 ? options_.events_default : std::min(*asked, options_.events_max);
  model::TimeRange range;
  if (const std::string_view text = request.params.Get("start"); !text.empty()) {
    const Result<int64_t> ms = ParseTimeMs(text);
    if (!ms.ok()) return ErrorReply(ErrorType::kBadData, InvalidParameter("start", ms.error()).message);
    range.first = TimestampAtMs(*ms, 0);
  }
  if (const std::string_view text = request.params.Get("end"); !text.empty()) {
    const Result<int64_t> ms = ParseTimeMs(text);
    if (!ms.ok()) return ErrorReply(ErrorType::kBadData, InvalidParameter("end", ms.error()).message);
    range.last = TimestampAtMs(*ms, 999'999);
  }
  const auto view = OpenView(request);
  if (!view.ok()) return ErrorReply(view.error());
  if (filter->matchers.empty()) filter->matchers.emplace_back();
  run::QueryState state(ContextFor(request, *view));
  run::Reservation memory(&state);
  uint64_t held = 0;
  const auto look = [&]() -> Status {
    TM_RETURN_IF_ERROR(state.CheckInterrupt());
    return memory.Set(held);
  };
  std::vector<model::SeriesRef> refs;
  const auto look_at = [&](uint64_t bytes) {
    held = bytes;
    return look();
  };
  const Status found =
      names::SelectAll(**view, filter->matchers, range, {.numeric = false}, options_.series_max, look_at, &refs);
  if (!found.ok()) return ErrorReply(found.error());
  std::priority_queue<Kept, std::vector<Kept>, std::greater<>> newest;
  const auto cursor = (*view)->Scan(refs, range);
  model::Column column;
  model::LabelViews labels;
  bool dropped = false;
  for (;;) {
    const Result<bool> more = cursor->Next(&column);
    if (!more.ok()) return ErrorReply(more.error());
    if (!*more) break;
    if (const Status status = look(); !status.ok()) return ErrorReply(status.error());
    if (column.empty() || column.type != model::FieldType::kString) continue;
    (*view)->LabelsOf(column.ref, &labels);
    // From the newest back: the first that is too old ends the series.
    for (size_t row = column.size(); row-- > 0;) {
      const int64_t ns = column.times[row];
      if (newest.size() >= limit) {
        dropped = true;
        if (ns <= newest.top().ns) break;
        held -= BytesOf(newest.top());
        newest.pop();
      }
      Kept kept{ns, {}};
      AppendEventJson(&kept.json, {model::Timestamp{ns}, labels, column.strings[row]});
      held += BytesOf(kept);
      newest.push(std::move(kept));
    }
  }
  std::vector<Kept> events;
  for (; !newest.empty(); newest.pop()) events.push_back(newest.top());
  std::string body = BeginSuccess();
  body += '[';
  for (size_t i = 0; i < events.size(); ++i) {
    if (i > 0) body += ',';
    body += events[i].json;
  }
  body += ']';
  std::vector<std::string> warnings = WarningsOf(**view, range, dropped);
  warnings.insert(warnings.end(), cursor->warnings().begin(), cursor->warnings().end());
  return EndSuccess(std::move(body), warnings);
}

}  // namespace tidemark::query::api
