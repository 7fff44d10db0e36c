#include "tools/server/http/line_ends.h"

#include <algorithm>

namespace tidemark::http {

LineEnds LineEndsOf(std::string_view input, size_t head_bytes_max) {
  using enum LineEnds::Kind;
  // Of what is no method, as TLS' first byte, nothing more needs to come.
  const bool may_be_method = !input.empty() && input.front() >= 'A' && input.front() <= 'Z';
  if (!may_be_method) return {.kind = kCrLf, .head_size = 0};
  const size_t first = input.find('\n');
  if (first == std::string_view::npos) {
    return {.kind = input.size() <= head_bytes_max ? kUnknown : kCrLf, .head_size = 0};
  }
  if (first > 0 && input[first - 1] == '\r') return {.kind = kCrLf, .head_size = 0};
  for (size_t at = first; at != std::string_view::npos; at = input.find('\n', at + 1)) {
    const std::string_view next = input.substr(at + 1);
    if (next.starts_with('\n')) return {.kind = kLf, .head_size = at + 2};
    if (next.starts_with("\r\n")) return {.kind = kLf, .head_size = at + 3};
  }
  return {.kind = input.size() > head_bytes_max ? kLf : kUnknown, .head_size = input.size()};
}

std::string WithCrLf(std::string_view head) {
  std::string out;
  out.reserve(head.size() + static_cast<size_t>(std::ranges::count(head, '\n')));
  for (const char c : head) {
    if (c == '\n' && !out.ends_with('\r')) out.push_back('\r');
    out.push_back(c);
  }
  return out;
}

}  // namespace tidemark::http
