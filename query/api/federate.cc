// /federate: the newest sample of every series that is asked for, as text for another Prometheus to scrape.
// Source: web/federate.go of Prometheus 3; format: https://prometheus.io/docs/instrumenting/exposition_formats/
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "query/api/api.h"
#include "query/api/json.h"
#include "query/promql/parser.h"
#include "query/promql/quote.h"
#include "storage/model/stale_marker.h"

namespace tidemark::query::api {
namespace {

constexpr std::string_view kInstanceLabel = "instance";

struct Sample {
  std::string metric;
  std::string text;  // the labels, value and time
  friend bool operator<(const Sample& a, const Sample& b) { return a.metric < b.metric; }
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
  const auto append = [&](std::string_view name, std::string_view value) {
    if (!first) out->push_back(',');
    first = false;
    AppendName(out, name, false, names);
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

}  // namespace

Reply QueryApi::Federate(const ApiRequest& request, std::string_view accept) const {
  const Names names =
      accept.find("escaping=allow-utf-8") != std::string_view::npos ? Names::kUtf8 : Names::kUnderscores;
  const auto view = OpenView(request);
  if (!view.ok()) return PlainError(500, view.error().message);
  const int64_t now_ms = NowMs();
  const model::TimeRange range{model::Timestamp::FromMs(now_ms - options_.lookback_ms + 1),
                               model::Timestamp{model::Timestamp::FromMs(now_ms).ns + 999'999}};
  std::vector<model::SeriesRef> refs;
  for (const std::string_view text : request.params.All("match[]")) {
    const Result<std::vector<model::Matcher>> matchers = promql::ParseSelector(text, options_.parse);
    if (!matchers.ok()) return PlainError(400, matchers.error().message);
    const auto some = (*view)->Select(*matchers, range, {.max_series = options_.series_max});
    if (!some.ok()) return PlainError(500, some.error().message);
    refs.insert(refs.end(), some->begin(), some->end());
    std::sort(refs.begin(), refs.end());
    refs.erase(std::unique(refs.begin(), refs.end()), refs.end());
  }
  std::vector<Sample> samples;
  const auto cursor = (*view)->Scan(refs, range);
  model::Column column;
  model::LabelViews labels;
  for (;;) {
    const Result<bool> more = cursor->Next(&column);
    if (!more.ok()) return PlainError(500, more.error().message);
    if (!*more) break;
    if (request.stop.stop_requested()) return PlainError(499, "the client went away");
    if (column.empty()) continue;
    const double value = model::DoubleAt(column, column.size() - 1);
    if (model::IsStaleMarker(value)) continue;
    (*view)->LabelsOf(column.ref, &labels);
    Sample sample;
    for (const model::LabelView& label : labels) {
      if (label.name == model::kMetricNameLabel) sample.metric = label.value;
    }
    AppendSeries(&sample.text, sample.metric, labels, names);
    sample.text.push_back(' ');
    AppendFloat(&sample.text, value);
    sample.text.push_back(' ');
    AppendInteger(&sample.text, model::Timestamp{column.times.back()}.FloorMs());
    sample.text.push_back('\n');
    samples.push_back(std::move(sample));
  }
  std::stable_sort(samples.begin(), samples.end());
  Reply reply;
  reply.content_type = names == Names::kUtf8 ? "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
                                             : "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";
  const std::string* previous = nullptr;
  for (const Sample& sample : samples) {
    if (previous == nullptr || *previous != sample.metric) {
      reply.body += "# TYPE ";
      AppendName(&reply.body, sample.metric, true, names);
      reply.body += " untyped\n";
    }
    previous = &sample.metric;
    reply.body += sample.text;
  }
  return reply;
}

}  // namespace tidemark::query::api
