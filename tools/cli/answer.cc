#include "tools/cli/answer.h"

#include <fmt/core.h>

#include <simdjson.h>
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tools/cli/number_text.h"
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

std::string ValueText(const std::string& value, const TableStyle& style) {
  return style.exact ? value : ShortNumber(value);
}

size_t WidestLine(std::string_view table) {
  size_t widest = 0;
  while (!table.empty()) {
    const size_t end = std::min(table.find('\n'), table.size());
    widest = std::max(widest, end);
    table.remove_prefix(std::min(end + 1, table.size()));
  }
  return widest;
}

bool Fits(std::string_view table, const TableStyle& style) {
  return style.width == 0 || WidestLine(table) <= style.width;
}

// Both ends of a text that is longer than `size`, which is 5 at least.
std::string Shortened(const std::string& text, size_t size) {
  if (text.size() <= size) return text;
  const size_t end = (size - 3) / 2;
  return text.substr(0, size - 3 - end) + "..." + text.substr(text.size() - end);
}

// Labels that every series has alike, the name left out.
model::Labels SharedLabels(const Answer& answer) {
  model::Labels shared;
  for (const model::Label& label : answer.series.front().labels) {
    const bool all = std::ranges::all_of(answer.series, [&](const AnswerSeries& series) {
      return std::ranges::find(series.labels, label) != series.labels.end();
    });
    if (all && label.name != model::kMetricNameLabel) shared.push_back(label);
  }
  return shared;
}

std::string VectorTable(const Answer& answer, const TableStyle& style) {
  std::vector<std::vector<std::string>> rows{{"series", "value", "time"}};
  const auto fill = [&](const model::Labels& without, size_t longest) {
    rows.resize(1);
    for (const AnswerSeries& series : answer.series) {
      model::Labels labels = series.labels;
      std::erase_if(labels,
                    [&](const model::Label& label) { return std::ranges::find(without, label) != without.end(); });
      std::string name = model::ToString(labels);
      if (longest != 0) name = Shortened(name, longest);
      for (const AnswerPoint& point : series.points)
        rows.push_back({name, ValueText(point.value, style), TimeWithZone(point.time_ms, style.zone)});
    }
    return Align(rows, {false, true, false});
  };
  std::string table = fill({}, 0);
  if (Fits(table, style)) return table;
  const model::Labels shared = answer.series.size() > 1 ? SharedLabels(answer) : model::Labels();
  std::string above;
  if (!shared.empty()) {
    above = "all have " + Shortened(model::ToString(shared), std::max<size_t>(style.width, 20) - 9) + "\n";
    table = fill(shared, 0);
    if (Fits(table, style)) return above + table;
  }
  constexpr size_t kLeast = 16;
  size_t longest = 0;
  for (const auto& row : rows) longest = std::max(longest, row[0].size());
  const size_t over = WidestLine(table) - style.width;
  return above + fill(shared, longest > over + kLeast ? longest - over : kLeast);
}

std::string WideTable(const Answer& answer, const TableStyle& style) {
  std::map<int64_t, std::vector<std::string>> by_time;
  const size_t columns = answer.series.size();
  for (size_t s = 0; s < columns; ++s) {
    for (const AnswerPoint& point : answer.series[s].points) {
      auto& row = by_time[point.time_ms];
      row.resize(columns);
      row[s] = ValueText(point.value, style);
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
    std::vector<std::string> row{TimeWithZone(time, style.zone)};
    row.insert(row.end(), cells.begin(), cells.end());
    rows.push_back(std::move(row));
  }
  std::vector<bool> right(columns + 1, true);
  right[0] = false;
  const std::string table = Align(rows, right);
  return Fits(table, style) ? legend + table : "";
}

std::string LongTable(const Answer& answer, const TableStyle& style) {
  std::string out;
  for (const AnswerSeries& series : answer.series) {
    if (!out.empty()) out += "\n";
    out += model::ToString(series.labels) + "\n";
    std::vector<std::vector<std::string>> rows;
    rows.reserve(series.points.size());
    for (const AnswerPoint& point : series.points)
      rows.push_back({TimeWithZone(point.time_ms, style.zone), ValueText(point.value, style)});
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

std::string ToTable(const Answer& answer, const TableStyle& style) {
  if (answer.series.empty()) return "no series\n";
  if (answer.type == "scalar") return ValueText(answer.series[0].points[0].value, style) + "\n";
  if (answer.type == "string") return answer.series[0].points[0].value + "\n";
  if (answer.type == "vector") return VectorTable(answer, style);
  if (answer.series.size() <= kMaxColumns) {
    // Too many columns are none.
    if (std::string wide = WideTable(answer, style); !wide.empty()) return wide;
  }
  return LongTable(answer, style);
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
