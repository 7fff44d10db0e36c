// /federate: the newest sample of every series that is asked for, as text for another Prometheus to scrape.
// Source: web/federate.go of Prometheus 3; format: https://prometheus.io/docs/instrumenting/exposition_formats/
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "query/api/api.h"
#include "query/api/json.h"
#include "query/api/merged_reader.h"
#include "query/api/warning_headers.h"
#include "query/promql/parser.h"
#include "query/promql/quote.h"
#include "query/run/query_state.h"
#include "storage/model/stale_marker.h"

namespace tidemark::query::api {
namespace {

constexpr std::string_view kInstanceLabel = "instance";

// A sample that is not stale.
struct Newest {
  int64_t time_ns = 0;
  double value = 0;
};

// How names beyond [a-zA-Z0-9_:] are written: in quotes for a scraper that takes UTF-8, else with underscores.
enum class Names : uint8_t { kUtf8, kUnderscores };

bool IsPlainName(std::string_view name, bool metric) {
  if (!metric) return promql::IsPlainLabelName(name);
  std::string without_colons(name);
  std::replace(without_colons.begin(), without_colons.end(), ':', '_');
  return promql::IsPlainLabelName(without_colons);
}

std::string Escaped(std::string_view name, bool metric) {
  std::string out;
  for (const char c : name) {
    // One underscore for each character, not for each of its bytes.
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) continue;
    const bool digit = c >= '0' && c <= '9';
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (metric && c == ':') || digit;
    if (digit && out.empty()) out.push_back('_');
    out.push_back(plain ? c : '_');
  }
  return out;
}

void AppendQuoted(std::string* out, std::string_view text) {
  out->push_back('"');
  for (const char c : text) {
    if (c == '\n') {
      out->append("\\n");
      continue;
    }
    if (c == '"' || c == '\\') out->push_back('\\');
    out->push_back(c);
  }
  out->push_back('"');
}

void AppendName(std::string* out, std::string_view name, bool metric, Names names) {
  if (IsPlainName(name, metric)) {
    out->append(name);
  } else if (names == Names::kUtf8) {
    AppendQuoted(out, name);
  } else {
    out->append(Escaped(name, metric));
  }
}

// name{label="value",...} without the newline that ends it; a quoted name stands inside the braces.
void AppendSeries(std::string* out, std::string_view metric, const model::LabelViews& labels, Names names) {
  const bool inside = names == Names::kUtf8 && !IsPlainName(metric, true);
  if (!inside) AppendName(out, metric, true, names);
  out->push_back('{');
  if (inside) AppendQuoted(out, metric);
  bool has_instance = false;
  bool first = !inside;
  std::set<std::string> written;
  const auto append = [&](std::string_view name, std::string_view value) {
    if (!first) out->push_back(',');
    first = false;
    std::string text;
    AppendName(&text, name, false, names);
    // Two names may be escaped to one.
    while (!written.insert(text).second) text.push_back('_');
    out->append(text);
    out->push_back('=');
    AppendQuoted(out, value);
  };
  for (const model::LabelView& label : labels) {
    if (label.name == model::kMetricNameLabel) continue;
    has_instance = has_instance || label.name == kInstanceLabel;
    append(label.name, label.value);
  }
  // An empty one keeps the scraper from putting our own address there.
  if (!has_instance) append(kInstanceLabel, "");
  out->push_back('}');
}

Reply PlainError(int status, std::string_view text) {
  Reply reply{.status = status, .body = std::string(text) + "\n", .headers = {}};
  reply.content_type = "text/plain; charset=utf-8";
  reply.headers.emplace_back("X-Content-Type-Options", "nosniff");
  return reply;
}

Reply PlainError(const Error& error) {
  const int status = HttpStatus(ExecutionErrorType(error.code));
  Reply reply = PlainError(status, error.message);
  if (status == 503) reply.headers.emplace_back("Retry-After", "1");
  return reply;
}

// What a series holds in the end: a node of a map, and its text twice, since it is in the body too. Metrics are few.
uint64_t BytesOf(const std::string& text) {
  constexpr uint64_t kBytesPerNode = 64;
  return kBytesPerNode + sizeof(std::string) + sizeof(Newest) + 2 * text.capacity();
}

}  // namespace

Reply QueryApi::Federate(const ApiRequest& request, std::string_view accept) const {
  const Names names =
      accept.find("escaping=allow-utf-8") != std::string_view::npos ? Names::kUtf8 : Names::kUnderscores;
  const auto view = OpenView(request);
  if (!view.ok()) return PlainError(view.error());
  const int64_t now_ms = NowMs();
  const model::TimeRange range{model::Timestamp::FromMs(now_ms - options_.lookback_ms + 1),
                               model::Timestamp{model::Timestamp::FromMs(now_ms).ns + 999'999}};
  std::vector<std::vector<model::Matcher>> selectors;
  for (const std::string_view text : request.params.All("match[]")) {
    Result<std::vector<model::Matcher>> matchers = promql::ParseSelector(text, options_.parse);
    if (!matchers.ok()) return PlainError(400, matchers.error().message);
    selectors.push_back(std::move(matchers).value());
  }
  run::QueryState state(ContextFor(request, *view, PlainError(run::TimedOut())));
  run::Reservation memory(&state);
  ReadSpent spent;
  MergedReader reader(*view, std::move(selectors), range,
                      LimitsOf(request, runner_.limits(), dependencies_.clock, MemoryOf(request), turns_.get()),
                      &spent);
  if (const Status opened = reader.Open(state.turn()); !opened.ok()) return PlainError(opened.error());
  // By the metric's name, then the rest as it is written: names that differ only in what is escaped meet here.
  std::map<std::string, std::map<std::string, Newest>> metrics;
  uint64_t held = 0;
  const MergedSeries* series = nullptr;
  for (;;) {
    if (const Status status = state.CheckInterrupt(); !status.ok()) return PlainError(status.error());
    if (const Status status = memory.Set(held); !status.ok()) return PlainError(status.error());
    const Result<bool> more = reader.Next(state.turn(), &series);
    if (!more.ok()) return PlainError(more.error());
    if (!*more) break;
    const Newest newest{series->rows.times.back(), series->rows.floats.back()};
    if (model::IsStaleMarker(newest.value)) continue;
    const auto name = std::ranges::find(series->labels, model::kMetricNameLabel, &model::LabelView::name);
    const std::string_view metric = name != series->labels.end() ? name->value : std::string_view();
    std::string metric_text;
    AppendName(&metric_text, metric, true, names);
    std::string text;
    AppendSeries(&text, metric, series->labels, names);
    held += BytesOf(text);
    const auto [at, added] = metrics[std::move(metric_text)].try_emplace(std::move(text), newest);
    if (!added && at->second.time_ns < newest.time_ns) at->second = newest;
  }
  Reply reply;
  AddWarningHeaders(&reply, (*view)->Warnings());
  reply.content_type = names == Names::kUtf8 ? "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
                                             : "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";
  for (const auto& [metric, samples] : metrics) {
    reply.body += "# TYPE " + metric + " untyped\n";
    for (const auto& [text, newest] : samples) {
      reply.body += text + " ";
      AppendFloat(&reply.body, newest.value);
      reply.body.push_back(' ');
      AppendInteger(&reply.body, model::Timestamp{newest.time_ns}.FloorMs());
      reply.body.push_back('\n');
    }
  }
  return reply;
}

}  // namespace tidemark::query::api
