// Refusal: what a server says about a write that it did not take, or took in part.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::client {

// A line that was not stored.
struct RejectedLine {
  uint32_t number = 0;  // in the request, from 1; 0 for the request as a whole
  uint32_t column = 0;  // from 1; 0 when there is none
  std::string reason;
  std::string line;  // the server's quotation, which may be cut; "" for the request as a whole
};

struct Refusal {
  std::string text;                 // the reply's "error"; the body itself when it is not JSON
  bool partial = false;             // the other lines were stored
  uint64_t dropped = 0;             // lines that were not stored, for a partial write; at least lines.size()
  std::vector<RejectedLine> lines;  // the server names the first hundred or so
};

// Reads {"error":"partial write: ... dropped=3","data":[{"line_number":2,"column":5,"error_message":"...",
// "original_line":"..."}]}, and what a native batch is answered with: "rows" of "row", "column", "reason" and "series".
// Any other body becomes `text`. Never fails.
Refusal ParseRefusal(std::string_view body);

}  // namespace tidemark::client
