// Text: scans for the few bytes at which line protocol changes its meaning. 16 bytes at a time, or
// 32 where the processor has AVX2 (chosen once, at start).
#pragma once

#include <cstddef>

namespace tidemark::lineprotocol {

// The first ' ', '\\' or '\n' in [at, end), or `end`.
const char* FindKeyStop(const char* at, const char* end);

// The end of a string field's text and what was seen before it.
struct StringStop {
  const char* at;  // the first '"' or '\\', or `end`
  bool ascii;      // no byte >= 0x80 before it
};
StringStop FindStringStop(const char* at, const char* end);

}  // namespace tidemark::lineprotocol
