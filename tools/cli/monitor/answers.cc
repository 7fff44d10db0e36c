#include "tools/cli/monitor/answers.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <set>

#include "storage/base/text/json_string.h"
#include "tools/cli/level_word.h"
#include "tools/cli/monitor/order.h"

namespace tidemark::cli::monitor {
namespace {

namespace dom = simdjson::dom;
using text::AppendJsonString;

// Values of a variable that are looked at.
constexpr int kChoicesMax = 1000;

double ParseNumber(std::string_view text) {
  if (text == "+Inf" || text == "Inf") return INFINITY;
  if (text == "-Inf") return -INFINITY;
  double number = NAN;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::map<std::string, std::string> LabelsOf(dom::element object) {
  std::map<std::string, std::string> labels;
  dom::object pairs;
  if (object.get(pairs) != simdjson::SUCCESS) return labels;
  for (const auto& [name, value] : pairs) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) labels.emplace(name, text);
  }
  return labels;
}

// [seconds, "value"]
void AddSample(dom::element sample, Series* series) {
  double time = 0;
  std::string_view value;
  if (sample.at(0).get(time) != simdjson::SUCCESS || sample.at(1).get(value) != simdjson::SUCCESS) return;
  series->times.push_back(time);
  series->values.push_back(ParseNumber(value));
}

std::string Fill(std::string_view legend, const std::map<std::string, std::string>& labels) {
  std::string out;
  for (size_t at = 0; at < legend.size();) {
    const size_t open = legend.find("{{", at);
    const size_t close = open == std::string_view::npos ? open : legend.find("}}", open);
    if (close == std::string_view::npos) {
      out += legend.substr(at);
      break;
    }
    out += legend.substr(at, open - at);
    std::string name(legend.substr(open + 2, close - open - 2));
    std::erase(name, ' ');
    if (const auto found = labels.find(name); found != labels.end()) out += found->second;
    at = close + 2;
  }
  return out;
}

// Names as the page gives them: the legend, else the labels that differ between the series, else the metric.
void NameSeries(const Question& question, std::vector<Series>* all) {
  std::map<std::string, std::set<std::string>> seen;
  for (const Series& one : *all) {
    for (const auto& [name, value] : one.labels) seen[name].insert(value);
  }
  for (Series& one : *all) {
    if (!question.legend.empty()) one.name = Fill(question.legend, one.labels);
    if (!one.name.empty()) continue;
    for (const auto& [name, value] : one.labels) {
      if (seen[name].size() > 1) one.name += (one.name.empty() ? "" : " ") + value;
    }
    if (!one.name.empty()) continue;
    const auto metric = one.labels.find("__name__");
    one.name = metric != one.labels.end() ? metric->second : question.legend.empty() ? question.id : "all";
  }
  std::ranges::stable_sort(*all, StandsBefore, &Series::name);
}

void ReadResult(const Question& question, dom::element data, Answer* answer) {
  std::string_view type;
  dom::element result;
  if (data["resultType"].get(type) != simdjson::SUCCESS || data["result"].get(result) != simdjson::SUCCESS) return;
  if (type == "scalar") {
    AddSample(result, &answer->series.emplace_back());
    answer->series.back().name = question.legend.empty() ? question.id : question.legend;
    return;
  }
  dom::array list;
  if (result.get(list) != simdjson::SUCCESS) return;
  for (const dom::element one : list) {
    Series series;
    if (dom::element metric; one["metric"].get(metric) == simdjson::SUCCESS) series.labels = LabelsOf(metric);
    if (dom::element sample; one["value"].get(sample) == simdjson::SUCCESS) AddSample(sample, &series);
    if (dom::array samples; one["values"].get(samples) == simdjson::SUCCESS) {
      for (const dom::element sample : samples) AddSample(sample, &series);
    }
    if (!series.values.empty()) answer->series.push_back(std::move(series));
  }
  NameSeries(question, &answer->series);
}

std::string TextOf(dom::element object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

// What an event is of: its time and labels, whatever field it is.
std::string IdentityOf(std::string_view time_ns, const std::map<std::string, std::string>& labels) {
  std::string out(time_ns);
  for (const auto& [name, value] : labels) {
    if (name != "__name__") out += "\n" + name + "\n" + value;
  }
  return out;
}

void ReadLevel(std::string_view level, Note* note) {
  struct Row {
    std::string_view name;
    Style style;
  };
  static constexpr Row kLevels[] = {{"error", Style::kBad},
                                    {"critical", Style::kBad},
                                    {"warning", Style::kWarn},
                                    {"warn", Style::kWarn},
                                    {"resolved", Style::kGood}};
  const auto* const row = std::ranges::find(kLevels, level, &Row::name);
  if (row == std::end(kLevels)) return;
  note->level = LevelWord(level);
  note->style = row->style;
}

std::string SourceOf(const std::map<std::string, std::string>& labels) {
  const auto word = [&](const char* label) {
    const auto found = labels.find(label);
    return found == labels.end() ? std::string() : found->second;
  };
  const std::string what = word("component").empty() ? word("host") : word("component");
  const std::string alert = word("alertname");
  return alert.empty() ? what : alert + (what.empty() ? "" : " " + what);
}

// A text whose measurement has a field `level` at the same time gets that, and the level is no event of its own.
void ReadEvents(dom::element data, Answer* answer) {
  dom::array list;
  if (data.get(list) != simdjson::SUCCESS) return;
  std::map<std::string, std::string> levels;
  std::vector<std::string> identities;
  for (const dom::element one : list) {
    Note note;
    std::string_view ns;
    if (one["time_ns"].get(ns) == simdjson::SUCCESS) note.time_s = ParseNumber(ns) / 1e9;
    note.text = TextOf(one, "text");
    if (dom::element labels; one["labels"].get(labels) == simdjson::SUCCESS) note.labels = LabelsOf(labels);
    std::string identity = IdentityOf(ns, note.labels);
    if (const auto name = note.labels.find("__name__"); name != note.labels.end() && name->second.ends_with("_level")) {
      levels[std::move(identity)] = note.text;
      continue;
    }
    note.source = SourceOf(note.labels);
    identities.push_back(std::move(identity));
    answer->notes.push_back(std::move(note));
  }
  for (size_t i = 0; i < identities.size(); ++i) {
    if (const auto level = levels.find(identities[i]); level != levels.end()) {
      ReadLevel(level->second, &answer->notes[i]);
    }
  }
  // Newest first, also of several measurements.
  std::ranges::reverse(answer->notes);
  std::ranges::stable_sort(answer->notes, std::ranges::greater{}, &Note::time_s);
}

std::string SecondsText(double seconds) { return fmt::format("{:.3f}", seconds); }

// A duration as PromQL takes it.
std::string DurationText(double seconds) {
  return fmt::format("{}ms", std::max<int64_t>(std::llround(seconds * 1000), 1));
}

// Whether the batch has what it asks for.
bool InBatch(Question::Mode mode) {
  return mode != Question::Mode::kSilences && mode != Question::Mode::kUsage && mode != Question::Mode::kFormula;
}

std::string_view EndpointOf(Question::Mode mode) {
  switch (mode) {
    case Question::Mode::kInstant: return "query";
    case Question::Mode::kRange: return "query_range";
    case Question::Mode::kEvents: return "events";
    case Question::Mode::kAlerts: return "alerts";
    case Question::Mode::kRules: return "rules";
    case Question::Mode::kSilences:
    case Question::Mode::kUsage:
    case Question::Mode::kFormula: break;
  }
  return "query";
}

void AppendQuestion(const std::string& id, const Question& question, const Span& span, const Values& values,
                    std::string* out) {
  const double step = question.step_s.value_or(std::max(question.interval_s, std::ceil(span.length_s / span.points)));
  Values all = values;
  all["__interval"] = DurationText(step);
  all["__range"] = DurationText(span.length_s);
  all["__rate_interval"] = DurationText(std::max(step + question.interval_s, 4 * question.interval_s));
  *out += fmt::format(R"({{"id":"{}","endpoint":"{}","params":{{)", id, EndpointOf(question.mode));
  if (!question.db.empty()) {
    *out += R"("db":)";
    AppendJsonString(out, Interpolate(question.db, values));
    *out += ',';
  }
  *out += question.mode == Question::Mode::kEvents ? R"("match[]":)" : R"("query":)";
  AppendJsonString(out, Interpolate(question.expr, all));
  // Steps lie on a grid, so that values do not jump from one refresh to the next. A step of the file's goes back from
  // the end: the newest point is of now, not of hours ago, and a week is the last seven days.
  const bool fixed = question.step_s.has_value();
  const double end =
      question.mode == Question::Mode::kRange && !fixed ? std::floor(span.end_s / step) * step : span.end_s;
  const double steps = std::floor(span.length_s / step + 1e-9) - (fixed ? 1 : 0);
  switch (question.mode) {
    case Question::Mode::kInstant: *out += R"(,"time":)" + SecondsText(end); break;
    case Question::Mode::kRange:
      *out += R"(,"step":)" + SecondsText(step) + R"(,"start":)" + SecondsText(end - std::max(steps, 0.0) * step) +
              R"(,"end":)" + SecondsText(end);
      break;
    case Question::Mode::kEvents:
      *out += R"(,"start":)" + SecondsText(end - span.length_s) + R"(,"end":)" + SecondsText(end) +
              fmt::format(R"(,"limit":{})", question.limit);
      break;
    case Question::Mode::kAlerts:
    case Question::Mode::kRules:
    case Question::Mode::kSilences:
    case Question::Mode::kUsage:
    case Question::Mode::kFormula: break;
  }
  *out += "}}";
}

std::vector<const Panel*> PanelsOf(const Board& board) {
  std::vector<const Panel*> panels;
  for (const Row& row : board.rows) {
    for (const Panel& panel : row.panels) panels.push_back(&panel);
  }
  return panels;
}

}  // namespace

double Series::last() const {
  for (size_t at = values.size(); at-- > 0;) {
    if (!std::isnan(values[at])) return values[at];
  }
  return NAN;
}

std::string Interpolate(std::string_view text, const Values& values) {
  std::string out(text);
  // A value may name others, at most so deep.
  for (int depth = 0; depth < 8 && out.find('$') != std::string::npos; ++depth) {
    std::string next;
    for (size_t at = 0; at < out.size();) {
      if (out[at] != '$') {
        next += out[at++];
        continue;
      }
      const bool braced = at + 1 < out.size() && out[at + 1] == '{';
      size_t end = at + (braced ? 2 : 1);
      const size_t begin = end;
      while (end < out.size() && (std::isalnum(static_cast<unsigned char>(out[end])) != 0 || out[end] == '_')) ++end;
      const auto found = values.find(out.substr(begin, end - begin));
      if (found == values.end() || (braced && (end >= out.size() || out[end] != '}'))) {
        next += out[at++];
        continue;
      }
      next += found->second;
      at = end + (braced ? 1 : 0);
    }
    if (next == out) break;
    out = std::move(next);
  }
  return out;
}

std::string EscapeForString(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (c == '$') {
      out += "\\x24";
    } else {
      out += c;
    }
  }
  return out;
}

