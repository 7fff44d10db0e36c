// tidemark completion, tidemark man: what shells and man(1) want to know of the commands.
#include <fmt/core.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>

#include "tools/cli/command.h"
#include "tools/cli/shell/outline.h"

namespace tidemark::cli {
namespace {

struct Shell {
  const char* name;
  std::string (*make)(const Outline& root);
};
constexpr Shell kShells[] = {{"bash", &BashCompletion}, {"zsh", &ZshCompletion}, {"fish", &FishCompletion}};

int Complete(const CLI::App& root, const std::string& shell) {
  std::string names;
  for (const Shell& one : kShells) {
    if (shell == one.name) {
      fmt::print("{}", one.make(OutlineOf(root)));
      return 0;
    }
    names += names.empty() ? "" : ", ";
    names += one.name;
  }
  return Fail(fmt::format("\"{}\" is no shell that is known: {}", shell, names));
}

int WritePages(const Outline& root, const std::string& folder, const std::string& version) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Fail(folder + ": " + error.message());
  const auto write = [&](const std::string& name, const Outline& command) {
    std::ofstream file(folder + "/" + name + ".1", std::ios::trunc);
    file << ManPage(command, version) << std::flush;
    return file.good();
  };
  bool good = write(root.name, root);
  for (const Outline& one : root.commands) good = good && write(root.name + "-" + one.name, one);
  return good ? 0 : Fail(folder + ": the pages cannot be written");
}

int ShowPage(const CLI::App& app, const std::string& command, const std::string& folder) {
  const Outline root = OutlineOf(app);
  // "tidemark 0.1.0"
  const std::string version = app.version().substr(app.version().rfind(' ') + 1);
  if (!folder.empty()) return WritePages(root, folder, version);
  if (command.empty()) {
    fmt::print("{}", ManPage(root, version));
    return 0;
  }
  for (const Outline& one : root.commands) {
    if (one.name != command) continue;
    fmt::print("{}", ManPage(one, version));
    return 0;
  }
  return Fail(fmt::format("\"{}\" is no command; `tidemark --help` lists them", command));
}

}  // namespace

void AddCompletion(CLI::App& app, Action* action) {
  const auto shell = std::make_shared<std::string>();
  app.add_option("shell", *shell, "bash, zsh or fish; then: source <(tidemark completion bash)")->required();
  app.callback([&app, shell, action] { *action = [&app, shell] { return Complete(*app.get_parent(), *shell); }; });
}

void AddMan(CLI::App& app, Action* action) {
  const auto command = std::make_shared<std::string>();
  const auto folder = std::make_shared<std::string>();
  app.add_option("command", *command, "the page of this command; else of the program: tidemark man admin | man -l -");
  app.add_option("--to", *folder, "write all pages into this folder");
  app.callback([&app, command, folder, action] {
    *action = [&app, command, folder] { return ShowPage(*app.get_parent(), *command, *folder); };
  });
}

}  // namespace tidemark::cli
