// The subcommands of `tidemark admin` that work on a directory instead of a server.
#pragma once

#include "tools/cli/command.h"

namespace tidemark::cli {

// verify: exit code 0 when all is whole, 1 when something is damaged, 2 when it could not run. repair: 0 or 2.
void AddVerify(CLI::App& app, Action* action);

}  // namespace tidemark::cli
