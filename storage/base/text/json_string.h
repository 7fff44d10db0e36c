// JSON strings. The one place that escapes them: whoever writes JSON appends its texts with this.
// Source: https://www.rfc-editor.org/rfc/rfc8259#section-7
#pragma once

#include <string>
#include <string_view>

namespace tidemark::text {

enum class JsonStyle {
  kPlain,   // \n, \r and \t for these three, \u00xx for other control characters
  kHex,     // \u00xx for all control characters
  kHexAll,  // the same, and \u007f for DEL, so that nothing printed to a terminal moves its cursor
};

// `text` in quotes. Bytes that are not UTF-8 become U+FFFD, as Go's encoder does, so that what comes out is always
// valid.
void AppendJsonString(std::string* out, std::string_view text);
void AppendJsonString(std::string* out, std::string_view text, JsonStyle style);

}  // namespace tidemark::text
