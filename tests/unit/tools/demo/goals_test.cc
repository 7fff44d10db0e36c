#include "tools/demo/goals.h"

#include <gtest/gtest.h>

#include <map>

namespace tidemark::demo {
namespace {

constexpr const char* kFile = R"(database: dce
goals:
  - {name: fast, query: a, target: 1, direction: below, unit: ms, tolerance: 10%}
  - {name: many, query: b, target: 100, direction: above, database: other}
values:
  - {name: before, query: c}
  - {name: now, query: d}
prices: {hour: 60}
savings:
  - {name: time, formula: (before - now) / 3600 * hour, unit: USD}
)";

GoalFile Parsed(const std::string& text) {
  auto file = ParseGoals(text, "g.yaml");
  EXPECT_TRUE(file.ok()) << file.error().message;
  return *file;
}

AskNumber Answers(std::map<std::string, double> numbers, std::vector<std::string>* asked = nullptr) {
  return [numbers = std::move(numbers), asked](std::string_view database,
                                               const std::string& query) -> Result<std::optional<double>> {
    if (asked != nullptr) asked->push_back(std::string(database) + ":" + query);
    const auto it = numbers.find(query);
    return it == numbers.end() ? std::optional<double>() : std::optional(it->second);
  };
}

TEST(Goals, EverythingIsAskedOfTheServer) {
  const GoalFile file = Parsed(kFile);
  std::vector<std::string> asked;
  const auto report = Evaluate(
      file, Answers({{"a", 0.5}, {"b", 150}, {"c", 7200}, {"d", 3600}, {"(7200 - 3600) / 3600 * 60", 60}}, &asked));
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(asked, (std::vector<std::string>{"dce:a", "other:b", "dce:c", "dce:d", ":(7200 - 3600) / 3600 * 60"}));
  EXPECT_EQ(report->word, "OPTIMAL");
  EXPECT_EQ(report->savings[0].value, 60);
  const std::string text = ToText(*report);
  for (const char* const part :
       {"fast", "0.5 ms", "< 1 ms", "> 100", "OK", "time: 60 USD", "= (before - now) / 3600 * hour",
        "= (7200 - 3600) / 3600 * 60", "hour = 60", "status: OPTIMAL"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

TEST(Goals, Words) {
  const GoalFile file = Parsed(kFile);
  const auto word = [&](std::map<std::string, double> numbers) {
    return Evaluate(file, Answers(std::move(numbers)))->word;
  };
  EXPECT_EQ(word({{"a", 1.05}, {"b", 150}}), "GOOD");
  EXPECT_EQ(word({{"a", 1.2}, {"b", 150}}), "DEGRADED");
  EXPECT_EQ(word({{"a", 0.5}}), "UNKNOWN");
  EXPECT_EQ(word({{"a", 1.2}}), "DEGRADED");
}

TEST(Goals, ExactlyOnTheTargetIsBesideIt) {
  Goal goal{.target = 100, .direction = Direction::kAbove};
  EXPECT_EQ(Judge(goal, 100.1), GoalStatus::kOk);
  EXPECT_EQ(Judge(goal, 100), GoalStatus::kMissed);
  goal.tolerance = 0.05;
  EXPECT_EQ(Judge(goal, 100), GoalStatus::kWarn);
  EXPECT_EQ(Judge(goal, 95), GoalStatus::kWarn);
  EXPECT_EQ(Judge(goal, 94.9), GoalStatus::kMissed);
  EXPECT_EQ(Judge(goal, std::nullopt), GoalStatus::kNoData);
}

TEST(Goals, ASavingWithoutAllItsNumbersHasNone) {
  const GoalFile file = Parsed(kFile);
  const auto report = Evaluate(file, Answers({{"c", 1}}));
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->savings[0].value, std::nullopt);
  EXPECT_NE(ToText(*report).find("time: NO DATA"), std::string::npos);
}

TEST(Goals, AFailingServerIsSaidWithTheGoal) {
  const GoalFile file = Parsed(kFile);
  const auto report = Evaluate(
      file, [](std::string_view, const std::string&) -> Result<std::optional<double>> { return IoError("gone"); });
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().message, "fast: gone");
}

TEST(Goals, BadFilesAreRefusedWithThePlace) {
  const auto fault = [](const std::string& text) {
    const auto file = ParseGoals(text, "g.yaml");
    return file.ok() ? "" : file.error().message;
  };
  EXPECT_EQ(fault(""), "g.yaml:1:1: a file of goals must be a map");
  EXPECT_NE(fault("{}"), "");
  EXPECT_NE(fault("goals: [").find("g.yaml:"), std::string::npos);
  EXPECT_EQ(fault("goals:\n  - {name: a, query: 'sum(', target: 1, direction: below}\n").substr(0, 12), "g.yaml:2:22:");
  EXPECT_NE(fault("goals:\n  - {name: a, query: b, target: x, direction: below}\n").find("target must be a number"),
            std::string::npos);
  EXPECT_NE(fault("goals:\n  - {name: a, query: b, target: 1, direction: up}\n").find("below or above"),
            std::string::npos);
  EXPECT_NE(fault("goals:\n  - {name: a, query: b, direction: below}\n").find("target is missing"), std::string::npos);
  EXPECT_NE(fault("goals:\n  - {name: a, query: b, target: 1, direction: below, colour: red}\n").find("unknown key"),
            std::string::npos);
  EXPECT_NE(fault("savings:\n  - {name: a, formula: b * 2}\n").find("no value, price or saving above is called \"b\""),
            std::string::npos);
  EXPECT_NE(fault("prices: {b: 1}\nsavings:\n  - {name: a, formula: b *}\n").find("g.yaml:3:"), std::string::npos);
  EXPECT_NE(fault("prices: {b: 1, nan: 2}\n").find("no name for a formula"), std::string::npos);
  EXPECT_NE(fault("values: [{name: b, query: x}]\nprices: {b: 1}\n").find("two values, prices or savings"),
            std::string::npos);
}

TEST(Goals, SavingsAddUpAndAreReadable) {
  const GoalFile file = Parsed(
      "prices: {hour: 1}\nsavings:\n  - {name: machines, formula: hour * 12400.25, unit: USD, as: machines_usd}\n"
      "  - {name: waiting, formula: hour * 1e6, unit: USD, as: waiting_usd}\n"
      "  - {name: together, formula: machines_usd + waiting_usd, unit: USD}\n");
  const auto report =
      Evaluate(file, Answers({{"1 * 12400.25", 12'400.25}, {"1 * 1e6", 1e6}, {"12400.25 + 1000000", 1'012'400.25}}));
  ASSERT_TRUE(report.ok());
  const std::string text = ToText(*report);
  for (const char* const part : {"machines: 12400 USD", "waiting: 1000000 USD", "together: 1012400 USD"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  // Only those above it, and no name twice.
  const auto fault = [](const std::string& more) {
    const auto bad = ParseGoals("prices: {hour: 1}\nsavings:\n" + more, "g.yaml");
    return bad.ok() ? "" : bad.error().message;
  };
  EXPECT_NE(fault("  - {name: a, formula: b * 2}\n  - {name: c, formula: hour, as: b}\n").find("called \"b\""),
            std::string::npos);
  EXPECT_NE(fault("  - {name: a, formula: hour, as: hour}\n").find("two values, prices or savings"), std::string::npos);
  // What has no value gives none to those that need it.
  const auto empty = Evaluate(file, Answers({{"1 * 1e6", 1e6}}));
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(empty->savings[2].value, std::nullopt);
}

TEST(Goals, TheFileThatShipsIsGood) {
  const auto file = LoadGoals(GOALS_FILE);
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_GE(file->goals.size(), 6);
  EXPECT_GE(file->savings.size(), 5);
  EXPECT_FALSE(LoadGoals(std::string(GOALS_FILE) + ".absent").ok());
}

}  // namespace
}  // namespace tidemark::demo
