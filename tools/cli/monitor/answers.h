// Answers: what a board asks the server, as one batch, and what came back.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/result.h"
#include "tools/cli/monitor/alerting.h"
#include "tools/cli/monitor/board.h"
#include "tools/cli/monitor/usage.h"

namespace tidemark::cli::monitor {

struct Series {
  std::string name;
  std::map<std::string, std::string> labels;
  std::vector<double> times;  // seconds since 1970, ascending
  std::vector<double> values;

  // The newest value; NaN without any.
  [[nodiscard]] double last() const;
};

// A line of text with a time: an event.
struct Note {
  double time_s = 0;
  std::string text;
  std::map<std::string, std::string> labels;
  std::string level;            // "WARN"; "" for what is no more than told
  std::string source;           // what it is about, in the word that its labels have for it
  Style style = Style::kPlain;  // of the level
};

struct Answer {
  std::vector<Series> series;
  std::vector<Note> notes;
  std::vector<ActiveAlert> alerts;
  std::vector<RuleState> rules;
  std::vector<Silence> silences;
  std::vector<Usage> usage;
  bool answered = false;  // once at least: then nothing means that there is nothing
  std::string error;
};

// Of each panel, row by row, an answer for each of its questions.
using Answers = std::vector<std::vector<Answer>>;

// What is shown: until when, and how long.
struct Span {
  double end_s = 0;
  double length_s = 900;
  int points = 60;  // of a line
};

using Values = std::map<std::string, std::string>;

// `text` with the values in place of $name and ${name}; a value may name others. Unknown names stay.
std::string Interpolate(std::string_view text, const Values& values);

// The body of the batch that asks for the values of `variable`, and the value that the answer gives: the default where
// it is there, else the first; "" without any.
std::string VariableBatch(const Variable& variable, const Values& values);
std::string VariableValue(const Variable& variable, std::string_view line);
// What may stand between the quotes of a PromQL string.
std::string EscapeForString(std::string_view value);

// The body of the batch for all panels.
std::string BoardBatch(const Board& board, const Span& span, const Values& values);
// Takes in a line of the reply. Lines that answer no question are passed over.
void TakeLine(const Board& board, std::string_view line, Answers* answers);
// Whether something on the board is told by the API of silences and of who is told, which no batch has.
bool AsksWhoIsTold(const Board& board);
// Takes in the replies of GET /api/v2/silences and /api/v2/alerts, or why the first could not be had. `now_s` is the
// moment that was asked for, seconds since 1970.
void TakeTold(const Board& board, double now_s, const Result<std::string>& silences, std::string_view told,
              Answers* answers);
// Whether something on the board is told by the API of administrators.
bool AsksUsage(const Board& board);
// Takes in the reply of GET /api/v1/admin/usage, or why it could not be had.
void TakeUsage(const Board& board, const Result<std::string>& usage, Answers* answers);
// An answer for each question, all of them empty.
Answers NoAnswers(const Board& board);

}  // namespace tidemark::cli::monitor
