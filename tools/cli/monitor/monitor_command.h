// tidemark monitor: the dashboard's pages in a terminal.
#pragma once

#include "tools/cli/command.h"

namespace tidemark::cli {

void AddMonitor(CLI::App& app, Action* action);

}  // namespace tidemark::cli
