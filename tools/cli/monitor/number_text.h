// NumberText: numbers with their units, as the dashboard's page shows them (clients/dashboard/src/model/units.ts): both
// read units.json beside that, and both are held to units_cases.json.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidemark::cli::monitor {

// "1.2 GiB", "34 ms", "91.2 %"; a unit that has no row stands behind the number. "–" for what is no number. Without
// `decimals` three digits or so.
std::string NumberText(double value, std::string_view unit, std::optional<int> decimals = {});

}  // namespace tidemark::cli::monitor
