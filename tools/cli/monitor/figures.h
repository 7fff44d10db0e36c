// Figures: the lines of a panel that shows numbers: each a name, a number in words, and a bar or a course of time.
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "tools/cli/monitor/alerting.h"
#include "tools/cli/monitor/answers.h"
#include "tools/cli/monitor/board.h"

namespace tidemark::cli::monitor {

struct Line {
  std::string name;
  Shown value;
  double part = NAN;           // of a full bar; NaN: none
  std::vector<double> values;  // of a course of time
  double least = 0;
  double most = 0;
};

// What of a value is shown: its word or its number, with what its goal says of it.
Shown ShownOf(double value, const Question& question);

// Whether the question is answered by series.
bool AsksSeries(const Question& question);

// A line for each series of each question, as the panel's type and options order them.
std::vector<Line> LinesOfSeries(const Panel& panel, std::span<const Answer> answers);

}  // namespace tidemark::cli::monitor
