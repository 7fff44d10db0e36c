#include "tools/help/suggest.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace tidemark::help {
namespace {

// Damerau's and Levenshtein's distance, with neighbours swapped once.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> rows(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) rows[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      rows[i][j] = std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[a.size()][b.size()];
}

std::string Question(std::string_view nearest) {
  return nearest.empty() ? std::string() : fmt::format(": did you mean \"{}\"?", nearest);
}

}  // namespace

std::string Nearest(std::string_view word, std::span<const std::string> candidates) {
  constexpr size_t kLongest = 64;  // who types more did not mistype a name
  if (word.size() > kLongest) return {};
  std::string best;
  size_t least = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = Distance(word, candidate);
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

std::string DescribeUnknown(const CLI::App& app, std::span<const std::string> words) {
  const CLI::App* at = &app;
  std::string path = app.get_name().empty() ? "tidemark" : app.get_name();
  for (const std::string& word : words) {
    if (word.starts_with("-")) {
      const std::string flag = word.substr(0, word.find('='));
      std::vector<std::string> flags;
      for (const CLI::Option* option : at->get_options()) {
        for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
      }
      if (!flag.starts_with("--") || flag == "--" || std::ranges::find(flags, flag) != flags.end()) continue;
      return fmt::format("{} has no flag {}{} See {} --help.", path, flag, Question(Nearest(flag, flags)), path);
    }
    const std::vector<const CLI::App*> below = at->get_subcommands([](const CLI::App*) { return true; });
    if (below.empty()) continue;
    std::vector<std::string> names;
    const CLI::App* next = nullptr;
    for (const CLI::App* sub : below) {
      names.push_back(sub->get_name());
      if (sub->check_name(word)) next = sub;
    }
    if (next == nullptr) {
      // A value of a flag of this level may stand here; only a level without values of its own is told of.
      return fmt::format("{} knows no \"{}\"{}\nThere are: {}. See {} --help.", path, word,
                         Question(Nearest(word, names)), fmt::join(names, ", "), path);
    }
    at = next;
    path += " " + word;
  }
  return {};
}

}  // namespace tidemark::help
