// Orders in which results are handed out.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "query/engine/frame.h"

namespace tidemark::query::engine {

// Rows rearranged: row i of the result is row order[i] of `frame`; rows not named are left out.
Frame Reordered(const Frame& frame, const std::vector<uint32_t>& order);

// All rows by their labels.
void SortByLabels(Frame* frame);

// Natural order: runs of digits compare as numbers ("a2" before "a10").
bool NaturalLess(std::string_view a, std::string_view b);

}  // namespace tidemark::query::engine
