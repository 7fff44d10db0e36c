// Requests of scripts and of devices whose head's lines end in LF alone: "GET /ping HTTP/1.1\nHost: a\n\n". RFC 9112,
// 2.2 lets a recipient take them, and Go's server does; Beast's grammar knows CRLF only, so such a head is mended
// first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidemark::http {

struct LineEnds {
  enum class Kind : uint8_t {
    kCrLf,     // or what a parser of CRLF will refuse
    kLf,       // `head_size` bytes: a whole head with the empty line, or the beginning of one that is too long
    kUnknown,  // more must come
  };
  Kind kind = Kind::kCrLf;
  size_t head_size = 0;
};

// How the lines of the head at the start of `input` end: its request line decides, so that it does not depend on how
// the bytes come. What is longer than `head_bytes_max` is left to the parser, which says what is wrong with it.
LineEnds LineEndsOf(std::string_view input, size_t head_bytes_max);

// `head` with CRLF in place of each LF that has no CR before it.
std::string WithCrLf(std::string_view head);

}  // namespace tidemark::http
