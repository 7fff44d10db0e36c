// TouchedSteps: which steps of a range query a change of the data may have given other values.
#pragma once

#include <cstdint>
#include <vector>

#include "query/cache/reuse_rule.h"
#include "storage/model/timestamp.h"

namespace tidemark::query::cache {

// A byte for each step of `grid`, 1 where a write in one of `changed` may have given it another value.
std::vector<uint8_t> TouchedSteps(const plan::StepGrid& grid, const ReuseRule& rule,
                                  const std::vector<model::TimeRange>& changed);

}  // namespace tidemark::query::cache
