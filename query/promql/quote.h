// Quoting and unquoting of strings as Prometheus, which is written in Go, does it: in its query texts and its messages.
// Source: https://go.dev/ref/spec#String_literals and strconv.Quote of Go's standard library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidemark::query::promql {

// What DecodeRune returns for bytes that are not UTF-8, with a size of 1.
inline constexpr char32_t kRuneError = 0xFFFD;

struct Rune {
  char32_t value = kRuneError;
  uint32_t size = 0;  // bytes; 0 only for an empty text
};

// The first character of `text`.
Rune DecodeRune(std::string_view text);

// Appends `rune` in UTF-8; a surrogate or a value past U+10FFFF becomes U+FFFD.
void AppendRune(std::string& out, char32_t rune);

// `text` in double quotes, one line, every byte recoverable: a"b -> "a\"b".
std::string Quote(std::string_view text);

// Quote of `text`; of more than `characters_max` bytes, only that many characters and "..." behind the quote.
std::string QuoteShortened(std::string_view text, size_t characters_max);

// A character in single quotes: 'x', '\n', '\''.
std::string QuoteRune(char32_t rune);

// A character by code point and, where it can be shown, itself: U+0063 'c'.
std::string DescribeRune(char32_t rune);

// The value of a string literal that the lexer has accepted: `literal` with its quotes, which are " ' or `.
std::string Unquote(std::string_view literal);

// Whether the whole of `text` is a label name of the classic kind, [a-zA-Z_][a-zA-Z0-9_]*, which needs no quotes.
bool IsPlainLabelName(std::string_view text);

}  // namespace tidemark::query::promql
