#include "tools/cli/monitor/tables.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tools/cli/monitor/figures.h"
#include "tools/cli/monitor/number_text.h"
#include "tools/cli/monitor/order.h"

namespace tidemark::cli::monitor {
namespace {

struct Before {
  bool operator()(const std::string& a, const std::string& b) const { return StandsBefore(a, b); }
};

std::string TitleOf(const Question& question) {
  return question.legend.empty() || question.legend.find("{{") != std::string::npos ? question.id : question.legend;
}

std::string LabelOf(const std::map<std::string, std::string>& labels, const std::string& label) {
  const auto found = labels.find(label);
  return found == labels.end() ? "" : found->second;
}

// A row for each value of the label, a column for each question; events give the newest text.
Rows Joined(const Panel& panel, std::span<const Answer> answers) {
  const std::string& label = panel.options.join;
  Rows table;
  table.heads.push_back(panel.options.title.empty() ? label : panel.options.title);
  std::map<std::string, size_t, Before> row_of;
  const auto key_of = [&](const Series& series) {
    const auto found = series.labels.find(label);
    return found == series.labels.end() ? series.name : found->second;
  };
  for (const Answer& answer : answers) {
    for (const Series& series : answer.series) row_of.try_emplace(key_of(series), 0);
  }
  for (auto& [name, place] : row_of) {
    place = table.rows.size();
    table.rows.push_back({{name.empty() ? "all" : name, Style::kPlain}});
  }
  for (size_t q = 0; q < answers.size(); ++q) {
    const Question& question = panel.questions[q];
    const size_t column = table.heads.size();
    table.heads.push_back(TitleOf(question));
    for (auto& row : table.rows) row.resize(column + 1);
    if (AsksSeries(question)) {
      for (const Series& series : answers[q].series) {
        table.rows[row_of[key_of(series)]][column] = ShownOf(series.last(), question);
      }
    } else if (question.mode == Question::Mode::kEvents) {
      // Newest first: the first of a row is what stands there.
      for (const Note& note : answers[q].notes) {
        const auto row = row_of.find(LabelOf(note.labels, label));
        if (row == row_of.end()) continue;
        Shown& cell = table.rows[row->second][column];
        if (cell.text.empty()) cell.text = note.text;
      }
    }
  }
  return table;
}

// One question's numbers by two labels.
Rows Pivoted(const Panel& panel, std::span<const Answer> answers) {
  const Options& options = panel.options;
  const Question& question = panel.questions[0];
  std::set<std::string, Before> across;
  std::map<std::string, std::map<std::string, double>, Before> rows;
  for (const Series& series : answers[0].series) {
    const std::string column = LabelOf(series.labels, options.pivot_column);
    across.insert(column);
    rows[LabelOf(series.labels, options.pivot_row)][column] = series.last();
  }
  Rows table;
  if (rows.empty()) return table;
  const auto text = [&](double value) { return NumberText(value, question.looks.unit, question.looks.decimals); };
  table.heads.push_back(options.pivot_row);
  for (const std::string& name : across) table.heads.push_back(name.empty() ? "–" : name);
  if (options.pivot_total) table.heads.emplace_back("Total");
  std::vector<double> sums(across.size() + 1);
  for (const auto& [name, cells] : rows) {
    auto& row = table.rows.emplace_back();
    row.push_back({name});
    double sum = 0;
    size_t column = 0;
    for (const std::string& other : across) {
      const auto cell = cells.find(other);
      const double value = cell == cells.end() || std::isnan(cell->second) ? 0 : cell->second;
      row.push_back(cell == cells.end() ? Shown{"0", Style::kDim} : Shown{text(value)});
      sum += value;
      sums[column++] += value;
    }
    sums[column] += sum;
    if (options.pivot_total) row.push_back({text(sum), Style::kBold});
  }
  if (options.pivot_total) {
    auto& row = table.rows.emplace_back();
    row.push_back({"Total", Style::kDim});
    for (const double sum : sums) row.push_back({text(sum), Style::kDim});
  }
  return table;
}

// A row for each step of the range, oldest first.
Rows ByTime(const Panel& panel, std::span<const Answer> answers) {
  Rows table;
  std::map<double, size_t> row_of;
  for (const Answer& answer : answers) {
    for (const Series& series : answer.series) {
      for (const double time : series.times) row_of.try_emplace(time, 0);
    }
  }
  table.heads = {panel.options.row.empty() ? "Time" : panel.options.row, "until"};
  for (auto& [time, place] : row_of) {
    place = table.rows.size();
    table.rows.push_back({{std::to_string(place + 1)}, {NumberText(time, "dateTime").substr(0, 10), Style::kDim}});
  }
  for (size_t q = 0; q < answers.size(); ++q) {
    const size_t column = table.heads.size();
    table.heads.push_back(TitleOf(panel.questions[q]));
    for (auto& row : table.rows) row.resize(column + 1, {"–", Style::kDim});
    for (const Series& series : answers[q].series) {
      for (size_t i = 0; i < series.times.size(); ++i) {
        table.rows[row_of[series.times[i]]][column] = ShownOf(series.values[i], panel.questions[q]);
      }
    }
  }
  return table;
}

}  // namespace

bool IsTable(const Panel& panel) {
  return panel.type == "table" &&
         (panel.questions.size() > 1 || panel.options.by_time || !panel.options.pivot_row.empty());
}

Rows TableOf(const Panel& panel, std::span<const Answer> answers) {
  if (answers.empty()) return {};
  if (!panel.options.pivot_row.empty()) return Pivoted(panel, answers);
  return panel.options.by_time ? ByTime(panel, answers) : Joined(panel, answers);
}

}  // namespace tidemark::cli::monitor
