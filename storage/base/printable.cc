#include "storage/base/printable.h"

#include <fmt/core.h>

#include <cstdint>

#include "storage/base/utf8.h"

namespace tidemark {
namespace {

// Of a character of `bytes` bytes at the front of `text`.
bool IsControl(std::string_view text, size_t bytes) {
  const auto first = static_cast<uint8_t>(text[0]);
  if (bytes == 1) return first < 0x20 || first == 0x7f;
  // U+0080 to U+009F.
  return bytes == 2 && first == 0xc2 && static_cast<uint8_t>(text[1]) < 0xa0;
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    size_t bytes = Utf8Length(text);
    const bool shown = bytes > 0 && !IsControl(text, bytes);
    if (bytes == 0) bytes = 1;
    if (shown) {
      out += text.substr(0, bytes);
    } else {
      for (const char byte : text.substr(0, bytes)) out += fmt::format("\\x{:02x}", static_cast<uint8_t>(byte));
    }
    text.remove_prefix(bytes);
  }
  return out;
}

}  // namespace tidemark
