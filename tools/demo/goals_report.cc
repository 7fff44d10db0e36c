#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "tools/demo/formula.h"
#include "tools/demo/goals.h"

namespace tidemark::demo {
namespace {

// For people: whole from a thousand on, else four digits, and an exponent only where there is no other way.
std::string NumberText(double value) {
  const double size = std::abs(value);
  if (size < 1e15 && (size >= 1'000 || std::floor(value) == value)) return fmt::format("{:.0f}", value);
  return fmt::format("{:.4g}", value);
}

std::string Measured(const std::optional<double>& value, const std::string& unit) {
  if (!value) return "-";
  return unit.empty() ? NumberText(*value) : NumberText(*value) + " " + unit;
}

}  // namespace

std::string_view WordFor(const std::vector<GoalResult>& goals) {
  const auto any = [&](GoalStatus status) {
    return std::any_of(goals.begin(), goals.end(), [&](const GoalResult& goal) { return goal.status == status; });
  };
  if (any(GoalStatus::kMissed)) return "DEGRADED";
  if (goals.empty() || any(GoalStatus::kNoData)) return "UNKNOWN";
  return any(GoalStatus::kWarn) ? "GOOD" : "OPTIMAL";
}

std::string_view Name(GoalStatus status) {
  switch (status) {
    case GoalStatus::kOk: return "OK";
    case GoalStatus::kWarn: return "WARN";
    case GoalStatus::kMissed: return "MISSED";
    case GoalStatus::kNoData: return "NO DATA";
  }
  return "UNKNOWN";
}

GoalStatus Judge(const Goal& goal, std::optional<double> value) {
  if (!value || std::isnan(*value)) return GoalStatus::kNoData;
  const double beyond = goal.direction == Direction::kBelow ? *value - goal.target : goal.target - *value;
  if (beyond < 0) return GoalStatus::kOk;
  return goal.tolerance > 0 && beyond <= goal.tolerance * std::abs(goal.target) ? GoalStatus::kWarn
                                                                                : GoalStatus::kMissed;
}

Result<GoalReport> Evaluate(const GoalFile& file, const AskNumber& ask) {
  GoalReport report;
  for (const Goal& goal : file.goals) {
    auto value = ask(goal.database, goal.query);
    if (!value.ok()) return value.error().Within(goal.name);
    report.goals.push_back({&goal, *value, Judge(goal, *value)});
  }
  report.word = WordFor(report.goals);
  std::map<std::string, std::optional<double>> known;
  for (const NamedQuery& named : file.values) {
    auto value = ask(named.database, named.query);
    if (!value.ok()) return value.error().Within(named.name);
    known[named.name] = *value;
    report.values.emplace_back(named.name, *value);
  }
  for (const auto& [name, price] : file.prices) {
    known[name] = price;
    report.values.emplace_back(name, price);
  }
  for (const Saving& saving : file.savings) {
    SavingResult result;
    result.saving = &saving;
    bool complete = true;
    result.with_numbers = WithNumbers(saving.formula, [&](const std::string& name) {
      const std::optional<double> value = known[name];
      complete = complete && value.has_value();
      return value.value_or(std::nan(""));
    });
    if (complete) {
      auto value = ask("", result.with_numbers);
      if (!value.ok()) return value.error().Within(saving.name);
      result.value = *value;
    }
    if (!saving.as.empty()) known[saving.as] = result.value;
    report.savings.push_back(std::move(result));
  }
  return report;
}

std::string ToText(const GoalReport& report) {
  size_t name = 4;
  size_t value = 3;
  size_t target = 6;
  const auto target_text = [](const Goal& goal) {
    return fmt::format("{} {}", goal.direction == Direction::kBelow ? '<' : '>', Measured(goal.target, goal.unit));
  };
  for (const GoalResult& goal : report.goals) {
    name = std::max(name, goal.goal->name.size());
    value = std::max(value, Measured(goal.value, goal.goal->unit).size());
    target = std::max(target, target_text(*goal.goal).size());
  }
  std::string out;
  if (!report.goals.empty())
    out += fmt::format("{:<{}}  {:>{}}  {:<{}}  status\n", "goal", name, "now", value, "target", target);
  for (const GoalResult& goal : report.goals) {
    out += fmt::format("{:<{}}  {:>{}}  {:<{}}  {}\n", goal.goal->name, name, Measured(goal.value, goal.goal->unit),
                       value, target_text(*goal.goal), target, Name(goal.status));
  }
  if (!report.values.empty()) {
    out += "\nvalues and prices\n";
    for (const auto& [label, number] : report.values) out += fmt::format("  {} = {}\n", label, Measured(number, ""));
  }
  if (!report.savings.empty()) {
    out += "\nsavings\n";
    for (const SavingResult& saving : report.savings) {
      out += fmt::format("  {}: {}\n    = {}\n    = {}\n", saving.saving->name,
                         saving.value ? Measured(saving.value, saving.saving->unit) : "NO DATA", saving.saving->formula,
                         saving.with_numbers);
    }
  }
  return out + fmt::format("\nstatus: {}\n", report.word);
}

}  // namespace tidemark::demo
