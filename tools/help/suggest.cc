#include "tools/help/suggest.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

namespace tidemark::help {
namespace {

std::string_view ProgramName(const CLI::App& app) {
  return app.get_name().empty() ? std::string_view("tidemark") : std::string_view(app.get_name());
}

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

// The commands called `word`, wherever they stand below `app`, as they are typed.
void FindCommands(const CLI::App& app, const std::string& path, std::string_view word, std::vector<std::string>* out) {
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    const std::string whole = path + " " + sub->get_name();
    if (sub->get_name() == word) out->push_back(whole);
    FindCommands(*sub, whole, word, out);
  }
}

// What was meant by a command that is not where it was looked for: one that stands elsewhere, or one that is spelled
// nearly so.
std::string Meant(const CLI::App& root, std::string_view word, std::span<const std::string> here) {
  constexpr size_t kMostElsewhere = 3;  // `list` and `set` are everywhere
  std::vector<std::string> elsewhere;
  FindCommands(root, std::string(ProgramName(root)), word, &elsewhere);
  if (elsewhere.empty() || elsewhere.size() > kMostElsewhere) return Question(Nearest(word, here));
  return fmt::format(": did you mean `{}`?", fmt::join(elsewhere, "` or `"));
}

// Where the words of a command line lead.
struct Place {
  const CLI::App* at;
  std::string path;
  std::string mistake;  // what there is no command or flag of; "": none
};

Place Follow(const CLI::App& app, std::span<const std::string> words, bool with_flags) {
  Place place{.at = &app, .path = std::string(ProgramName(app)), .mistake = {}};
  for (const std::string& word : words) {
    if (word.starts_with("-")) {
      const std::string flag = word.substr(0, word.find('='));
      std::vector<std::string> flags;
      for (const CLI::Option* option : place.at->get_options()) {
        for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
      }
      if (!with_flags || !flag.starts_with("--") || flag == "--" || std::ranges::find(flags, flag) != flags.end()) {
        continue;
      }
      const std::string meant = Question(Nearest(flag, flags));
      place.mistake =
          fmt::format("{0} has no flag {1}{2} See {0} --help.", place.path, flag, meant.empty() ? "." : meant);
      return place;
    }
    const std::vector<const CLI::App*> below = place.at->get_subcommands([](const CLI::App*) { return true; });
    if (below.empty()) continue;
    std::vector<std::string> names;
    const CLI::App* next = nullptr;
    for (const CLI::App* sub : below) {
      names.push_back(sub->get_name());
      if (sub->check_name(word)) next = sub;
    }
    if (next == nullptr) {
      // A value of a flag of this level may stand here; only a level without values of its own is told of.
      place.mistake = fmt::format("{0} knows no \"{1}\"{2}\nThere are: {3}. See {0} --help.", place.path, word,
                                  Meant(app, word, names), fmt::join(names, ", "));
      return place;
    }
    place.at = next;
    place.path += " " + word;
  }
  return place;
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
  return Follow(app, words, true).mistake;
}

std::string DescribeUnknownCommand(const CLI::App& app, std::span<const std::string> words) {
  return Follow(app, words, false).mistake;
}

std::string DescribeMistake(const CLI::App& app, std::span<const std::string> words, const CLI::ParseError& error) {
  const Place place = Follow(app, words, true);
  if (!place.mistake.empty()) return place.mistake;
  const std::vector<const CLI::App*> below = place.at->get_subcommands([](const CLI::App*) { return true; });
  if (!below.empty()) {
    std::vector<std::string> names;
    for (const CLI::App* sub : below) names.push_back(sub->get_name());
    return fmt::format("{0} needs a command: {1}. See {0} --help.", place.path, fmt::join(names, ", "));
  }
  std::string what = error.what();
  constexpr std::string_view kRequired = " is required";
  if (what.ends_with(kRequired)) {
    what.resize(what.size() - kRequired.size());
    if (!what.starts_with("-"))
      std::ranges::transform(what, what.begin(), [](unsigned char c) { return std::toupper(c); });
    what += " is missing";
  } else if (const size_t at = what.find(": 1 required "); at != std::string::npos && what.ends_with(" missing")) {
    what = what.substr(0, at) + " needs a value";
  }
  return fmt::format("{0}: {1}. See {0} --help.", place.path, what);
}

}  // namespace tidemark::help
