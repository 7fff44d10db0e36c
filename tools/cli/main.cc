// tidemark: everything that is not the server, as subcommands.
#include <fmt/core.h>

#include <exception>

#include "tools/cli/command.h"

namespace tidemark::cli {
namespace {

struct Row {
  const char* name;
  const char* help;
  AddCommand add;
};

constexpr Row kCommands[] = {
    {"write", "send line protocol to a server, or check it", AddWrite},
    {"query", "ask a server with PromQL", AddQuery},
    {"admin", "retention, compaction, checkpoints; verify and repair", AddAdmin},
    {"exec", "run the tasks of a pipeline on parallel agents", AddExec},
    {"bench", "measure a server", AddBench},
    {"demo", "simulate a backend to watch, and ask whether goals are met", AddDemo},
};

}  // namespace

int Main(int argc, char** argv) {
  CLI::App app("Tidemark, a time-series metrics database: the command");
  app.require_subcommand(1);
  Action action;
  for (const Row& row : kCommands) row.add(*app.add_subcommand(row.name, row.help), &action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  try {
    return action();
  } catch (const std::exception& error) {
    return Fail(error.what());
  }
}

}  // namespace tidemark::cli

int main(int argc, char** argv) { return tidemark::cli::Main(argc, argv); }
