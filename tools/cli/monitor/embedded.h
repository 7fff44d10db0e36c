// Files of the source tree that the build puts into the program.
#pragma once

#include <string_view>

namespace tidemark::cli::monitor {

// The table of units that the dashboard's page has too, clients/dashboard/src/model/units.json.
std::string_view UnitsJson();
// The goals of the simulated backend, tools/demo/goals.yaml, which the page judges by too.
std::string_view GoalsYaml();

}  // namespace tidemark::cli::monitor
