#include "query/promql/quote.h"

#include <algorithm>

#include <fmt/format.h>

#include "storage/base/check.h"

namespace tidemark::query::promql {
namespace {

constexpr char32_t kMaxRune = 0x10FFFF;

bool IsSurrogate(char32_t rune) { return rune >= 0xD800 && rune <= 0xDFFF; }

// Go asks Unicode's tables whether a character can be shown. This is their answer for controls, separators, format
// characters in common use, surrogates, private use and noncharacters.
bool IsPrintable(char32_t r) {
  if (r < 0x20 || r == 0x7F) return false;
  if (r < 0x7F) return true;
  if (r <= 0xA0 || r == 0xAD) return false;
  if (r >= 0x2000 && r <= 0x200F) return false;
  if (r >= 0x2028 && r <= 0x202F) return false;
  if (r >= 0x205F && r <= 0x206F) return false;
  if (r == 0x1680 || r == 0x3000 || r == 0xFEFF) return false;
  if (IsSurrogate(r) || (r >= 0xE000 && r <= 0xF8FF)) return false;
  if ((r & 0xFFFE) == 0xFFFE) return false;
  return r < 0xE0000;
}

void AppendEscaped(std::string& out, char32_t rune, char quote) {
  switch (rune) {
    case '\a': out += "\\a"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '\v': out += "\\v"; return;
    case '\\': out += "\\\\"; return;
    default: break;
  }
  if (rune == static_cast<unsigned char>(quote)) {
    out += '\\';
    out += quote;
  } else if (IsPrintable(rune)) {
    AppendRune(out, rune);
  } else if (rune < 0x20 || rune == 0x7F) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<uint32_t>(rune));
  } else if (rune <= 0xFFFF) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<uint32_t>(rune));
  } else {
    fmt::format_to(std::back_inserter(out), "\\U{:08x}", static_cast<uint32_t>(rune));
  }
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c - 'A' + 10;
}

char32_t ReadDigits(std::string_view text, size_t& at, size_t count, uint32_t base) {
  TM_CHECK(at + count <= text.size());  // the lexer ends a literal only behind its escapes
  char32_t value = 0;
  for (const size_t end = at + count; at < end; ++at) value = value * base + static_cast<char32_t>(HexValue(text[at]));
  return value;
}

// Reads the escape whose backslash stands before `at`.
void AppendUnescaped(std::string& out, std::string_view text, size_t& at) {
  const char c = text[at++];
  switch (c) {
    case 'a': out += '\a'; return;
    case 'b': out += '\b'; return;
    case 'f': out += '\f'; return;
    case 'n': out += '\n'; return;
    case 'r': out += '\r'; return;
    case 't': out += '\t'; return;
    case 'v': out += '\v'; return;
    case 'x': out += static_cast<char>(ReadDigits(text, at, 2, 16)); return;
    case 'u': AppendRune(out, ReadDigits(text, at, 4, 16)); return;
    case 'U': AppendRune(out, ReadDigits(text, at, 8, 16)); return;
    default: break;
  }
  if (c >= '0' && c <= '7') {
    --at;
    out += static_cast<char>(ReadDigits(text, at, 3, 8));
  } else {
    out += c;  // a backslash or the quote
  }
}

}  // namespace

Rune DecodeRune(std::string_view text) {
  if (text.empty()) return {};
  const auto byte = [&](size_t i) -> uint32_t { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  const uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const auto follows = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  if (first >= 0xC2 && first <= 0xDF && follows(1)) return {((first & 0x1F) << 6) | (byte(1) & 0x3F), 2};
  if (first >= 0xE0 && first <= 0xEF && follows(1) && follows(2)) {
    const char32_t rune = ((first & 0x0F) << 12) | ((byte(1) & 0x3F) << 6) | (byte(2) & 0x3F);
    if (rune >= 0x800 && !IsSurrogate(rune)) return {rune, 3};
  }
  if (first >= 0xF0 && first <= 0xF4 && follows(1) && follows(2) && follows(3)) {
    const char32_t rune =
        ((first & 0x07) << 18) | ((byte(1) & 0x3F) << 12) | ((byte(2) & 0x3F) << 6) | (byte(3) & 0x3F);
    if (rune >= 0x10000 && rune <= kMaxRune) return {rune, 4};
  }
  return {kRuneError, 1};
}

void AppendRune(std::string& out, char32_t rune) {
  if (IsSurrogate(rune) || rune > kMaxRune) rune = kRuneError;
  if (rune < 0x80) {
    out += static_cast<char>(rune);
  } else if (rune < 0x800) {
    out += static_cast<char>(0xC0 | (rune >> 6));
    out += static_cast<char>(0x80 | (rune & 0x3F));
  } else if (rune < 0x10000) {
    out += static_cast<char>(0xE0 | (rune >> 12));
    out += static_cast<char>(0x80 | ((rune >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (rune & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (rune >> 18));
    out += static_cast<char>(0x80 | ((rune >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((rune >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (rune & 0x3F));
  }
}

std::string Quote(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const Rune rune = DecodeRune(text);
    if (rune.value == kRuneError && rune.size == 1) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text.front()));
    } else {
      AppendEscaped(out, rune.value, '"');
    }
    text.remove_prefix(rune.size);
  }
  return out + '"';
}

std::string QuoteShortened(std::string_view text, size_t characters_max) {
  if (text.size() <= characters_max) return Quote(text);
  size_t size = 0;
  for (size_t i = 0; i < characters_max && size < text.size(); ++i) size += DecodeRune(text.substr(size)).size;
  return Quote(text.substr(0, size)) + "...";
}

std::string QuoteRune(char32_t rune) {
  if (IsSurrogate(rune) || rune > kMaxRune) rune = kRuneError;
  std::string out = "'";
  AppendEscaped(out, rune, '\'');
  return out + "'";
}

std::string DescribeRune(char32_t rune) {
  std::string out = fmt::format("U+{:04X}", static_cast<uint32_t>(rune));
  if (IsPrintable(rune)) {
    out += " '";
    AppendRune(out, rune);
    out += "'";
  }
  return out;
}

std::string Unquote(std::string_view literal) {
  TM_CHECK(literal.size() >= 2 && literal.front() == literal.back());
  const std::string_view text = literal.substr(1, literal.size() - 2);
  if (literal.front() == '`') return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '\\') {
      ++at;
      AppendUnescaped(out, text, at);
    } else {
      out += text[at++];
    }
  }
  return out;
}

bool IsPlainLabelName(std::string_view text) {
  const auto letter = [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace tidemark::query::promql
