// Panels as text: how high each wants to be, and what stands in its box.
#pragma once

#include <span>

#include "tools/cli/monitor/answers.h"
#include "tools/cli/monitor/board.h"
#include "tools/cli/monitor/canvas.h"

namespace tidemark::cli::monitor {

// Lines that the panel's content takes in `columns` columns, at least 1 and at most `most`.
int LinesOf(const Panel& panel, std::span<const Answer> answers, int columns, int most);

// Draws the content into `inside`. What has no place is counted in the last line.
void DrawPanel(const Panel& panel, std::span<const Answer> answers, const Rect& inside, Canvas* canvas);

}  // namespace tidemark::cli::monitor
