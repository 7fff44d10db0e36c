// Tables: panels of the type "table" as rows of words.
#pragma once

#include <span>

#include "tools/cli/monitor/alerting.h"
#include "tools/cli/monitor/answers.h"
#include "tools/cli/monitor/board.h"

namespace tidemark::cli::monitor {

// Whether the panel is drawn in columns; a table of one question's series without more is lines.
bool IsTable(const Panel& panel);

// By the label that its questions share, as a matrix of two labels, or with a row for each step of the range. Without
// rows: nothing has been answered.
Rows TableOf(const Panel& panel, std::span<const Answer> answers);

}  // namespace tidemark::cli::monitor
