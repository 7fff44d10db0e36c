// Text: UTF-8 checks, and scans for the few bytes at which line protocol changes its meaning. 16 bytes at a time, or
// 32 where the processor has AVX2 (chosen once, at start).
#pragma once

#include <cstddef>
#include <string_view>

namespace tidemark::lineprotocol {

// True when `text` is well-formed UTF-8: no overlong forms, surrogates or code points above U+10FFFF
// (Unicode 15, table 3-7).
bool IsUtf8(std::string_view text);

// The start of `text`, at most `max_bytes` of it and not cut inside a UTF-8 sequence.
std::string_view CutUtf8(std::string_view text, size_t max_bytes);

// The first ' ', '\\' or '\n' in [at, end), or `end`.
const char* FindKeyStop(const char* at, const char* end);

// The end of a string field's text and what was seen before it.
struct StringStop {
  const char* at;  // the first '"' or '\\', or `end`
  bool ascii;      // no byte >= 0x80 before it
};
StringStop FindStringStop(const char* at, const char* end);

}  // namespace tidemark::lineprotocol
