// What the findings of a store mean for whoever reads an answer from it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "storage/model/finding.h"

namespace tidemark::model {

inline constexpr size_t kMaxWarnings = 8;

// A line for each finding that costs rows or names and that nobody has accepted yet; at most kMaxWarnings, and one that
// says how many more there are.
std::vector<std::string> WarningsOf(std::span<const Finding> findings);

}  // namespace tidemark::model
