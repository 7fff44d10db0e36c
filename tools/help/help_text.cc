#include "tools/help/help_text.h"

#include <algorithm>
#include <memory>
#include <sstream>
#include <utility>
#include <vector>

namespace tidemark::help {
namespace {

// A flag that takes one more value each time it is given.
bool Repeats(const CLI::Option& option) {
  return option.nonpositional() && option.get_expected_max() == CLI::detail::expected_max_vector_size;
}

}  // namespace

std::string Wrapped(std::string_view text, size_t columns) {
  std::string out;
  size_t line = 0;  // characters of the last line of `out`
  while (!text.empty()) {
    const size_t end = text.find_first_of(" \n");
    const std::string_view word = text.substr(0, end);
    const bool begins = out.empty() || out.back() == '\n';
    if (!begins && line + 1 + word.size() > columns) {
      out += '\n';
      line = 0;
    } else if (!begins) {
      out += ' ';
      ++line;
    }
    out += word;
    line += word.size();
    if (end == std::string_view::npos) break;
    if (text[end] == '\n') {
      out += '\n';
      line = 0;
    }
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string HelpText::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  // As part of the help of all commands at once, which none of our programs has.
  if (mode == CLI::AppFormatMode::Sub) return make_expanded(app);
  return make_description(app) + make_usage(app, std::move(name)) + make_positionals(app) + Groups(*app) +
         make_subcommands(app, mode) + '\n' + make_footer(app);
}

std::string HelpText::Groups(const CLI::App& app) const {
  std::vector<std::string> groups = app.get_groups();
  std::ranges::stable_partition(groups, [](const std::string& group) { return group != kServerGroup; });
  std::string out;
  for (const std::string& group : groups) {
    const std::vector<const CLI::Option*> options = app.get_options(
        [&group](const CLI::Option* option) { return option->get_group() == group && option->nonpositional(); });
    if (!group.empty() && !options.empty()) out += make_group(group, false, options);
  }
  return out;
}

std::string HelpText::make_description(const CLI::App* app) const {
  return Wrapped(CLI::Formatter::make_description(app), kColumns);
}

std::string HelpText::make_subcommand(const CLI::App* sub) const {
  std::stringstream out;
  CLI::detail::format_help(out, sub->get_display_name(true), Wrapped(sub->get_description(), kColumns - column_width_),
                           column_width_);
  return out.str();
}

std::string HelpText::make_option_desc(const CLI::Option* option) const {
  std::string text = option->get_description();
  if (Repeats(*option)) text += text.ends_with('.') ? " May be given several times." : "; may be given several times";
  return Wrapped(text, kColumns - column_width_);
}

void Use(CLI::App* app) { app->formatter(std::make_shared<HelpText>()); }

}  // namespace tidemark::help
