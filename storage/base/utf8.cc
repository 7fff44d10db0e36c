#include "storage/base/utf8.h"

#include <cstdint>
#include <cstring>

namespace tidemark {
namespace {

constexpr uint8_t Byte(char c) { return static_cast<uint8_t>(c); }

}  // namespace

size_t Utf8Length(std::string_view text) {
  if (text.empty()) return 0;
  const uint8_t lead = Byte(text[0]);
  if (lead < 0x80) return 1;
  size_t length = 0;
  uint8_t low = 0x80;
  uint8_t high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;   // overlong
    if (lead == 0xED) high = 0x9F;  // surrogates
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;   // overlong
    if (lead == 0xF4) high = 0x8F;  // above U+10FFFF
  }
  if (length == 0 || text.size() < length) return 0;
  if (Byte(text[1]) < low || Byte(text[1]) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((Byte(text[i]) & 0xC0) != 0x80) return 0;
  }
  return length;
}

size_t Utf8Prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    uint64_t word = 0;
    if (text.size() - at >= sizeof(word)) {
      std::memcpy(&word, text.data() + at, sizeof(word));
      if ((word & 0x8080808080808080) == 0) {
        at += sizeof(word);
        continue;
      }
    }
    const size_t length = Utf8Length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return text.size();
}

bool IsUtf8(std::string_view text) { return Utf8Prefix(text) == text.size(); }

std::string_view CutUtf8(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  size_t size = max_bytes;
  // A character has at most three continuation bytes; more of them are not UTF-8 and may be cut anywhere.
  while (size > 0 && max_bytes - size < 3 && (Byte(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

std::string ToUtf8(std::string text) {
  size_t good = Utf8Prefix(text);
  if (good == text.size()) return text;
  std::string out;
  for (std::string_view rest = text;; good = Utf8Prefix(rest)) {
    out += rest.substr(0, good);
    if (good == rest.size()) return out;
    out += "\xEF\xBF\xBD";
    rest.remove_prefix(good + 1);
  }
}

}  // namespace tidemark
