// tidemark alert test: rule unit-test files, and rules over data that is stored.
#pragma once

#include "tools/cli/command.h"

namespace tidemark::cli {

// Declares `test` below `app`.
void AddAlertTest(CLI::App& app, Action* action);

}  // namespace tidemark::cli
