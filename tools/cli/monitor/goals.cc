#include "tools/cli/monitor/goals.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "storage/base/check.h"
#include "tools/cli/monitor/embedded.h"
#include "tools/cli/monitor/number_text.h"
#include "tools/demo/formula.h"
#include "tools/demo/goals.h"

namespace tidemark::cli::monitor {
namespace {

using demo::GoalStatus;

// The file is part of the program: what is wrong in it is wrong in every run, and the unit test says so.
const demo::GoalFile& File() {
  static const auto* const file = [] {
    Result<demo::GoalFile> parsed = demo::ParseGoals(GoalsYaml(), "goals.yaml");
    TM_CHECK(parsed.ok());
    return new demo::GoalFile(std::move(*parsed));
  }();
  return *file;
}

const demo::Goal* GoalNamed(std::string_view name) {
  const auto& goals = File().goals;
  const auto found = std::ranges::find(goals, name, &demo::Goal::name);
  return found == goals.end() ? nullptr : &*found;
}

std::optional<double> Known(double value) { return std::isnan(value) ? std::nullopt : std::optional(value); }

double LastOf(const Answer& answer) { return answer.series.empty() ? NAN : answer.series[0].last(); }

Style StyleOf(GoalStatus status) {
  switch (status) {
    case GoalStatus::kOk: return Style::kGood;
    case GoalStatus::kWarn: return Style::kWarn;
    case GoalStatus::kMissed: return Style::kBad;
    case GoalStatus::kNoData: break;
  }
  return Style::kDim;
}

std::string_view SignOf(GoalStatus status) {
  switch (status) {
    case GoalStatus::kOk: return "✓";
    case GoalStatus::kWarn: return "!";
    case GoalStatus::kMissed: return "✗";
    case GoalStatus::kNoData: break;
  }
  return "·";
}

std::string TargetText(const demo::Goal& goal) {
  return (goal.direction == demo::Direction::kBelow ? "< " : "> ") + NumberText(goal.target, goal.unit);
}

// How much of the way to its target a number has come; 1 and more when it is there.
double Attained(const demo::Goal& goal, double value) {
  if (goal.direction == demo::Direction::kAbove) return goal.target == 0 ? 1 : value / goal.target;
  return value <= 0 ? 1 : goal.target / value;
}

Style StyleOfWord(std::string_view word) {
  if (word == "OPTIMAL" || word == "GOOD") return Style::kGood;
  return word == "DEGRADED" ? Style::kBad : Style::kDim;
}

}  // namespace

std::vector<Question> GoalQuestions() {
  std::vector<Question> questions;
  for (const demo::Goal& goal : File().goals) {
    Question& question = questions.emplace_back();
    question.id = goal.name;
    question.db = goal.database;
    question.expr = goal.query;
    question.looks.unit = goal.unit;
  }
  return questions;
}

std::vector<Question> SavingQuestions() {
  std::vector<Question> questions;
  for (const demo::NamedQuery& value : File().values) {
    Question& question = questions.emplace_back();
    question.id = value.name;
    question.db = value.database;
    question.expr = value.query;
  }
  for (const demo::Saving& saving : File().savings) {
    Question& question = questions.emplace_back();
    question.id = saving.name;
    question.expr = saving.formula;
    question.mode = Question::Mode::kFormula;
    question.looks.unit = saving.unit;
    if (saving.unit == "%") question.looks.decimals = 0;
  }
  return questions;
}

std::optional<Shown> MarkOf(std::string_view name, double value) {
  const demo::Goal* const goal = name.empty() ? nullptr : GoalNamed(name);
  if (goal == nullptr || std::isnan(value)) return std::nullopt;
  const GoalStatus status = demo::Judge(*goal, value);
  return Shown{fmt::format("{} {}", SignOf(status), TargetText(*goal)), StyleOf(status)};
}

Listing GoalListing(const Panel& panel, std::span<const Answer> answers) {
  Listing listing;
  std::vector<demo::GoalResult> results;
  for (size_t q = 0; q < panel.questions.size() && q < answers.size(); ++q) {
    const demo::Goal* const goal = GoalNamed(panel.questions[q].id);
    if (goal == nullptr) continue;
    const std::optional<double> value = Known(LastOf(answers[q]));
    results.push_back({goal, value, demo::Judge(*goal, value)});
  }
  const auto with = [&](GoalStatus status) { return std::ranges::count(results, status, &demo::GoalResult::status); };
  const std::string_view word = demo::WordFor(results);
  listing.word = {fmt::format("{}: {} of {} goals are met", word, with(GoalStatus::kOk), results.size()),
                  StyleOfWord(word)};
  Rows& rows = listing.rows;
  rows.heads = panel.options.word_alone ? std::vector<std::string>{"Not met", "Now", "Target"}
                                        : std::vector<std::string>{"Goal", "Now", "Target", "Status", "Reached"};
  for (const auto& [goal, value, status] : results) {
    const Shown now = value ? Shown{NumberText(*value, goal->unit), StyleOf(status)} : Shown{"no data", Style::kDim};
    if (!panel.options.word_alone) {
      rows.rows.push_back({{fmt::format("{} {}", SignOf(status), goal->name), StyleOf(status)},
                           now,
                           {TargetText(*goal)},
                           {std::string(demo::Name(status)), StyleOf(status)},
                           {value ? NumberText(Attained(*goal, *value), "percentunit", 0) : "–"}});
    } else if (status == GoalStatus::kMissed || status == GoalStatus::kWarn) {
      rows.rows.push_back({{goal->name, StyleOf(status)}, now, {TargetText(*goal)}});
    }
  }
  return listing;
}

Listing SavingListing(const Panel& panel, std::span<const Answer> answers) {
  Listing listing;
  listing.word = {"What each is, and its formula; the server computes it", Style::kDim};
  listing.rows.heads = {"Saving", "Now", "Formula", "With numbers"};
  for (size_t q = 0; q < panel.questions.size() && q < answers.size(); ++q) {
    const Question& question = panel.questions[q];
    if (question.mode != Question::Mode::kFormula) continue;
    const Answer& answer = answers[q];
    const std::string numbers = answer.notes.empty() ? "has no data for one of its values" : answer.notes[0].text;
    listing.rows.rows.push_back(
        {{question.id},
         {NumberText(LastOf(answer), question.looks.unit, question.looks.decimals), Style::kBold},
         {question.expr, Style::kDim},
         {answer.error.empty() ? numbers : answer.error, answer.error.empty() ? Style::kDim : Style::kBad}});
  }
  return listing;
}

bool AsksSavings(const Board& board) {
  return std::ranges::any_of(board.rows, [](const Row& row) {
    return std::ranges::any_of(row.panels, [](const Panel& panel) { return panel.type == "savings"; });
  });
}

void TakeSavings(const Board& board, const std::function<Result<double>(const std::string& expr)>& ask,
                 Answers* answers) {
  size_t at = 0;
  for (const Row& row : board.rows) {
    for (const Panel& panel : row.panels) {
      std::vector<Answer>& mine = (*answers)[at++];
      if (panel.type != "savings") continue;
      std::map<std::string, double> known(File().prices.begin(), File().prices.end());
      for (size_t q = 0; q < panel.questions.size(); ++q) {
        const Question& question = panel.questions[q];
        Answer& answer = mine[q];
        if (question.mode != Question::Mode::kFormula) {
          if (const double value = LastOf(answer); !std::isnan(value)) known[question.id] = value;
          continue;
        }
        bool complete = true;
        const std::string text = demo::WithNumbers(question.expr, [&](const std::string& name) {
          const auto found = known.find(name);
          complete = complete && found != known.end();
          return found == known.end() ? NAN : found->second;
        });
        answer = {};
        answer.answered = true;
        if (!complete) continue;
        answer.notes.emplace_back().text = text;
        const Result<double> value = ask(text);
        if (!value.ok()) {
          answer.error = value.error().message;
          continue;
        }
        answer.series.push_back({.name = question.id, .labels = {}, .times = {0}, .values = {*value}});
        const auto saving = std::ranges::find(File().savings, question.id, &demo::Saving::name);
        if (saving != File().savings.end() && !saving->as.empty()) known[saving->as] = *value;
      }
    }
  }
}

}  // namespace tidemark::cli::monitor