std::string VariableBatch(const Variable& variable, const Values& values) {
  std::string out = R"({"queries":[{"id":"v","endpoint":"label_values","params":{"label":)";
  AppendJsonString(&out, variable.label);
  if (!variable.db.empty()) {
    out += R"(,"db":)";
    AppendJsonString(&out, Interpolate(variable.db, values));
  }
  if (!variable.match.empty()) {
    out += R"(,"match[]":)";
    AppendJsonString(&out, Interpolate(variable.match, values));
  }
  return out + fmt::format(R"(,"limit":{}}}}}]}})", kChoicesMax);
}

std::string VariableValue(const Variable& variable, std::string_view line) {
  dom::parser parser;
  dom::element root;
  const simdjson::padded_string padded(line);
  dom::array list;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS || root["reply"]["data"].get(list) != simdjson::SUCCESS) {
    return variable.fallback;
  }
  std::string first;
  for (const dom::element one : list) {
    std::string_view value;
    if (one.get(value) != simdjson::SUCCESS) continue;
    if (value == variable.fallback) return variable.fallback;
    if (first.empty()) first = value;
  }
  return first;
}

std::string BoardBatch(const Board& board, const Span& span, const Values& values) {
  std::string out = R"({"queries":[)";
  const std::vector<const Panel*> panels = PanelsOf(board);
  bool first = true;
  for (size_t p = 0; p < panels.size(); ++p) {
    for (size_t q = 0; q < panels[p]->questions.size(); ++q) {
      if (!InBatch(panels[p]->questions[q].mode)) continue;
      if (!first) out += ',';
      first = false;
      AppendQuestion(fmt::format("{}.{}", p, q), panels[p]->questions[q], span, values, &out);
    }
  }
  return out + "]}";
}

