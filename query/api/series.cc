// The endpoints about names: labels, label values, series, metadata.
#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "query/api/api.h"
#include "query/api/json.h"
#include "query/api/selection.h"
#include "query/api/values.h"
#include "query/frame/frame_order.h"
#include "query/promql/parser.h"
#include "storage/base/text/byte_size.h"

namespace tidemark::query::api {
namespace {

constexpr std::string_view kTruncated = "results truncated due to limit";

// Whether `text` is valid UTF-8 and not empty: what Prometheus 3 takes for a label name.
bool IsLabelName(std::string_view text) {
  if (text.empty()) return false;
  // The JSON writer marks every invalid byte; a name that holds U+FFFD itself is no name anybody uses.
  std::string json;
  AppendJsonString(&json, text);
  return json.find("\\ufffd") == std::string::npos;
}

Reply StringsReply(std::vector<std::string> strings, uint64_t limit, std::vector<std::string> warnings) {
  if (limit != 0 && strings.size() > limit) {
    strings.resize(limit);
    warnings.emplace_back(kTruncated);
  }
  std::string body = BeginSuccess(64 + strings.size() * 24);
  body += '[';
  for (size_t i = 0; i < strings.size(); ++i) {
    if (i > 0) body += ',';
    AppendJsonString(&body, strings[i]);
  }
  body += ']';
  return EndSuccess(std::move(body), warnings);
}

// Adds sorted `more` to sorted `all`, each once.
template <typename T>
void MergeInto(std::vector<T>* all, std::vector<T> more) {
  if (all->empty()) {
    *all = std::move(more);
    return;
  }
  const size_t middle = all->size();
  all->insert(all->end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  std::inplace_merge(all->begin(), all->begin() + static_cast<std::ptrdiff_t>(middle), all->end());
  all->erase(std::unique(all->begin(), all->end()), all->end());
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

}  // namespace

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
  std::vector<std::string> names;
  std::vector<std::vector<model::Matcher>> sets = selection->matchers;
  if (sets.empty()) sets.emplace_back();
  for (const auto& matchers : sets) {
    Result<std::vector<std::string>> some = (*view)->LabelNames(matchers, selection->range);
    if (!some.ok()) return ErrorReply(ExecutionErrorType(some.error().code), some.error().message);
    MergeInto(&names, std::move(some).value());
  }
  return StringsReply(std::move(names), selection->limit, (*view)->Warnings());
}

Reply QueryApi::LabelValues(const ApiRequest& request, std::string_view name) const {
  const std::string label = UnescapeLabelName(name);
  if (!IsLabelName(label)) return ErrorReply(ErrorType::kBadData, "invalid label name: " + Quoted(name));
  const Result<Selection> selection = ParseSelection(request, false);
  if (!selection.ok()) return ErrorReply(ErrorType::kBadData, selection.error().message);
  const auto view = OpenView(request);
  if (!view.ok()) return ErrorReply(ExecutionErrorType(view.error().code), view.error().message);
  std::vector<std::string> values;
  std::vector<std::vector<model::Matcher>> sets = selection->matchers;
  if (sets.empty()) sets.emplace_back();
  for (const auto& matchers : sets) {
    Result<std::vector<std::string>> some = (*view)->LabelValues(label, matchers, selection->range);
    if (!some.ok()) return ErrorReply(ExecutionErrorType(some.error().code), some.error().message);
    MergeInto(&values, std::move(some).value());
  }
  return StringsReply(std::move(values), selection->limit, (*view)->Warnings());
}

Reply QueryApi::Series(const ApiRequest& request) const {
  const Result<Selection> selection = ParseSelection(request, true);
  if (!selection.ok()) return ErrorReply(ErrorType::kBadData, selection.error().message);
  const auto view = OpenView(request);
  if (!view.ok()) return ErrorReply(ExecutionErrorType(view.error().code), view.error().message);
  std::vector<model::SeriesRef> refs;
  for (const auto& matchers : selection->matchers) {
    const auto some = (*view)->Select(matchers, selection->range,
                                      {.numeric = true, .strings = true, .max_series = options_.series_max});
    if (!some.ok()) return ErrorReply(ExecutionErrorType(some.error().code), some.error().message);
    if (request.stop.stop_requested()) return ErrorReply(ErrorType::kCanceled, "the client went away");
    MergeInto(&refs, (*view)->Present(*some, selection->range));
  }
  const auto too_large = [this](size_t bytes) {
    return options_.budget.max_bytes != 0 && bytes > options_.budget.max_bytes;
  };
  const auto refuse = [this] {
    return ErrorReply(ErrorType::kExecution, fmt::format("the series take more than the memory budget of {}; ask "
                                                         "for fewer",
                                                         text::PrintMebibytes(options_.budget.max_bytes)));
  };
  size_t held = refs.size() * (sizeof(model::SeriesRef) + sizeof(model::LabelViews));
  if (too_large(held)) return refuse();
  const auto gone = [&request](size_t row) -> Status {
    constexpr size_t kRowsPerCheck = 1024;
    if (row % kRowsPerCheck != 0 || !request.stop.stop_requested()) return {};
    return MakeError(ErrorCode::kCancelled, "the client went away");
  };
  const auto end = [](const Error& error) { return ErrorReply(ExecutionErrorType(error.code), error.message); };
  std::vector<model::LabelViews> labels(refs.size());
  for (size_t i = 0; i < refs.size(); ++i) {
    if (const Status status = gone(i); !status.ok()) return end(status.error());
    (*view)->LabelsOf(refs[i], &labels[i]);
    held += labels[i].capacity() * sizeof(model::LabelView);
    if (too_large(held)) return refuse();
  }
  std::vector<uint32_t> series(refs.size());
  std::iota(series.begin(), series.end(), 0U);
  const auto less = [&labels](uint32_t a, uint32_t b) { return labels[a] < labels[b]; };
  if (const Status sorted = frame::StableSortChecked(&series, less, gone); !sorted.ok()) return end(sorted.error());
  const auto same = [&labels](uint32_t a, uint32_t b) { return labels[a] == labels[b]; };
  series.erase(std::unique(series.begin(), series.end(), same), series.end());
  std::vector<std::string> warnings = (*view)->Warnings();
  if (selection->limit != 0 && series.size() > selection->limit) {
    series.resize(selection->limit);
    warnings.emplace_back(kTruncated);
  }
  std::string body = BeginSuccess(64 + std::min<size_t>(series.size(), 100'000) * 160);
  body += '[';
  for (size_t i = 0; i < series.size(); ++i) {
    if (const Status status = gone(i); !status.ok()) return end(status.error());
    if (i > 0) body += ',';
    AppendLabels(&body, std::span<const model::LabelView>(labels[series[i]]));
    if (too_large(body.size())) return refuse();
  }
  body += ']';
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
    if (dependencies_.metadata != nullptr) family = dependencies_.metadata->Find(DatabaseOf(request), metric);
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
