// Screen: what the monitor shows, drawn anew for each size: a head, the panels of a page, a line of keys.
#pragma once

#include <string>
#include <vector>

#include "tools/cli/monitor/answers.h"
#include "tools/cli/monitor/board.h"
#include "tools/cli/monitor/canvas.h"

namespace tidemark::cli::monitor {

struct ScreenState {
  const Board* board = nullptr;
  const Answers* answers = nullptr;
  std::vector<std::string> pages;  // titles, in order of their keys
  size_t page = 0;
  Span span;
  bool paused = false;
  bool help = false;
  int scroll = 0;       // lines of the page above the screen
  std::string trouble;  // "": the server answers
};

// Draws all of it. The lines that the page has in this width: how far it can be scrolled.
int DrawScreen(const ScreenState& state, Canvas* canvas);

// "15m", "6h", "7d": in the longest unit that divides it.
std::string SpanText(double seconds);

}  // namespace tidemark::cli::monitor