Answers NoAnswers(const Board& board) {
  Answers answers;
  for (const Panel* panel : PanelsOf(board)) answers.emplace_back(panel->questions.size());
  return answers;
}

void TakeLine(const Board& board, std::string_view line, Answers* answers) {
  dom::parser parser;
  dom::element root;
  const simdjson::padded_string padded(line);
  std::string_view id;
  dom::element reply;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS || root["id"].get(id) != simdjson::SUCCESS ||
      root["reply"].get(reply) != simdjson::SUCCESS) {
    return;
  }
  size_t p = 0;
  size_t q = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), p);
  if (error != std::errc{} || end == id.data() + id.size() || *end != '.') return;
  std::from_chars(end + 1, id.data() + id.size(), q);
  if (p >= answers->size() || q >= (*answers)[p].size()) return;
  const Question& question = PanelsOf(board)[p]->questions[q];
  Answer& answer = (*answers)[p][q];
  // What was there stays when nothing new comes, with the reason.
  answer.error = TextOf(reply, "error");
  if (!answer.error.empty()) return;
  answer = {};
  answer.answered = true;
  dom::element data;
  if (reply["data"].get(data) != simdjson::SUCCESS) return;
  switch (question.mode) {
    case Question::Mode::kInstant:
    case Question::Mode::kRange: ReadResult(question, data, &answer); break;
    case Question::Mode::kEvents: ReadEvents(data, &answer); break;
    case Question::Mode::kAlerts: answer.alerts = ReadAlerts(simdjson::minify(data)); break;
    case Question::Mode::kRules: answer.rules = ReadRules(simdjson::minify(data)); break;
    case Question::Mode::kSilences:
    case Question::Mode::kUsage:
    case Question::Mode::kFormula: break;
  }
}

