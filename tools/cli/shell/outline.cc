#include "tools/cli/shell/outline.h"

#include <utility>

namespace tidemark::cli {
namespace {

OutlineFlag FlagOf(const CLI::Option& option) {
  OutlineFlag flag;
  for (const std::string& name : option.get_lnames()) flag.names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) flag.names.push_back("-" + name);
  if (flag.names.empty()) flag.place = option.get_name(true);
  flag.help = option.get_description();
  flag.initial = option.get_default_str();
  flag.value = option.get_items_expected_max() > 0;
  flag.required = option.get_required();
  flag.repeats = option.get_items_expected_max() > 1;
  return flag;
}

Outline Read(const CLI::App& app, const std::string& before) {
  Outline out;
  out.name = app.get_name();
  out.path = before.empty() ? out.name : before + " " + out.name;
  out.help = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    // Hidden ones have no group.
    if (!option->get_group().empty()) out.flags.push_back(FlagOf(*option));
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) out.commands.push_back(Read(*command, out.path));
  }
  return out;
}

}  // namespace

Outline OutlineOf(const CLI::App& root) { return Read(root, {}); }

}  // namespace tidemark::cli
