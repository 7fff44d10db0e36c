// `tidemark alert backfill`: has recording rules of a server record what they would have of the past.
#pragma once

#include "tools/cli/command.h"

namespace tidemark::cli {

void AddAlertBackfill(CLI::App& app, Action* action);

}  // namespace tidemark::cli
