#include "tools/cli/level_word.h"

#include <algorithm>
#include <iterator>

namespace tidemark::cli {

std::string LevelWord(std::string_view level) {
  if (level == "warning") return "WARN";
  if (level == "critical") return "CRIT";
  std::string word;
  std::ranges::transform(level, std::back_inserter(word),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return word;
}

}  // namespace tidemark::cli
