// UTF-8: whether text is it, where it may be cut, and what stands for what is not.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tidemark {

// True when `text` is well-formed UTF-8: no overlong forms, surrogates or code points above U+10FFFF
// (Unicode 15, table 3-7). ASCII costs an eighth of a step a byte.
bool IsUtf8(std::string_view text);

// Bytes of `text` before the first that is not of well-formed UTF-8; all of them when there is none.
size_t Utf8Prefix(std::string_view text);

// Bytes of the well-formed character that `text` begins with; 0 when there is none.
size_t Utf8Length(std::string_view text);

// The start of `text`, at most `max_bytes` of it and not cut inside a character.
std::string_view CutUtf8(std::string_view text, size_t max_bytes);

// `text` with U+FFFD in place of every byte that is not of well-formed UTF-8, as text::AppendJsonString writes it: at
// most three times as long.
std::string ToUtf8(std::string text);

}  // namespace tidemark
