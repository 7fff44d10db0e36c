// tidemark alert history: what has become of alerts, and why.
#pragma once

#include "tools/cli/command.h"

namespace tidemark::cli {

// Declares `history` below `app`.
void AddAlertHistory(CLI::App& app, Action* action);

}  // namespace tidemark::cli
