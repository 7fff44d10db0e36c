// The endpoints about names: labels, label values, series, metadata.
#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "query/api/api.h"
#include "query/api/json.h"
#include "query/api/selection.h"
#include "query/api/values.h"
#include "query/frame/frame_order.h"
#include "query/names/name_lists.h"
#include "query/names/series_walk.h"
#include "query/promql/parser.h"
#include "query/run/query_state.h"

namespace tidemark::query::api {
namespace {

constexpr std::string_view kTruncated = "results truncated due to limit";
// A limit up to which only as many series are looked at as are shown; more are sorted all.
constexpr uint64_t kLimitOfSome = 10'000;

// Whether `text` is valid UTF-8 and not empty: what Prometheus 3 takes for a label name.
bool IsLabelName(std::string_view text) {
  if (text.empty()) return false;
  // The JSON writer marks every invalid byte; a name that holds U+FFFD itself is no name anybody uses.
  std::string json;
  AppendJsonString(&json, text);
  return json.find("\\ufffd") == std::string::npos;
}

// The first `limit` of `strings`; 0: all. `truncated`: there are others that are not among them.
Reply StringsReply(std::vector<std::string> strings, bool truncated, uint64_t limit, std::vector<std::string> warnings,
                   names::NamesWatch* watch) {
  constexpr size_t kStringsPerLook = 4096;
  constexpr size_t kBytesPerString = 24;
  if (limit != 0 && strings.size() > limit) {
    strings.resize(limit);
    truncated = true;
  }
  if (truncated) warnings.emplace_back(kTruncated);
  const uint64_t held = names::BytesOf(strings);
  const size_t text = 64 + strings.size() * kBytesPerString;
  if (const Status room = watch->Look(held + text); !room.ok()) return ErrorReply(room.error());
  std::string body = BeginSuccess(text);
  body += '[';
  for (size_t i = 0; i < strings.size(); ++i) {
    if (i % kStringsPerLook == kStringsPerLook - 1) {
      if (const Status room = watch->Look(held + body.capacity()); !room.ok()) return ErrorReply(room.error());
    }
    if (i > 0) body += ',';
    AppendJsonString(&body, strings[i]);
  }
  body += ']';
  return EndSuccess(std::move(body), warnings);
}

// What the last part of a metric's name says about it, by the conventions of Prometheus clients.
std::string_view GuessType(std::string_view metric) {
  if (metric.ends_with("_total") || metric.ends_with("_count") || metric.ends_with("_sum")) return "counter";
  if (metric.ends_with("_bucket")) return "histogram";
  return "unknown";
}

// The name without what the parts of a histogram end with; empty for other names.
std::string_view HistogramOf(std::string_view metric) {
  for (const std::string_view suffix : {"_bucket", "_sum", "_count"}) {
    if (metric.ends_with(suffix)) return metric.substr(0, metric.size() - suffix.size());
  }
  return {};
}

// The family of a metric that nobody has sent metadata of; `metrics` has all names.
MetadataBook::Family GuessFamily(std::string_view metric, const std::set<std::string, std::less<>>& metrics) {
  const std::string histogram(HistogramOf(metric));
  if (!histogram.empty() && metrics.contains(histogram + "_bucket")) return {histogram, {"histogram", {}, {}}};
  return {std::string(metric), {std::string(GuessType(metric)), {}, {}}};
}

// The label sets of series, each once and in their order, within the budget of a query.
class SeriesNames {
 public:
  explicit SeriesNames(run::QueryState* state) : state_(*state), label_memory_(state), text_memory_(state) {}

  // Takes what All will hold of `count` series at least, by what the labels of `some` of them take: too much is refused
  // while nothing of it is there.
  Status Expect(const storage::View& view, std::span<const model::SeriesRef> some, uint64_t count) {
    some = some.first(std::min(some.size(), kRowsPerLook));
    model::LabelViews labels;
    uint64_t held = 0;
    for (const model::SeriesRef ref : some) {
      view.LabelsOf(ref, &labels);
      held += labels.size() * sizeof(model::LabelView);
    }
    expected_ = std::max(expected_, count * kFixed + (some.empty() ? 0 : held * (count / some.size())));
    return label_memory_.Set(expected_);
  }

