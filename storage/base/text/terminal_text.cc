#include "storage/base/text/terminal_text.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "storage/base/utf8.h"

namespace tidemark::text {
namespace {

constexpr char kEscape = '\x1b';

// Bytes of the colour that `text` begins with; 0 when it begins with something else.
size_t ColourLength(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const size_t end = text.find_first_not_of("0123456789;:", 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

// U+0080 to U+009F: some of them begin sequences as ESC does.
bool IsHighControl(std::string_view character) {
  return character.size() == 2 && character[0] == '\xc2' && static_cast<unsigned char>(character[1]) < 0xa0;
}

}  // namespace

std::string TerminalText(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::string out;
  out.reserve(line.size());
  while (!line.empty()) {
    if (const size_t colour = line.front() == kEscape ? ColourLength(line) : 0; colour > 0) {
      line.remove_prefix(colour);
      continue;
    }
    const auto byte = static_cast<unsigned char>(line.front());
    const size_t length = Utf8Length(line);
    if (byte < 0x20 && byte != '\t') {
      out += '^';
      out += static_cast<char>(byte + '@');
    } else if (byte == 0x7f) {
      out += "^?";
    } else if (length == 0) {
      out += fmt::format("\\x{:02x}", byte);
    } else if (IsHighControl(line.substr(0, length))) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(line[1]));
    } else {
      out += line.substr(0, length);
    }
    line.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string TerminalLines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out += TerminalText(text.substr(0, end));
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string TextFor(std::FILE* out, std::string_view text) {
  return isatty(fileno(out)) == 1 ? TerminalLines(text) : std::string(text);
}

}  // namespace tidemark::text
