// Alerts, rules and silences: what the server says of them, and as rows of text.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/cli/monitor/canvas.h"

namespace tidemark::cli::monitor {

// A word in a row.
struct Shown {
  std::string text;
  Style style = Style::kPlain;
};

// Rows of words under heads. A row may have fewer words than there are heads.
struct Rows {
  std::vector<std::string> heads;
  std::vector<std::vector<Shown>> rows;
};

// A list of what is watched: one word for all of it, then its rows.
struct Listing {
  Shown word;
  Rows rows;
};

struct ActiveAlert {
  std::map<std::string, std::string> labels;
  std::string state;  // "firing", "pending"
  std::string summary;
  std::string value;
  double active_at_s = 0;     // seconds since 1970; 0: not known
  double since_s = 0;         // how long by the time of the last answer
  std::optional<Shown> told;  // who is told, or why nobody is; nothing while it is not known
};

struct RuleState {
  std::string name;
  std::string group;
  std::string query;
  std::string error;  // of its last evaluation; "": none
  std::string state;  // of an alert: "inactive", "pending", "firing"; of a recording its health
  bool recording = false;
  double for_s = 0;
  double every_s = 0;
};

struct Silence {
  std::string id;
  std::string state;  // "active", "pending", "expired"
  std::string matchers;
  std::string author;
  std::string comment;
  double ends_at_s = 0;
};

// `data` is the JSON text of an answer's "data"; what is not there is left empty. Firing alerts come first.
std::vector<ActiveAlert> ReadAlerts(std::string_view data);
std::vector<RuleState> ReadRules(std::string_view data);
// Of GET /api/v2/silences, a JSON list: those that have not ended, the ones in force first. nullopt when it is no list.
std::optional<std::vector<Silence>> ReadSilences(std::string_view json);

// Sets `since_s` and `told` of each alert. `told`: the reply of GET /api/v2/alerts, "" where it could not be had.
void FinishAlerts(double now_s, std::string_view told, const std::vector<Silence>& silences,
                  std::vector<ActiveAlert>* alerts);

Rows RowsOf(const std::vector<ActiveAlert>& alerts);
Rows RowsOf(const std::vector<RuleState>& rules);
Rows RowsOf(const std::vector<Silence>& silences);

}  // namespace tidemark::cli::monitor
