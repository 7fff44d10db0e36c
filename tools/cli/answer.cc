#include "tools/cli/answer.h"

#include <fmt/core.h>

#include <simdjson.h>
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tools/cli/time_text.h"

namespace tidemark::cli {
namespace {

constexpr size_t kMaxColumns = 6;

// The text that `value` holds; "" when it holds none.
template <typename Value>
std::string_view TextOf(Value&& value) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS ? text : std::string_view();
}

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

Result<AnswerPoint> ParsePoint(element pair) {
  array parts;
  double seconds = 0;
  std::string_view value;
  if (pair.get(parts) != simdjson::SUCCESS || parts.size() != 2 || parts.at(0).get(seconds) != simdjson::SUCCESS ||
      parts.at(1).get(value) != simdjson::SUCCESS) {
    return MakeError(ErrorCode::kInternal, "a sample of the answer is not [time, \"value\"]");
  }
  return AnswerPoint{std::llround(seconds * 1000), std::string(value)};
}

Result<AnswerSeries> ParseSeries(element entry) {
  AnswerSeries series;
  object metric;
  if (entry["metric"].get(metric) == simdjson::SUCCESS) {
    for (const auto& [name, value] : metric) {
      series.labels.push_back({std::string(name), std::string(TextOf(value))});
    }
    std::sort(series.labels.begin(), series.labels.end());
  }
  element single;
  if (entry["value"].get(single) == simdjson::SUCCESS) {
    TM_TRY_ASSIGN(AnswerPoint point, ParsePoint(single));
    series.points.push_back(std::move(point));
  }
  array values;
  if (entry["values"].get(values) == simdjson::SUCCESS) {
    for (const element pair : values) {
      TM_TRY_ASSIGN(AnswerPoint point, ParsePoint(pair));
      series.points.push_back(std::move(point));
    }
  }
  return series;
}

// Rows of cells as text with aligned columns; numbers to the right.
std::string Align(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& right) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      if (c > 0) line += "  ";
      const bool to_right = c < right.size() && right[c];
      line += to_right ? fmt::format("{:>{}}", row[c], widths[c]) : fmt::format("{:<{}}", row[c], widths[c]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string VectorTable(const Answer& answer) {
  std::vector<std::vector<std::string>> rows{{"series", "value", "time"}};
  for (const AnswerSeries& series : answer.series) {
    for (const AnswerPoint& point : series.points) {
      rows.push_back({model::ToString(series.labels), point.value, TimeToText(point.time_ms)});
    }
  }
  return Align(rows, {false, true, false});
}

std::string WideTable(const Answer& answer) {
  std::map<int64_t, std::vector<std::string>> by_time;
  const size_t columns = answer.series.size();
  for (size_t s = 0; s < columns; ++s) {
    for (const AnswerPoint& point : answer.series[s].points) {
      auto& row = by_time[point.time_ms];
      row.resize(columns);
      row[s] = point.value;
    }
  }
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> header{"time"};
  std::string legend;
  for (size_t s = 0; s < columns; ++s) {
    const std::string name = model::ToString(answer.series[s].labels);
    header.push_back(columns == 1 ? "value" : fmt::format("[{}]", s + 1));
    legend += columns == 1 ? name + "\n" : fmt::format("[{}] {}\n", s + 1, name);
  }
  rows.push_back(std::move(header));
  for (auto& [time, cells] : by_time) {
    std::vector<std::string> row{TimeToText(time)};
    row.insert(row.end(), cells.begin(), cells.end());
    rows.push_back(std::move(row));
  }
  std::vector<bool> right(columns + 1, true);
  right[0] = false;
  return legend + Align(rows, right);
}

std::string LongTable(const Answer& answer) {
  std::string out;
  for (const AnswerSeries& series : answer.series) {
    if (!out.empty()) out += "\n";
    out += model::ToString(series.labels) + "\n";
    std::vector<std::vector<std::string>> rows;
    rows.reserve(series.points.size());
    for (const AnswerPoint& point : series.points) rows.push_back({TimeToText(point.time_ms), point.value});
    out += Align(rows, {false, true});
  }
  return out;
}

std::string CsvCell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace

Result<Answer> ParseAnswer(std::string_view body) {
  simdjson::dom::parser parser;
  element reply;
  std::string_view status;
  if (parser.parse(body.data(), body.size()).get(reply) != simdjson::SUCCESS ||
      reply["status"].get(status) != simdjson::SUCCESS) {
    return MakeError(ErrorCode::kInternal,
                     fmt::format("the answer is not what a query returns: {}", body.substr(0, 200)));
  }
  if (status != "success") {
    return InvalidArgument(fmt::format("{}: {}", TextOf(reply["errorType"]), TextOf(reply["error"])));
  }
  Answer answer;
  for (const char* const kind : {"warnings", "infos"}) {
    array notes;
    if (reply[kind].get(notes) != simdjson::SUCCESS) continue;
    for (const element note : notes) {
      std::string_view text;
      if (note.get(text) == simdjson::SUCCESS) answer.notes.emplace_back(text);
    }
  }
  std::string_view type;
  array result;
  if (reply["data"]["resultType"].get(type) != simdjson::SUCCESS ||
      reply["data"]["result"].get(result) != simdjson::SUCCESS) {
    return MakeError(ErrorCode::kInternal, "the answer has no result");
  }
  answer.type = type;
  if (type == "scalar" || type == "string") {
    TM_TRY_ASSIGN(AnswerPoint point, ParsePoint(reply["data"]["result"].value()));
    answer.series.push_back({{}, {std::move(point)}});
    return answer;
  }
  for (const element entry : result) {
    TM_TRY_ASSIGN(AnswerSeries series, ParseSeries(entry));
    answer.series.push_back(std::move(series));
  }
  return answer;
}

std::string ToTable(const Answer& answer) {
  if (answer.series.empty()) return "no series\n";
  if (answer.type == "scalar" || answer.type == "string") return answer.series[0].points[0].value + "\n";
  if (answer.type == "vector") return VectorTable(answer);
  return answer.series.size() <= kMaxColumns ? WideTable(answer) : LongTable(answer);
}

std::string ToCsv(const Answer& answer) {
  std::set<std::string> names;
  for (const AnswerSeries& series : answer.series) {
    for (const model::Label& label : series.labels) names.insert(label.name);
  }
  std::string out = "time,value";
  for (const std::string& name : names) out += "," + CsvCell(name);
  out += "\n";
  for (const AnswerSeries& series : answer.series) {
    std::string labels;
    for (const std::string& name : names) {
      const auto found = std::find_if(series.labels.begin(), series.labels.end(),
                                      [&](const model::Label& label) { return label.name == name; });
      labels += "," + (found == series.labels.end() ? std::string() : CsvCell(found->value));
    }
    for (const AnswerPoint& point : series.points) {
      out += fmt::format("{:.3f},{}{}\n", static_cast<double>(point.time_ms) / 1000, point.value, labels);
    }
  }
  return out;
}

}  // namespace tidemark::cli