bool AsksUsage(const Board& board) {
  return std::ranges::any_of(PanelsOf(board), [](const Panel* panel) {
    return std::ranges::any_of(panel->questions,
                               [](const Question& question) { return question.mode == Question::Mode::kUsage; });
  });
}

void TakeUsage(const Board& board, const Result<std::string>& usage, Answers* answers) {
  const std::optional<std::vector<Usage>> read = usage.ok() ? ReadUsage(usage.value()) : std::nullopt;
  const std::vector<const Panel*> panels = PanelsOf(board);
  for (size_t p = 0; p < panels.size(); ++p) {
    for (size_t q = 0; q < panels[p]->questions.size(); ++q) {
      if (panels[p]->questions[q].mode != Question::Mode::kUsage) continue;
      Answer& answer = (*answers)[p][q];
      if (read) {
        answer.usage = *read;
        answer.answered = true;
        answer.error.clear();
      } else {
        answer.error = usage.ok() ? "the server's usage is not to be read" : usage.error().message;
      }
    }
  }
}

bool AsksWhoIsTold(const Board& board) {
  return std::ranges::any_of(PanelsOf(board), [](const Panel* panel) {
    return std::ranges::any_of(panel->questions, [](const Question& question) {
      return question.mode == Question::Mode::kAlerts || question.mode == Question::Mode::kSilences;
    });
  });
}

void TakeTold(const Board& board, double now_s, const Result<std::string>& silences, std::string_view told,
              Answers* answers) {
  const auto read = silences.ok() ? ReadSilences(silences.value()) : std::nullopt;
  const std::vector<Silence> known = read.value_or(std::vector<Silence>{});
  const std::vector<const Panel*> panels = PanelsOf(board);
  for (size_t p = 0; p < panels.size(); ++p) {
    for (size_t q = 0; q < panels[p]->questions.size(); ++q) {
      Answer& answer = (*answers)[p][q];
      if (panels[p]->questions[q].mode == Question::Mode::kAlerts) FinishAlerts(now_s, told, known, &answer.alerts);
      if (panels[p]->questions[q].mode != Question::Mode::kSilences) continue;
      if (read) {
        answer.silences = known;
        answer.answered = true;
        answer.error.clear();
      } else {
        answer.error = silences.ok() ? "the server's silences are not to be read" : silences.error().message;
      }
    }
  }
}

}  // namespace tidemark::cli::monitor
