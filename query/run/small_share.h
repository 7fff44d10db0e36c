// The part of the memory of all queries that is kept for those that hold little: what looks at all series would
// otherwise take all of it, and a question for one number be refused beside it.
#pragma once

#include <cstdint>

#include "query/run/memory_total.h"

namespace tidemark::query::run {

// A query that holds no more than this may take whatever is left, in bytes.
inline constexpr uint64_t kLittleBytes = uint64_t{1} << 20;

// Whether a query that holds more than that may take `bytes` more: seven eighths of the total are for such.
inline bool LeavesShareOfSmall(const MemoryTotal& total, uint64_t bytes) {
  const uint64_t max = total.bytes_max();
  return max == 0 || total.bytes() + bytes <= max - max / 8;
}

// What one is told that may not.
inline constexpr const char* kShareOfSmallWords =
    "large queries together need more than the seven eighths of query.total_memory that are theirs; try again later, "
    "or "
    "ask for a shorter range, a longer step or fewer series";

}  // namespace tidemark::query::run
