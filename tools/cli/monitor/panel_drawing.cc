#include "tools/cli/monitor/panel_drawing.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/text/instant.h"
#include "tools/cli/monitor/alerting.h"
#include "tools/cli/monitor/figures.h"
#include "tools/cli/monitor/goals.h"
#include "tools/cli/monitor/tables.h"

namespace tidemark::cli::monitor {
namespace {

std::vector<Note> NotesOf(std::span<const Answer> answers) {
  std::vector<Note> notes;
  for (const Answer& answer : answers) notes.insert(notes.end(), answer.notes.begin(), answer.notes.end());
  return notes;
}

template <typename T>
std::vector<T> AllOf(std::span<const Answer> answers, std::vector<T> Answer::* list) {
  std::vector<T> all;
  for (const Answer& answer : answers) all.insert(all.end(), (answer.*list).begin(), (answer.*list).end());
  return all;
}

std::string Counted(size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

Listing AlertsOf(std::span<const Answer> answers) {
  const std::vector<ActiveAlert> alerts = AllOf(answers, &Answer::alerts);
  const size_t rules = AllOf(answers, &Answer::rules).size();
  const auto firing = static_cast<size_t>(
      std::ranges::count_if(alerts, [](const ActiveAlert& alert) { return alert.state == "firing"; }));
  const std::string watch = rules == 0 ? "" : "; " + Counted(rules, "rule watches", "rules watch");
  if (firing > 0) return {{Counted(firing, "alert fires", "alerts fire") + watch, Style::kBad}, RowsOf(alerts)};
  if (!alerts.empty())
    return {{Counted(alerts.size(), "alert is pending", "alerts are pending") + watch, Style::kWarn}, RowsOf(alerts)};
  return {{rules == 0 ? "No rule watches this system." : "No alert is active" + watch,
           rules == 0 ? Style::kDim : Style::kGood},
          {}};
}

// nullopt for a panel that lists nothing, or was not answered yet.
std::optional<Listing> ListingOf(const Panel& panel, std::span<const Answer> answers) {
  if (std::ranges::none_of(answers, &Answer::answered)) return std::nullopt;
  if (panel.type == "alerts") return AlertsOf(answers);
  if (panel.type == "goals") return GoalListing(panel, answers);
  if (panel.type == "savings") return SavingListing(panel, answers);
  if (panel.type == "rules") {
    const std::vector<RuleState> rules = AllOf(answers, &Answer::rules);
    if (rules.empty()) return std::nullopt;
    return Listing{{Counted(rules.size(), "rule", "rules")}, RowsOf(rules)};
  }
  if (panel.type == "silences") {
    const std::vector<Silence> silences = AllOf(answers, &Answer::silences);
    if (silences.empty()) return Listing{{"Nothing is silenced.", Style::kDim}, {}};
    return Listing{{Counted(silences.size(), "silence", "silences"), Style::kWarn}, RowsOf(silences)};
  }
  if (panel.type == "usage") {
    const std::vector<Usage> usage = AllOf(answers, &Answer::usage);
    if (usage.empty()) return std::nullopt;
    return Listing{{Counted(usage.size(), "token or database with quotas", "tokens and databases with quotas")},
                   RowsOf(usage)};
  }
  return std::nullopt;
}

// `text` in lines of at most `columns`, broken at spaces.
std::vector<std::string> Wrap(std::string_view text, int columns) {
  std::vector<std::string> lines;
  std::string line;
  const auto put = [&](std::string_view word) {
    if (!line.empty() && WidthOf(line) + 1 + WidthOf(word) > columns) {
      lines.push_back(std::move(line));
      line.clear();
    }
    line += (line.empty() ? "" : " ") + std::string(word);
  };
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find_first_of(" \n", at), text.size());
    if (end > at) put(text.substr(at, end - at));
    if (end < text.size() && text[end] == '\n') {
      lines.push_back(std::move(line));
      line.clear();
    }
    at = end + 1;
  }
  if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

// What a panel says that has nothing to show.
std::string WhyEmpty(const Panel& panel, std::span<const Answer> answers) {
  for (const Answer& answer : answers) {
    if (!answer.error.empty()) return answer.error;
  }
  if (panel.questions.empty()) return "The page in the browser shows this panel.";
  // Nobody knows yet whether there is something.
  if (std::ranges::none_of(answers, &Answer::answered)) return "...";
  return panel.empty.empty() ? "No data." : "No data. " + panel.empty;
}

void DrawLines(std::span<const Line> lines, const Rect& inside, Canvas* canvas) {
  const bool cut = static_cast<int>(lines.size()) > inside.height;
  const size_t shown = cut ? static_cast<size_t>(std::max(inside.height - 1, 0)) : lines.size();
  int name_width = 0;
  int value_width = 0;
  for (size_t i = 0; i < shown; ++i) {
    name_width = std::max(name_width, WidthOf(lines[i].name));
    value_width = std::max(value_width, WidthOf(lines[i].value.text));
  }
  // A long note behind a number leaves the names half of the room.
  value_width = std::max(1, std::min(value_width, inside.width - 1 - std::min(name_width, inside.width / 2)));
  const bool beside =
      std::ranges::any_of(lines, [](const Line& l) { return !std::isnan(l.part) || !l.values.empty(); });
  // A bar or a line needs room, or is left away.
  constexpr int kLeastBar = 6;
  const int room = inside.width - value_width - 1;
  name_width = std::min(name_width, beside ? std::max(room / 2, room - 24) : room);
  const int bar = room - name_width - 1;
  for (size_t i = 0; i < shown; ++i) {
    const Line& line = lines[i];
    const int y = inside.y + static_cast<int>(i);
    canvas->Print(inside.x, y, name_width, line.name);
    if (bar >= kLeastBar && !std::isnan(line.part)) {
      canvas->Bar(inside.x + name_width + 1, y, bar, line.part,
                  line.value.style == Style::kPlain ? Style::kAccent : line.value.style);
    }
    if (bar >= kLeastBar && !line.values.empty()) {
      canvas->Spark(inside.x + name_width + 1, y, bar, line.values, line.least, line.most, Style::kAccent);
    }
    canvas->PrintRight(inside.x + inside.width - value_width, y, value_width, line.value.text, line.value.style);
  }
  if (cut) {
    canvas->Print(inside.x, inside.y + inside.height - 1, inside.width,
                  fmt::format("and {} more", lines.size() - shown), Style::kDim);
  }
}

void DrawTable(const Rows& table, const Rect& inside, Canvas* canvas) {
  std::vector<int> widths(table.heads.size());
  for (size_t c = 0; c < widths.size(); ++c) {
    widths[c] = WidthOf(table.heads[c]);
    for (const auto& row : table.rows) {
      if (c < row.size()) widths[c] = std::max(widths[c], WidthOf(row[c].text));
    }
  }
  int x = inside.x;
  for (size_t c = 0; c < widths.size(); ++c) {
    const int left = inside.x + inside.width - x;
    if (left < std::min(widths[c], 4)) break;
    const int width = std::min(widths[c], left);
    canvas->Print(x, inside.y, width, table.heads[c], Style::kDim);
    for (size_t r = 0; r < table.rows.size() && static_cast<int>(r) + 1 < inside.height; ++r) {
      if (c >= table.rows[r].size()) continue;
      const Shown& shown = table.rows[r][c];
      if (c == 0) {
        canvas->Print(x, inside.y + 1 + static_cast<int>(r), width, shown.text, shown.style);
      } else {
        canvas->PrintRight(x, inside.y + 1 + static_cast<int>(r), width, shown.text, shown.style);
      }
    }
    x += width + 2;
  }
}

// Words of rows stand at the left, and what is no more than a screen's rest is cut. A column whose head has no place is
// left out.
void DrawListing(const Listing& listing, const Rect& inside, Canvas* canvas) {
  canvas->Print(inside.x, inside.y, inside.width, listing.word.text, listing.word.style);
  const Rows& rows = listing.rows;
  int x = inside.x;
  for (size_t c = 0; c < rows.heads.size(); ++c) {
    int widest = WidthOf(rows.heads[c]);
    for (const auto& row : rows.rows) widest = std::max(widest, c < row.size() ? WidthOf(row[c].text) : 0);
    const int left = inside.x + inside.width - x;
    if (left < std::min(widest, WidthOf(rows.heads[c])) || left < 4) break;
    // One long word leaves something for those behind it.
    const int width = std::min({widest, left, c + 1 < rows.heads.size() ? std::max(inside.width * 2 / 5, 12) : left});
    canvas->Print(x, inside.y + 1, width, rows.heads[c], Style::kDim);
    for (size_t r = 0; r < rows.rows.size() && static_cast<int>(r) + 2 < inside.height; ++r) {
      if (c < rows.rows[r].size())
        canvas->Print(x, inside.y + 2 + static_cast<int>(r), width, rows.rows[r][c].text, rows.rows[r][c].style);
    }
    x += width + 2;
  }
}

// "14:32:15 ", or with the day where it is not today's; short where there is little room.
std::string TimeOf(double time_s, int columns) {
  if (time_s <= 0) return "";
  const auto rfc = [](double seconds) {
    std::string text;
    text::AppendRfc3339(&text, static_cast<int64_t>(seconds) * 1'000'000'000);
    return text;
  };
  constexpr int kNarrow = 40;
  const std::string then = rfc(time_s);
  const std::string today = rfc(static_cast<double>(SystemClock::Get().NowNs()) * 1e-9);
  const std::string clock = then.substr(11, columns < kNarrow ? 5 : 8);
  if (then.substr(0, 10) == today.substr(0, 10)) return clock + " ";
  return then.substr(5, 5) + " " + (columns < kNarrow ? "" : clock + " ");
}

void DrawNotes(std::span<const Note> notes, const Rect& inside, Canvas* canvas) {
  for (size_t i = 0; i < notes.size() && static_cast<int>(i) < inside.height; ++i) {
    const Note& note = notes[i];
    const int y = inside.y + static_cast<int>(i);
    int x = inside.x;
    const auto print = [&](const std::string& text, Style style) {
      x += canvas->Print(x, y, inside.x + inside.width - x, text, style);
    };
    print(TimeOf(note.time_s, inside.width), Style::kDim);
    if (!note.level.empty()) print(note.level + " ", note.style);
    if (!note.source.empty()) print(note.source + ": ", Style::kInfo);
    print(note.text, Style::kPlain);
  }
}

}  // namespace

int LinesOf(const Panel& panel, std::span<const Answer> answers, int columns, int most) {
  size_t lines = 0;
  if (panel.type == "text") {
    lines = Wrap(panel.text, columns).size();
  } else if (const std::optional<Listing> listing = ListingOf(panel, answers)) {
    lines = listing->rows.rows.empty() ? 1 : listing->rows.rows.size() + 2;
  } else if (IsTable(panel)) {
    const size_t rows = TableOf(panel, answers).rows.size();
    lines = rows == 0 ? 0 : rows + 1;
  } else if (const std::vector<Note> notes = NotesOf(answers); !notes.empty()) {
    lines = notes.size();
  } else {
    lines = LinesOfSeries(panel, answers).size();
  }
  if (lines == 0) lines = Wrap(WhyEmpty(panel, answers), columns).size();
  return std::clamp(static_cast<int>(lines), 1, std::max(most, 1));
}

void DrawPanel(const Panel& panel, std::span<const Answer> answers, const Rect& inside, Canvas* canvas) {
  const auto words = [&](std::string_view text, Style style) {
    const std::vector<std::string> lines = Wrap(text, inside.width);
    for (size_t i = 0; i < lines.size() && static_cast<int>(i) < inside.height; ++i) {
      canvas->Print(inside.x, inside.y + static_cast<int>(i), inside.width, lines[i], style);
    }
  };
  if (panel.type == "text") return words(panel.text, Style::kPlain);
  if (const std::optional<Listing> listing = ListingOf(panel, answers)) return DrawListing(*listing, inside, canvas);
  if (IsTable(panel)) {
    const Rows table = TableOf(panel, answers);
    return table.rows.empty() ? words(WhyEmpty(panel, answers), Style::kDim) : DrawTable(table, inside, canvas);
  }
  if (const std::vector<Note> notes = NotesOf(answers); !notes.empty()) return DrawNotes(notes, inside, canvas);
  const std::vector<Line> lines = LinesOfSeries(panel, answers);
  if (lines.empty()) return words(WhyEmpty(panel, answers), Style::kDim);
  DrawLines(lines, inside, canvas);
}

}  // namespace tidemark::cli::monitor
