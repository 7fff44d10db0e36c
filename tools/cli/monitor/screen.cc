#include "tools/cli/monitor/screen.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>

#include "storage/base/text/duration.h"
#include "storage/base/text/instant.h"
#include "tools/cli/monitor/panel_drawing.h"

namespace tidemark::cli::monitor {
namespace {

constexpr int kGrid = 12;
constexpr int kContentMost = 10;    // lines of a panel
constexpr int kListingMost = 2000;  // of one that lists alerts, rules or silences: each is there, further down
// A panel is at least so wide; below it stands alone in its line.
constexpr int kLeastPanel = 26;

struct Placed {
  const Panel* panel;
  std::span<const Answer> answers;
  Rect box;
};

// Of twelve, in a screen of so many columns.
int WidthIn(const Panel& panel, int columns) {
  int width = std::clamp(panel.width, 1, kGrid);
  while (width < kGrid && columns * width / kGrid < kLeastPanel) width = width < 6 ? std::min(width * 2, 6) : kGrid;
  return width;
}

int MostLines(const Panel& panel) {
  return panel.type == "alerts" || panel.type == "rules" || panel.type == "silences" ? kListingMost : kContentMost;
}

struct Layout {
  std::vector<Placed> panels;
  std::vector<std::pair<int, std::string>> heads;  // titles of rows, with their lines
  int height = 0;
};

// Places the panels of `pending` side by side at line `y`; the line below them.
int PlaceLine(std::vector<std::pair<Placed, int>>* pending, int columns, int y, Layout* layout) {
  if (pending->empty()) return y;
  int used = 0;
  for (const auto& [placed, width] : *pending) used += width;
  int lines = 1;
  int at = 0;
  for (auto& [placed, width] : *pending) {
    const int x = columns * at / used;
    const int end = columns * (at + width) / used;
    placed.box = {x, y, end - x, 0};
    lines = std::max(lines, LinesOf(*placed.panel, placed.answers, end - x - 4, MostLines(*placed.panel)));
    at += width;
  }
  for (auto& [placed, width] : *pending) {
    placed.box.height = lines + 2;
    layout->panels.push_back(placed);
  }
  pending->clear();
  return y + lines + 2;
}

Layout LayOut(const ScreenState& state, int columns) {
  Layout layout;
  int y = 0;
  size_t at = 0;
  for (const Row& row : state.board->rows) {
    if (!row.title.empty()) layout.heads.emplace_back(y++, row.title);
    std::vector<std::pair<Placed, int>> pending;
    int used = 0;
    for (const Panel& panel : row.panels) {
      const int width = WidthIn(panel, columns);
      if (used + width > kGrid) {
        y = PlaceLine(&pending, columns, y, &layout);
        used = 0;
      }
      pending.push_back({{&panel, (*state.answers)[at++], {}}, width});
      used += width;
    }
    y = PlaceLine(&pending, columns, y, &layout);
  }
  layout.height = y;
  return layout;
}

void DrawHead(const ScreenState& state, Canvas* canvas) {
  std::string time;
  text::AppendRfc3339(&time, static_cast<int64_t>(state.span.end_s) * 1'000'000'000);
  const std::string how = !state.trouble.empty() ? state.trouble
                          : state.paused         ? "paused at " + time.substr(11, 8)
                                                 : "as of " + time.substr(11, 8) + " UTC";
  const Style style = !state.trouble.empty() ? Style::kBad : state.paused ? Style::kWarn : Style::kDim;
  int x = canvas->Print(0, 0, canvas->width(), "Tidemark ", Style::kAccent);
  x += canvas->Print(x, 0, canvas->width() - x, state.board->title, Style::kBold);
  x += canvas->Print(x, 0, canvas->width() - x, "  last " + SpanText(state.span.length_s), Style::kPlain);
  canvas->PrintRight(x + 1, 0, canvas->width() - x - 1, how, style);
}

void DrawHelp(const ScreenState& state, Canvas* canvas) {
  std::vector<std::pair<std::string, std::string>> keys;
  for (size_t i = 0; i < state.pages.size() && i < 10; ++i)
    keys.emplace_back(std::to_string((i + 1) % 10), state.pages[i]);
  keys.insert(keys.end(), {{"tab, shift tab", "the next page, the one before"},
                           {"a s u", "alerts, silences, rules"},
                           {"+ -", "a longer or a shorter time"},
                           {"p", "pause, and go on"},
                           {"r", "ask now"},
                           {"arrows, page keys", "scroll"},
                           {"? q", "this list; end"}});
  const int width = std::min(canvas->width(), 50);
  const int height = std::min(canvas->height(), static_cast<int>(keys.size()) + 2);
  const Rect box{(canvas->width() - width) / 2, (canvas->height() - height) / 2, width, height};
  for (int y = box.y; y < box.y + height; ++y)
    canvas->Print(box.x, y, width, std::string(static_cast<size_t>(width), ' '));
  canvas->Box(box, "Keys");
  for (int i = 0; i < height - 2; ++i) {
    canvas->Print(box.x + 2, box.y + 1 + i, 18, keys[static_cast<size_t>(i)].first, Style::kBold);
    canvas->Print(box.x + 21, box.y + 1 + i, width - 23, keys[static_cast<size_t>(i)].second);
  }
}

}  // namespace

std::string SpanText(double seconds) {
  return text::PrintDuration(std::llround(seconds * 1000), text::DurationStyle::kOneUnit);
}

int DrawScreen(const ScreenState& state, Canvas* canvas) {
  const Layout layout = LayOut(state, canvas->width());
  // The page lies between the head and the line of keys.
  const int top = 1;
  const int bottom = canvas->height() - 1;
  Canvas page(canvas->width(), std::max(layout.height, 1), /*ascii=*/false);
  for (const auto& [y, title] : layout.heads) page.Print(0, y, page.width(), title, Style::kDim);
  for (const Placed& placed : layout.panels) {
    const Rect& box = placed.box;
    page.Box(box, placed.panel->title);
    DrawPanel(*placed.panel, placed.answers, {box.x + 2, box.y + 1, box.width - 4, box.height - 2}, &page);
  }
  for (int y = top; y < bottom; ++y) {
    const int from = y - top + state.scroll;
    if (from < 0 || from >= page.height()) continue;
    for (int x = 0; x < page.width(); ++x) {
      const Cell& cell = page.At(x, from);
      if (cell.text != " " && !cell.text.empty()) canvas->Print(x, y, 2, cell.text, cell.style);
    }
  }
  DrawHead(state, canvas);
  const bool more = layout.height - state.scroll > bottom - top;
  canvas->Print(0, bottom, canvas->width(),
                fmt::format("{}1-9 pages  a alerts  +/- time  ? keys  q end", more ? "more below  " : ""), Style::kDim);
  if (state.help) DrawHelp(state, canvas);
  return layout.height;
}

}  // namespace tidemark::cli::monitor
