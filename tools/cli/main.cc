// tidemark: everything that is not the server, as subcommands.

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "tools/cli/command.h"
#include "tools/cli/monitor/monitor_command.h"
#include "tools/cli/say.h"
#include "tools/help/help_text.h"
#include "tools/help/suggest.h"

namespace tidemark::cli {
namespace {

struct Row {
  const char* group;
  const char* name;
  const char* help;
  AddCommand add;
};

// In the order in which people need them; the commands of a group stand together.
constexpr Row kCommands[] = {
    {"Ask and watch", "query", "ask a server with PromQL", AddQuery},
    {"Ask and watch", "monitor", "watch the dashboard's pages in this terminal", AddMonitor},
    {"Write", "write", "send line protocol to a server, or check it", AddWrite},
    {"Alert", "alert", "what fires, whether receivers are reached, tests of rules", AddAlert},
    {"Run tasks", "exec", "run the tasks of a pipeline on parallel agents", AddExec},
    {"Administer", "admin", "databases, retention, tokens, backups, moving data; verify and repair", AddAdmin},
    {"Try and measure", "demo", "simulate a backend to watch, and ask whether goals are met", AddDemo},
    {"Try and measure", "bench", "measure a server", AddBench},
    {"Shell", "completion", "a script for bash, zsh or fish that completes commands and flags", AddCompletion},
    {"Shell", "man", "manual pages of the commands", AddMan},
};

// Whoever reads what was printed must be able to rely on the exit code: of a full disk or a closed descriptor.
int AfterFlush(int code) {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  const int error = errno != 0 ? errno : EIO;
  Say(stderr, "tidemark: the output could not be written: {}\n", std::strerror(error));
  return code == 0 ? 1 : code;
}

}  // namespace

int Main(int argc, char** argv) {
  CLI::App app("Tidemark, a time-series metrics database: the command");
  app.name("tidemark");
  help::Use(&app);
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("tidemark ") + TIDEMARK_VERSION);
  Action action;
  for (const Row& row : kCommands) {
    CLI::App* const command = app.add_subcommand(row.name, row.help);
    row.add(*command, &action);
    // Last, since commands below it would inherit it.
    command->group(row.group);
  }
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  // `tidemark help exec run` is `tidemark exec run --help`.
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  // The act as a flag of its group, as people know it from other programs.
  const std::vector<std::string> flag = {"admin", "audit", "--verify"};
  if (words.size() >= flag.size() && std::equal(flag.begin(), flag.end(), words.begin())) words[2] = "verify";
  try {
    // CLI11 takes them from the back.
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    const std::string mistake = error.get_exit_code() == 0 ? help::DescribeUnknownCommand(app, words)
                                                           : help::DescribeMistake(app, words, error);
    if (mistake.empty()) return app.exit(error);
    Say(stderr, "{}\n", mistake);
    return 2;
  }
  try {
    return action();
  } catch (const std::exception& error) {
    return Fail(error.what());
  }
}

}  // namespace tidemark::cli

int main(int argc, char** argv) { return tidemark::cli::AfterFlush(tidemark::cli::Main(argc, argv)); }
