// cardinality: of a server, or of a data directory whose server has stopped; as tables for people, or as JSON.
#pragma once

#include "tools/cli/admin/act_flags.h"

namespace tidemark::cli {

// Exit codes: 0; 2 when it could not be done.
int RunCardinalityAct(const ActFlags& flags);

}  // namespace tidemark::cli
