#include "storage/model/labels.h"

namespace tidemark::model {
namespace {

void AppendQuoted(std::string* out, std::string_view text) {
  out->push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (c == '\n') {
      *out += "\\n";
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

}  // namespace

Labels ToLabels(const LabelViews& views) {
  Labels out;
  out.reserve(views.size());
  for (const LabelView& view : views) out.push_back({std::string(view.name), std::string(view.value)});
  return out;
}

std::string MetricName(std::string_view measurement, std::string_view field) {
  std::string name(measurement);
  if (field != kValueField) {
    name.push_back('_');
    name += field;
  }
  return name;
}

std::string ToString(const Labels& labels) {
  std::string out;
  std::string body;
  for (const Label& label : labels) {
    if (label.name == kMetricNameLabel) {
      out = label.value;
      continue;
    }
    if (!body.empty()) body += ", ";
    body += label.name;
    body.push_back('=');
    AppendQuoted(&body, label.value);
  }
  if (!body.empty() || out.empty()) {
    out.push_back('{');
    out += body;
    out.push_back('}');
  }
  return out;
}

}  // namespace tidemark::model
