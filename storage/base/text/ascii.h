// What a byte is in ASCII, whatever the locale says. A byte of 0x80 and more is none of these.
#pragma once

namespace tidemark::text {

// 0 to 9.
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Space, tab and both line ends: what languages and files allow between words.
constexpr bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// A to Z and a to z.
constexpr bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace tidemark::text
