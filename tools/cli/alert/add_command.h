// tidemark alert add: a threshold as people say it becomes a rule, which is shown with what it would have done before
// it is saved.
#pragma once

#include "tools/cli/command.h"

namespace tidemark::cli {

// Declares `add` below `app`.
void AddAlertAdd(CLI::App& app, Action* action);

}  // namespace tidemark::cli
