// Printable: bytes that may be anything, as text that a terminal, a log and JSON show as it is.
#pragma once

#include <string>
#include <string_view>

namespace tidemark {

// `text` with every byte that is not of well-formed UTF-8, and every control character (U+0000 to U+001F, U+007F to
// U+009F), as \xNN. What was read of a damaged file goes into messages through this: its bytes could end a line, or
// begin a terminal's escape sequence.
std::string Printable(std::string_view text);

}  // namespace tidemark
