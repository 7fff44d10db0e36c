// restart: asks the server to go on as the program that is installed now, and waits until that serves.
#pragma once

#include "tools/cli/admin/act_flags.h"

namespace tidemark::cli {

// 0, printing how long requests waited; 1 with the server's reason when it serves on as it was, or when the next
// program did not serve in time.
int RunRestartAct(const ActFlags& flags);

}  // namespace tidemark::cli
