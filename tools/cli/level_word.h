// The word for the level of an event, or the severity of an alert: one for the monitor and for lists.
#pragma once

#include <string>
#include <string_view>

namespace tidemark::cli {

// "WARN" of "warning" and "warn", "CRIT" of "critical"; any other in capitals.
std::string LevelWord(std::string_view level);

}  // namespace tidemark::cli
