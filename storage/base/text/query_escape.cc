#include "storage/base/text/query_escape.h"

#include <fmt/core.h>

namespace tidemark::text {

std::string QueryEscape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_.~").contains(c);
    if (c == ' ') {
      out += '+';
    } else if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace tidemark::text