  Status All(const storage::View& view, std::span<const model::SeriesRef> refs) {
    const uint64_t fixed = refs.size() * kFixed;
    TM_RETURN_IF_ERROR(label_memory_.Set(std::max(expected_, fixed)));
    labels_.resize(refs.size());
    uint64_t held = 0;  // beside that
    for (size_t i = 0; i < refs.size(); ++i) {
      // At least half of what the first ones say of all: too much is refused soon, and not when most of it is there.
      const uint64_t expected = i == 0 ? 0 : held / i * refs.size() / 2;
      TM_RETURN_IF_ERROR(Look(i, std::max(expected_, fixed + std::max(held, expected))));
      view.LabelsOf(refs[i], &labels_[i]);
      held += labels_[i].capacity() * sizeof(model::LabelView);
    }
    TM_RETURN_IF_ERROR(label_memory_.Set(fixed + held));
    std::vector<uint32_t> order(refs.size());
    std::iota(order.begin(), order.end(), 0U);
    const auto less = [this](uint32_t a, uint32_t b) { return labels_[a] < labels_[b]; };
    TM_RETURN_IF_ERROR(frame::StableSort(&order, less, &state_));
    const auto same = [this](uint32_t a, uint32_t b) { return labels_[a] == labels_[b]; };
    order.erase(std::unique(order.begin(), order.end(), same), order.end());
    shown_.reserve(order.size());
    for (const uint32_t at : order) shown_.push_back(&labels_[at]);
    return {};
  }

  // Adds `refs` until there are `limit` label sets: what is held and what it costs grow with the limit, not with the
  // series. Which are first by their names only a look at all of them would tell.
  Status AddSome(const storage::View& view, std::span<const model::SeriesRef> refs, uint64_t limit) {
    model::LabelViews labels;
    for (size_t i = 0; i < refs.size() && !truncated_; ++i) {
      TM_RETURN_IF_ERROR(Look(i, held_));
      view.LabelsOf(refs[i], &labels);
      if (first_.size() == limit) {
        truncated_ = !first_.contains(labels);
        continue;
      }
      const auto [at, added] = first_.insert(labels);
      if (!added) continue;
      held_ += kBytesPerNode + at->capacity() * sizeof(model::LabelView);
      shown_.clear();
    }
    if (shown_.empty()) {
      for (const model::LabelViews& each : first_) shown_.push_back(&each);
    }
    return {};
  }

  // Of all, the first `limit`; 0: all.
  void Cut(uint64_t limit) {
    if (limit == 0 || shown_.size() <= limit) return;
    shown_.resize(limit);
    truncated_ = true;
  }

  [[nodiscard]] bool truncated() const { return truncated_; }

