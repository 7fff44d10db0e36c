// Order of names as people count: "cpu2" before "cpu10", as on the page.
#pragma once

#include <string_view>

namespace tidemark::cli::monitor {

// Whether `a` stands before `b`. Runs of digits are compared as numbers, all else byte by byte.
bool StandsBefore(std::string_view a, std::string_view b);

}  // namespace tidemark::cli::monitor
