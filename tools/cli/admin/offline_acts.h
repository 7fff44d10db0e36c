// Acts of a server, done in a data directory whose server is stopped: the same code, without HTTP.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tools/cli/admin/act_flags.h"

namespace tidemark::cli {

// Whether `act` can be done so.
bool CanBeDoneOffline(const admin::Act& act);

// Opens the store in `directory`, does the act with these parameters, closes it. 0, printing what a server would have
// answered, as a table or, with `json`, as JSON; 1 when it was refused; 2 when there is no store that can be opened.
int RunOffline(const admin::Act& act, const std::string& directory,
               const std::vector<std::pair<std::string, std::string>>& parameters, bool json);

}  // namespace tidemark::cli
