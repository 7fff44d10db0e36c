// Goals and savings: what the goals file of the simulated backend says of numbers (tools/demo/goals.h has the rules).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "tools/cli/monitor/alerting.h"
#include "tools/cli/monitor/answers.h"
#include "tools/cli/monitor/board.h"

namespace tidemark::cli::monitor {

// What a panel of goals asks: one question for each goal, in the file's order, called as the goal.
std::vector<Question> GoalQuestions();
// What a panel of savings asks: the values of the formulas, and behind them the formulas (Mode::kFormula).
std::vector<Question> SavingQuestions();

// "✓ < 1 ms": whether the number meets the goal of that name, and what it is; nothing without such a goal or a number.
std::optional<Shown> MarkOf(std::string_view goal, double value);

// The word for all goals, and each of them in a row. `word_alone`: the word and what is behind its goal, no rows.
Listing GoalListing(const Panel& panel, std::span<const Answer> answers);

// The savings with their formulas, in rows.
Listing SavingListing(const Panel& panel, std::span<const Answer> answers);

bool AsksSavings(const Board& board);
// Lets `ask` compute each formula of `board` whose values have been answered. What fails stays as it was, with the
// reason.
void TakeSavings(const Board& board, const std::function<Result<double>(const std::string& expr)>& ask,
                 Answers* answers);

}  // namespace tidemark::cli::monitor