  Status Write(std::string* body) {
    *body = BeginSuccess(64 + std::min<size_t>(shown_.size(), 100'000) * 160);
    *body += '[';
    for (size_t i = 0; i < shown_.size(); ++i) {
      if (i % kRowsPerLook == 0) {
        TM_RETURN_IF_ERROR(state_.CheckInterrupt());
        TM_RETURN_IF_ERROR(text_memory_.Set(body->capacity()));
      }
      if (i > 0) *body += ',';
      AppendLabels(body, std::span<const model::LabelView>(*shown_[i]));
    }
    *body += ']';
    return {};
  }

 private:
  static constexpr size_t kRowsPerLook = 1024;
  // Of a set, beside the labels.
  static constexpr uint64_t kBytesPerNode = 64;
  // Of a series of all, beside the labels.
  static constexpr uint64_t kFixed = sizeof(model::LabelViews) + 2 * sizeof(uint32_t);

  Status Look(size_t row, uint64_t held) {
    if (row % kRowsPerLook != 0) return {};
    TM_RETURN_IF_ERROR(state_.CheckInterrupt());
    return label_memory_.Set(held);
  }

  run::QueryState& state_;
  run::Reservation label_memory_;
  run::Reservation text_memory_;
  std::vector<model::LabelViews> labels_;
  std::set<model::LabelViews> first_;
  uint64_t held_ = 0;  // by those
  uint64_t expected_ = 0;
  std::vector<const model::LabelViews*> shown_;
  bool truncated_ = false;
};

class QueryNamesWatch final : public names::NamesWatch {
 public:
  QueryNamesWatch(const run::QueryContext& context, size_t series_max)
      : state_(context), memory_(&state_), series_max_(series_max) {}
  Status Look(uint64_t held_bytes) override {
    TM_RETURN_IF_ERROR(state_.CheckInterrupt());
    return memory_.Set(held_bytes);
  }
  size_t series_max() const override { return series_max_; }

 private:
  run::QueryState state_;
  run::Reservation memory_;
  const size_t series_max_;
};

}  // namespace

std::unique_ptr<names::NamesWatch> QueryApi::WatchNames(const ApiRequest& request,
                                                        std::shared_ptr<const storage::View> view) const {
  ApiRequest quiet = request;
  quiet.on_deadline = nullptr;
  return std::make_unique<QueryNamesWatch>(ContextFor(quiet, std::move(view)), options_.series_max);
}

Result<QueryApi::Selection> QueryApi::ParseSelection(const ApiRequest& request, bool matchers_needed) const {
  Selection selection;
  const Result<uint64_t> limit = ParseLimit(request.params.Get("limit"));
  if (!limit.ok()) return InvalidParameter("limit", limit.error());
  selection.limit = *limit;
  const std::vector<std::string_view> texts = request.params.All("match[]");
  if (matchers_needed && texts.empty()) return InvalidArgument("no match[] parameter provided");
  if (const std::string_view text = request.params.Get("start"); !text.empty()) {
    const Result<int64_t> ms = ParseTimeMs(text);
    if (!ms.ok()) return InvalidParameter("start", ms.error().Within("Invalid time value for 'start'"));
    selection.range.first = TimestampAtMs(*ms, 0);
  }
  if (const std::string_view text = request.params.Get("end"); !text.empty()) {
    const Result<int64_t> ms = ParseTimeMs(text);
    if (!ms.ok()) return InvalidParameter("end", ms.error().Within("Invalid time value for 'end'"));
    selection.range.last = TimestampAtMs(*ms, 999'999);
  }
  for (const std::string_view text : texts) {
    Result<std::vector<model::Matcher>> matchers = promql::ParseSelector(text, options_.parse);
    if (!matchers.ok()) return matchers_needed ? InvalidParameter("match[]", matchers.error()) : matchers.error();
    selection.matchers.push_back(std::move(matchers).value());
  }
  return selection;
}

Reply QueryApi::Labels(const ApiRequest& request) const {
  const Result<Selection> selection = ParseSelection(request, false);
  if (!selection.ok()) return ErrorReply(ErrorType::kBadData, selection.error().message);
  const auto view = OpenView(request);
  if (!view.ok()) return ErrorReply(ExecutionErrorType(view.error().code), view.error().message);
  std::vector<std::vector<model::Matcher>> sets = selection->matchers;
  if (sets.empty()) sets.emplace_back();
  QueryNamesWatch watch(ContextFor(request, *view), options_.series_max);
  Result<std::vector<std::string>> found = names::LabelNames(**view, {.sets = sets, .range = selection->range}, &watch);
  if (!found.ok()) return ErrorReply(found.error());
  return StringsReply(std::move(found).value(), false, selection->limit, (*view)->Warnings(), &watch);
}

Reply QueryApi::LabelValues(const ApiRequest& request, std::string_view name) const {
  const std::string label = UnescapeLabelName(name);
  if (!IsLabelName(label)) return ErrorReply(ErrorType::kBadData, "invalid label name: " + Quoted(name));
  const Result<Selection> selection = ParseSelection(request, false);
  if (!selection.ok()) return ErrorReply(ErrorType::kBadData, selection.error().message);
  const auto view = OpenView(request);
  if (!view.ok()) return ErrorReply(ExecutionErrorType(view.error().code), view.error().message);
  std::vector<std::vector<model::Matcher>> sets = selection->matchers;
  if (sets.empty()) sets.emplace_back();
  QueryNamesWatch watch(ContextFor(request, *view), options_.series_max);
  Result<names::Names> found = names::LabelValues(**view, label, {.sets = sets, .range = selection->range},
                                                  selection->limit <= kLimitOfSome ? selection->limit : 0, &watch);
  if (!found.ok()) return ErrorReply(found.error());
  // The first in order where all are known, else those that stand first in storage.
  if (!found->all) found->names.resize(selection->limit);
  std::sort(found->names.begin(), found->names.end());
  return StringsReply(std::move(found->names), !found->all, selection->limit, (*view)->Warnings(), &watch);
}

Reply QueryApi::Series(const ApiRequest& request) const {
  const Result<Selection> selection = ParseSelection(request, true);
  if (!selection.ok()) return ErrorReply(ErrorType::kBadData, selection.error().message);
  const auto view = OpenView(request);
  if (!view.ok()) return ErrorReply(view.error());
  run::QueryState state(ContextFor(request, *view));
  run::Reservation ref_memory(&state);
  SeriesNames names(&state);
  const bool some_only = selection->limit != 0 && selection->limit <= kLimitOfSome;
  if (some_only) {
    for (const auto& matchers : selection->matchers) {
      names::SeriesWalk walk(
          **view, matchers, selection->range,
          {.at_most = names::kFirstPart, .enough = std::min<size_t>(selection->limit + 1, names::kFirstPart)});
      std::vector<model::SeriesRef> part;
      while (!names.truncated()) {
        Status status = state.CheckInterrupt();
        if (status.ok()) status = ref_memory.Set(part.capacity() * sizeof(model::SeriesRef));
        if (!status.ok()) return ErrorReply(status.error());
        const Result<bool> more = walk.Next(&part);
        if (!more.ok()) return ErrorReply(more.error());
        if (!*more) break;
        if (const Status added = names.AddSome(**view, part, selection->limit); !added.ok()) {
          return ErrorReply(added.error());
        }
      }
    }
  } else {
    std::vector<model::SeriesRef> refs;
    const auto look = [&](uint64_t held) {
      Status status = state.CheckInterrupt();
      return status.ok() ? ref_memory.Set(held) : status;
    };
    const auto expect = [&](std::span<const model::SeriesRef> some, uint64_t count) {
      return names.Expect(**view, some, count);
    };
    Status found =
        names::SelectAll(**view, selection->matchers, selection->range, {}, options_.series_max, look, expect, &refs);
    if (found.ok()) found = names.All(**view, refs);
    if (!found.ok()) return ErrorReply(found.error());
    names.Cut(selection->limit);
  }
  std::vector<std::string> warnings = (*view)->Warnings();
  if (names.truncated()) warnings.emplace_back(kTruncated);
  std::string body;
  if (const Status written = names.Write(&body); !written.ok()) return ErrorReply(written.error());
  return EndSuccess(std::move(body), warnings);
}

Reply QueryApi::Metadata(const ApiRequest& request) const {
  uint64_t limits[2] = {0, 0};
  constexpr std::string_view kLimits[2] = {"limit", "limit_per_metric"};
  bool none = false;
  for (size_t i = 0; i < 2; ++i) {
    if (request.params.Get(kLimits[i]).empty()) continue;
    const Result<uint64_t> limit = ParseLimit(request.params.Get(kLimits[i]));
    if (!limit.ok()) return ErrorReply(ErrorType::kBadData, std::string(kLimits[i]) + " must be a number");
    limits[i] = *limit;
    none = none || *limit == 0;  // here 0 means none, as in Prometheus
  }
  const auto view = OpenView(request);
  if (!view.ok()) return ErrorReply(ExecutionErrorType(view.error().code), view.error().message);
  const std::string_view wanted = request.params.Get("metric");
  std::string body = BeginSuccess();
  body += '{';
  std::set<std::string, std::less<>> metrics;
  for (const storage::FieldDescription& field : (*view)->Fields()) {
    if (field.type != model::FieldType::kString) metrics.emplace(field.metric);
  }
  std::set<std::string, std::less<>> shown;
  for (const std::string& metric : metrics) {
    if (none || (limits[0] != 0 && shown.size() >= limits[0])) break;
    std::optional<MetadataBook::Family> family;
    if (dependencies_.metadata != nullptr)
      family = dependencies_.metadata->Find(DatabaseOf(request), (*view)->FilterText(), metric);
    if (!family) family = GuessFamily(metric, metrics);
    if ((!wanted.empty() && family->name != wanted) || !shown.insert(family->name).second) continue;
    if (shown.size() > 1) body += ',';
    AppendJsonString(&body, family->name);
    body += R"(:[{"type":)";
    AppendJsonString(&body, family->metadata.type);
    body += R"(,"help":)";
    AppendJsonString(&body, family->metadata.help);
    body += R"(,"unit":)";
    AppendJsonString(&body, family->metadata.unit);
    body += "}]";
  }
  body += '}';
  return EndSuccess(std::move(body), (*view)->Warnings());
}

}  // namespace tidemark::query::api
