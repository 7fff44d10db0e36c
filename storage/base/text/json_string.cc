#include "storage/base/text/json_string.h"

#include <cstddef>

#include "storage/base/utf8.h"

namespace tidemark::text {
namespace {

void AppendEscaped(std::string* out, unsigned char c, JsonStyle style) {
  if (c == '"' || c == '\\') {
    const char escape[] = {'\\', static_cast<char>(c)};
    out->append(escape, sizeof(escape));
    return;
  }
  if (style == JsonStyle::kPlain) {
    switch (c) {
      case '\n': out->append("\\n"); return;
      case '\r': out->append("\\r"); return;
      case '\t': out->append("\\t"); return;
      default: break;
    }
  }
  static constexpr char kHex[] = "0123456789abcdef";
  const char escape[] = {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
  out->append(escape, sizeof(escape));
}

// A template, so that the labels of replies are looked at with comparisons that are known.
template <JsonStyle style>
void Append(std::string* out, std::string_view text) {
  // Bytes that can be copied as they are: printable ASCII but the quote and the backslash.
  const auto plain_byte = [](unsigned char c) {
    return c >= 0x20 && c < (style == JsonStyle::kHexAll ? 0x7F : 0x80) && c != '"' && c != '\\';
  };
  out->push_back('"');
  size_t plain = 0;  // start of the run that has not been copied yet
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (plain_byte(c)) {
      ++i;
      continue;
    }
    if (c >= 0x80) {
      if (const size_t length = Utf8Length(text.substr(i)); length != 0) {
        i += length;
        continue;
      }
    }
    out->append(text.substr(plain, i - plain));
    if (c >= 0x80) {
      out->append("\\ufffd");
    } else {
      AppendEscaped(out, c, style);
    }
    plain = ++i;
  }
  out->append(text.substr(plain));
  out->push_back('"');
}

}  // namespace

void AppendJsonString(std::string* out, std::string_view text) { Append<JsonStyle::kPlain>(out, text); }

void AppendJsonString(std::string* out, std::string_view text, JsonStyle style) {
  switch (style) {
    case JsonStyle::kPlain: return Append<JsonStyle::kPlain>(out, text);
    case JsonStyle::kHex: return Append<JsonStyle::kHex>(out, text);
    case JsonStyle::kHexAll: return Append<JsonStyle::kHexAll>(out, text);
  }
}

}  // namespace tidemark::text
