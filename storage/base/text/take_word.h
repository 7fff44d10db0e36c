// Lines of words: what small notes on disk are made of.
#pragma once

#include <algorithm>
#include <string_view>

namespace tidemark::text {

// The text up to the next space, or all of it; it is taken off `rest` with the space.
inline std::string_view TakeWord(std::string_view* rest) {
  const std::string_view word = rest->substr(0, rest->find(' '));
  rest->remove_prefix(std::min(word.size() + 1, rest->size()));
  return word;
}

}  // namespace tidemark::text
