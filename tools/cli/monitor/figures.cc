#include "tools/cli/monitor/figures.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>

#include "tools/cli/monitor/goals.h"
#include "tools/cli/monitor/number_text.h"
#include "tools/cli/monitor/order.h"

namespace tidemark::cli::monitor {
namespace {

constexpr std::string_view kArrow = " → ";

bool HasBars(const Panel& panel) { return panel.type == "bars" || panel.type == "gauge"; }

std::string LabelOf(const Series& series, const std::string& label) {
  const auto found = series.labels.find(label);
  return found == series.labels.end() ? "" : found->second;
}

std::optional<size_t> PlaceOf(const Panel& panel, std::string_view id) {
  for (size_t q = 0; q < panel.questions.size(); ++q) {
    if (panel.questions[q].id == id) return q;
  }
  return std::nullopt;
}

// The newest number of the question; NaN without one.
double NumberOf(const Panel& panel, std::span<const Answer> answers, std::string_view id) {
  const std::optional<size_t> place = PlaceOf(panel, id);
  return !place || answers[*place].series.empty() ? NAN : answers[*place].series[0].last();
}

// "−86 %", from one number to the other; "" where there is none.
std::string ChangeText(double before, double after) {
  return std::isnan(before) || std::isnan(after) || before == 0 ? "" : NumberText(after / before - 1, "change", 0);
}

// The value of a full bar where the question, its unit or the panel says one; NaN: the longest is full.
double FullOf(const Panel& panel, const Question& question, double whole) {
  if (question.looks.max) return *question.looks.max;
  if (!std::isnan(whole)) return whole;
  if (panel.type == "gauge" && question.looks.unit != "percentunit") return 100;
  if (question.looks.unit == "percent" || question.looks.unit == "%") return 100;
  return question.looks.unit == "percentunit" ? 1 : NAN;
}

// A number before and after, by a label: each value of it is one line.
std::vector<Line> ComparedLines(const Panel& panel, std::span<const Answer> answers) {
  const std::optional<size_t> from = PlaceOf(panel, panel.options.compare[0]);
  const std::optional<size_t> to = PlaceOf(panel, panel.options.compare[1]);
  if (!from || !to) return {};
  std::map<std::string, std::pair<double, double>> rows;
  double most = 0;
  for (const auto& [place, after] : {std::pair(*from, false), std::pair(*to, true)}) {
    for (const Series& series : answers[place].series) {
      auto& row = rows.try_emplace(LabelOf(series, panel.options.by), NAN, NAN).first->second;
      (after ? row.second : row.first) = series.last();
      most = std::fmax(most, series.last());
    }
  }
  std::vector<Line> lines;
  for (const auto& [name, row] : rows) {
    Line& line = lines.emplace_back();
    line.name = name.empty() ? "all" : name;
    line.value = {ShownOf(row.first, panel.questions[*from]).text + std::string(kArrow) +
                      ShownOf(row.second, panel.questions[*to]).text + " " + ChangeText(row.first, row.second),
                  row.second <= row.first ? Style::kGood : Style::kWarn};
    line.part = most > 0 && !std::isnan(row.second) ? row.second / most : 0;
  }
  return lines;
}

// The samples of the newest run: those since the seconds after its start began anew, each line by its largest value.
std::vector<Line> PatternLines(const Panel& panel, std::span<const Answer> answers) {
  const std::optional<size_t> place = PlaceOf(panel, panel.options.x.empty() ? "after" : panel.options.x);
  if (!place || answers[*place].series.empty()) return {};
  const Series& after = answers[*place].series[0];
  size_t begin = 0;
  for (size_t i = 1; i < after.values.size(); ++i) {
    if (after.values[i] < after.values[i - 1]) begin = i;
  }
  std::vector<Line> lines;
  for (size_t q = 0; q < answers.size(); ++q) {
    if (q == *place) continue;
    const Question& question = panel.questions[q];
    Line& line = lines.emplace_back();
    line.name = question.legend.empty() ? question.id : question.legend;
    double peak = NAN;
    if (!answers[q].series.empty()) {
      const Series& series = answers[q].series[0];
      for (size_t i = 0; i < series.values.size(); ++i) {
        if (!std::binary_search(after.times.begin() + static_cast<std::ptrdiff_t>(begin), after.times.end(),
                                series.times[i])) {
          continue;
        }
        line.values.push_back(series.values[i]);
        peak = std::fmax(peak, series.values[i]);
      }
    }
    line.most = std::fmax(question.looks.max.value_or(0), peak);
    line.value = {"max " + NumberText(peak, question.looks.unit, question.looks.decimals)};
  }
  return lines;
}

// Least and most of a course, where the panel names none.
void Scale(const Question& question, Line* line) {
  double least = NAN;
  double most = NAN;
  for (const double value : line->values) {
    least = std::fmin(least, value);
    most = std::fmax(most, value);
  }
  line->least = question.looks.min.value_or(least);
  line->most = question.looks.max.value_or(most);
}

// A line with the number that it has, by which lines are sorted and compared.
struct Numbered {
  Line line;
  double value = NAN;
  std::string group;
};

std::vector<Numbered> NumberedLines(const Panel& panel, std::span<const Answer> answers) {
  const double whole = panel.options.full.empty() ? NAN : NumberOf(panel, answers, panel.options.full);
  double longest = 0;
  bool measured = false;
  for (size_t q = 0; q < answers.size(); ++q) {
    if (!AsksSeries(panel.questions[q]) || answers[q].series.empty()) continue;
    measured = measured || !std::isnan(FullOf(panel, panel.questions[q], whole));
    for (const Series& series : answers[q].series) longest = std::fmax(longest, series.last());
  }
  std::vector<Numbered> lines;
  for (size_t q = 0; q < answers.size(); ++q) {
    const Question& question = panel.questions[q];
    if (!AsksSeries(question)) continue;
    for (const Series& series : answers[q].series) {
      Numbered& one = lines.emplace_back();
      one.value = series.last();
      one.group = panel.options.group.empty() ? "" : LabelOf(series, panel.options.group);
      one.line.name = one.group.empty() ? series.name : one.group + " " + series.name;
      one.line.value = ShownOf(one.value, question);
      if (!question.note.empty()) one.line.value.text += " " + question.note;
      if (question.mode == Question::Mode::kRange) {
        one.line.values = series.values;
        Scale(question, &one.line);
        continue;
      }
      if (!HasBars(panel) || panel.options.unsized) continue;
      const double own = FullOf(panel, question, whole);
      // Beside bars with a full length of their own, one without has none: its length would say nothing.
      if (measured && std::isnan(own)) continue;
      const double full = std::isnan(own) ? longest : own;
      one.line.part = full > 0 && !std::isnan(one.value) ? one.value / full : 0;
    }
  }
  return lines;
}

// The sum of a question's series, and its share of another's number.
std::optional<Line> TotalLine(const Panel& panel, std::span<const Answer> answers) {
  const std::optional<size_t> of = PlaceOf(panel, panel.options.sum_of);
  if (panel.options.sum_of.empty() || !of || answers[*of].series.empty()) return std::nullopt;
  double sum = 0;
  for (const Series& series : answers[*of].series) {
    if (const double value = series.last(); !std::isnan(value)) sum += value;
  }
  const Looks& looks = panel.questions[*of].looks;
  Line line;
  line.name = "Total";
  line.value = {NumberText(sum, looks.unit, looks.decimals), Style::kBold};
  if (const double budget = NumberOf(panel, answers, panel.options.budget); budget > 0) {
    line.value.text += fmt::format(" / {} ({})", NumberText(budget, looks.unit, looks.decimals),
                                   NumberText(sum / budget, "percentunit", 0));
  }
  return line;
}

}  // namespace

Shown ShownOf(double value, const Question& question) {
  const Looks& looks = question.looks;
  for (const Mapping& mapping : looks.mappings) {
    if (mapping.value == value) return {mapping.text, mapping.style};
  }
  Shown shown{NumberText(value, looks.unit, looks.decimals), Style::kPlain};
  for (const Threshold& threshold : looks.thresholds) {
    if (value >= threshold.from) shown.style = threshold.style;
  }
  if (const std::optional<Shown> mark = MarkOf(question.goal, value)) {
    shown.text += " " + mark->text;
    if (shown.style == Style::kPlain) shown.style = mark->style;
  }
  return shown;
}

bool AsksSeries(const Question& question) {
  return question.mode == Question::Mode::kInstant || question.mode == Question::Mode::kRange;
}

std::vector<Line> LinesOfSeries(const Panel& panel, std::span<const Answer> answers) {
  if (panel.type == "bars" && panel.options.compare.size() == 2) return ComparedLines(panel, answers);
  if (panel.type == "pattern") return PatternLines(panel, answers);
  std::vector<Numbered> numbered = NumberedLines(panel, answers);
  if (!panel.options.group.empty()) {
    std::ranges::stable_sort(numbered, StandsBefore, &Numbered::group);
  }
  if (panel.options.sort_by_value) {
    std::ranges::stable_sort(numbered, [](const Numbered& a, const Numbered& b) {
      return (std::isnan(a.value) ? 0 : a.value) > (std::isnan(b.value) ? 0 : b.value);
    });
  }
  std::vector<Line> lines;
  for (size_t i = 0; i < numbered.size(); ++i) {
    lines.push_back(std::move(numbered[i].line));
    if (panel.options.change_from_previous && i > 0) {
      lines.back().value.text += " " + ChangeText(numbered[i - 1].value, numbered[i].value);
    }
  }
  if (std::optional<Line> total = TotalLine(panel, answers)) lines.push_back(std::move(*total));
  return lines;
}

}  // namespace tidemark::cli::monitor
