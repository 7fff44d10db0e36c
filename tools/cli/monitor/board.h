// Board: a dashboard file, as far as a terminal draws it (clients/dashboard/SCHEMA.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "tools/cli/monitor/canvas.h"

namespace tidemark::cli::monitor {

// A style for values from a number on.
struct Threshold {
  double from = 0;  // minus infinity for what is below all others
  Style style = Style::kPlain;
};

// A word for a number.
struct Mapping {
  double value = 0;
  std::string text;
  Style style = Style::kPlain;
};

// How numbers look: of a panel, or of one of its queries.
struct Looks {
  std::string unit;
  std::optional<int> decimals;
  std::optional<double> min;
  std::optional<double> max;
  std::vector<Threshold> thresholds;
  std::vector<Mapping> mappings;
};

struct Question {
  // Those from kSilences on are no modes of the schema: panels of those types ask so. kFormula: computed out of other
  // answers of its panel.
  enum class Mode : uint8_t { kInstant, kRange, kEvents, kAlerts, kRules, kSilences, kUsage, kFormula };

  std::string id;
  std::string db;
  std::string expr;
  std::string legend;
  std::string note;
  std::string goal;  // whose target stands beside the number
  Mode mode = Mode::kInstant;
  double interval_s = 1;
  std::optional<double> step_s;
  int limit = 200;
  Looks looks;  // the panel's where the query says nothing
};

// What a panel's options say of its drawing, as far as a terminal heeds it (clients/dashboard/SCHEMA.md).
struct Options {
  std::string join;   // of a table: the label that its rows share
  std::string title;  // what that is called
  std::string pivot_row;
  std::string pivot_column;
  bool pivot_total = false;
  bool by_time = false;              // a row for each step of the range
  std::string row;                   // what such a row is called
  std::vector<std::string> compare;  // two questions, before and after,
  std::string by;                    // by this label
  std::string group;                 // lines of one value of the label stand together
  std::string full;                  // the question whose number is a full bar
  std::string sum_of;                // the question whose series are added up,
  std::string budget;                // and the one whose number the sum is a share of
  std::string x;                     // of a pattern: the question that gives the seconds since the start of a run
  bool sort_by_value = false;
  bool change_from_previous = false;
  bool unsized = false;
  bool word_alone = false;
};

struct Panel {
  std::string type;
  std::string title;
  std::string text;   // of a text panel
  std::string empty;  // what would give it data
  Options options;
  int width = 4;  // of 12 columns
  std::vector<Question> questions;
};

struct Row {
  std::string title;
  std::vector<Panel> panels;
};

struct Variable {
  std::string name;
  std::string db;
  std::string fallback;
  std::string value;  // of a constant, or the first of those that may be chosen
  std::string match;  // of label_values(match, label)
  std::string label;  // "": nothing is asked
  bool constant = false;
};

struct Board {
  std::string id;
  std::string title;
  double range_s = 900;
  double refresh_s = 5;
  std::vector<Variable> variables;
  std::vector<Row> rows;
};

// A board out of JSON. Errors: kInvalidArgument, in words for a person.
Result<Board> ParseBoard(std::string_view json);

// A duration as the schema has it, "15m", in seconds; nullopt for what is none.
std::optional<double> ParseSpan(std::string_view text);

struct ShippedBoard {
  std::string_view id;
  std::string_view json;
};
// The pages that ship, in the order in which the dashboard shows them. Made by the build out of the page's own files.
const std::vector<ShippedBoard>& ShippedBoards();

}  // namespace tidemark::cli::monitor
