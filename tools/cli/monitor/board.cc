#include "tools/cli/monitor/board.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <cmath>
#include <limits>
#include <utility>

#include "storage/base/text/duration.h"
#include "tools/cli/monitor/goals.h"

namespace tidemark::cli::monitor {
namespace {

namespace dom = simdjson::dom;

std::string TextOf(dom::element object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::optional<double> NumberOf(dom::element object, std::string_view key) {
  double number = 0;
  if (object[key].get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

std::vector<dom::element> ListOf(dom::element object, std::string_view key) {
  std::vector<dom::element> out;
  dom::array list;
  if (object[key].get(list) != simdjson::SUCCESS) return out;
  for (const dom::element one : list) out.push_back(one);
  return out;
}

Style StyleOf(std::string_view color) {
  if (color == "good") return Style::kGood;
  if (color == "warn") return Style::kWarn;
  if (color == "bad") return Style::kBad;
  if (color == "info") return Style::kInfo;
  if (color == "accent") return Style::kAccent;
  if (color == "dim") return Style::kDim;
  return Style::kPlain;
}

// What `object` says of numbers; `otherwise` where it says nothing.
Looks LooksOf(dom::element object, const Looks& otherwise) {
  Looks looks = otherwise;
  if (std::string unit = TextOf(object, "unit"); !unit.empty()) looks.unit = std::move(unit);
  if (const auto decimals = NumberOf(object, "decimals")) looks.decimals = static_cast<int>(*decimals);
  if (const auto min = NumberOf(object, "min")) looks.min = min;
  if (const auto max = NumberOf(object, "max")) looks.max = max;
  if (const auto list = ListOf(object, "thresholds"); !list.empty()) {
    looks.thresholds.clear();
    for (const dom::element one : list) {
      looks.thresholds.push_back(
          {NumberOf(one, "from").value_or(-std::numeric_limits<double>::infinity()), StyleOf(TextOf(one, "color"))});
    }
  }
  if (const auto list = ListOf(object, "mappings"); !list.empty()) {
    looks.mappings.clear();
    for (const dom::element one : list) {
      looks.mappings.push_back(
          {NumberOf(one, "value").value_or(0), TextOf(one, "text"), StyleOf(TextOf(one, "color"))});
    }
  }
  return looks;
}

Question::Mode ModeOf(std::string_view text) {
  if (text == "range") return Question::Mode::kRange;
  if (text == "events") return Question::Mode::kEvents;
  if (text == "alerts") return Question::Mode::kAlerts;
  if (text == "rules") return Question::Mode::kRules;
  return Question::Mode::kInstant;
}

Question QuestionOf(dom::element object, const Looks& panel) {
  Question question;
  question.id = TextOf(object, "id");
  question.db = TextOf(object, "db");
  question.expr = TextOf(object, "expr");
  question.legend = TextOf(object, "legend");
  question.note = TextOf(object, "note");
  question.goal = TextOf(object, "goal");
  question.mode = ModeOf(TextOf(object, "mode"));
  question.interval_s = ParseSpan(TextOf(object, "interval")).value_or(1);
  question.step_s = ParseSpan(TextOf(object, "step"));
  question.limit = static_cast<int>(NumberOf(object, "limit").value_or(200));
  question.looks = LooksOf(object, panel);
  return question;
}

bool IsTrue(dom::element object, std::string_view key) {
  bool value = false;
  return object[key].get(value) == simdjson::SUCCESS && value;
}

Options OptionsOf(dom::element object) {
  Options options;
  if (dom::element join; object["join"].get(join) == simdjson::SUCCESS) {
    std::string_view label;
    options.join = join.get(label) == simdjson::SUCCESS ? std::string(label) : TextOf(join, "label");
  }
  if (dom::element pivot; object["pivot"].get(pivot) == simdjson::SUCCESS) {
    options.pivot_row = TextOf(pivot, "row");
    options.pivot_column = TextOf(pivot, "column");
    options.pivot_total = IsTrue(pivot, "total");
  }
  if (dom::element total; object["total"].get(total) == simdjson::SUCCESS && total.is_object()) {
    options.sum_of = TextOf(total, "of").empty() ? "A" : TextOf(total, "of");
    options.budget = TextOf(total, "budget");
  }
  for (const dom::element one : ListOf(object, "compare")) {
    std::string_view id;
    if (one.get(id) == simdjson::SUCCESS) options.compare.emplace_back(id);
  }
  options.title = TextOf(object, "title");
  options.by_time = TextOf(object, "rows") == "time";
  options.row = TextOf(object, "row");
  options.by = TextOf(object, "by").empty() ? "kind" : TextOf(object, "by");
  options.group = TextOf(object, "group");
  options.full = TextOf(object, "full");
  options.x = TextOf(object, "x");
  options.sort_by_value = TextOf(object, "sort") == "value";
  options.change_from_previous = TextOf(object, "change") == "previous";
  options.unsized = IsTrue(object, "unsized");
  options.word_alone = TextOf(object, "show") == "word";
  return options;
}

Panel PanelOf(dom::element object) {
  Panel panel;
  panel.type = TextOf(object, "type");
  panel.title = TextOf(object, "title");
  panel.empty = TextOf(object, "empty");
  panel.width = static_cast<int>(NumberOf(object, "width").value_or(4));
  if (dom::element options; object["options"].get(options) == simdjson::SUCCESS) {
    panel.text = TextOf(options, "text");
    panel.options = OptionsOf(options);
  }
  const Looks looks = LooksOf(object, {});
  for (const dom::element one : ListOf(object, "queries")) panel.questions.push_back(QuestionOf(one, looks));
  if (panel.type == "goals") panel.questions = GoalQuestions();
  if (panel.type == "savings") panel.questions = SavingQuestions();
  if (panel.type == "silences" || panel.type == "usage") {
    Question& asked = panel.questions.emplace_back();
    asked.id = panel.type;
    asked.mode = panel.type == "usage" ? Question::Mode::kUsage : Question::Mode::kSilences;
  }
  return panel;
}

// label_values(MATCH, LABEL) or label_values(LABEL).
void ReadLabelValues(std::string_view query, Variable* out) {
  constexpr std::string_view kCall = "label_values(";
  const size_t at = query.find(kCall);
  const size_t end = query.rfind(')');
  if (at == std::string_view::npos || end == std::string_view::npos) return;
  const std::string_view inside = query.substr(at + kCall.size(), end - at - kCall.size());
  const size_t comma = inside.rfind(',');
  std::string_view label = comma == std::string_view::npos ? inside : inside.substr(comma + 1);
  while (label.starts_with(' ')) label.remove_prefix(1);
  while (label.ends_with(' ')) label.remove_suffix(1);
  out->label = label;
  if (comma != std::string_view::npos) out->match = inside.substr(0, comma);
}

Variable VariableOf(dom::element object) {
  Variable variable;
  variable.name = TextOf(object, "name");
  variable.db = TextOf(object, "db");
  variable.fallback = TextOf(object, "default");
  const std::string kind = TextOf(object, "kind");
  const std::string query = TextOf(object, "query");
  if (kind == "query") {
    ReadLabelValues(query, &variable);
    if (variable.fallback == "$__all") variable.value = TextOf(object, "all");
    if (!variable.value.empty()) variable.label.clear();
  } else if (kind == "constant") {
    variable.value = query;
    variable.constant = true;
  } else {
    variable.value =
        !variable.fallback.empty() || kind == "text" ? variable.fallback : query.substr(0, query.find(','));
  }
  return variable;
}

}  // namespace

std::optional<double> ParseSpan(std::string_view text) {
  constexpr int64_t kMillisecondNs = 1'000'000;
  const std::optional<double> ms = text::ParseFractionalDuration(text, text::kTypedDuration, kMillisecondNs);
  if (!ms || !std::isfinite(*ms)) return std::nullopt;
  return *ms / 1000;
}

Result<Board> ParseBoard(std::string_view json) {
  dom::parser parser;
  dom::element root;
  const simdjson::padded_string padded(json);
  if (const simdjson::error_code error = parser.parse(padded).get(root); error != simdjson::SUCCESS) {
    return InvalidArgument(fmt::format("the dashboard is no JSON: {}", simdjson::error_message(error)));
  }
  if (!root.is_object() || ListOf(root, "rows").empty()) {
    return InvalidArgument("the dashboard has no list of rows with something in it");
  }
  Board board;
  board.id = TextOf(root, "id");
  board.title = TextOf(root, "title");
  if (dom::element range; root["range"].get(range) == simdjson::SUCCESS) {
    const std::string from = TextOf(range, "from");
    if (from.starts_with("now-")) board.range_s = ParseSpan(from.substr(4)).value_or(board.range_s);
  }
  board.refresh_s = ParseSpan(TextOf(root, "refresh")).value_or(board.refresh_s);
  for (const dom::element one : ListOf(root, "variables")) board.variables.push_back(VariableOf(one));
  for (const dom::element one : ListOf(root, "rows")) {
    Row row{.title = TextOf(one, "title"), .panels = {}};
    for (const dom::element panel : ListOf(one, "panels")) row.panels.push_back(PanelOf(panel));
    if (!row.panels.empty()) board.rows.push_back(std::move(row));
  }
  return board;
}

}  // namespace tidemark::cli::monitor
