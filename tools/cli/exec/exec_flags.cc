#include "tools/cli/exec/exec_flags.h"

#include <fmt/core.h>
#include <stdlib.h>

#include "storage/base/clock.h"
#include "tools/cli/command.h"

namespace tidemark::cli {
namespace {

std::string StateDirectoryOf(const ExecFlags& flags) {
  return flags.state_directory.empty() ? DefaultStateDirectory() : flags.state_directory;
}

}  // namespace

void AddExecFlags(CLI::App& app, ExecFlags* flags) {
  app.add_option("file", flags->file, "pipeline file (YAML)")->required();
  app.add_option("--slots", flags->slots, "tasks that each agent may run at once")
      ->group("Tasks")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--memory-budget", flags->memory_budget_bytes,
                 "what the agents may use together, for the reports, as 2GB or 2GiB (default: the machine's memory)")
      ->group("Tasks")
      ->transform(CLI::AsSizeValue(true))
      // In place of a list of all units.
      ->option_text("SIZE");
  app.add_flag("--fail-fast", flags->fail_fast, "start no further task after the first that fails")->group("Tasks");
  AddPlaceFlags(app, &flags->server, &flags->data, "nowhere");
  app.add_option("--spool-limit", flags->spool_bytes,
                 "what may wait on disk while the server is away, 1MiB to 1TiB; the oldest reports then go")
      ->group("Reports")
      ->transform(CLI::AsSizeValue(true))
      ->check(CLI::Range(uint64_t{1} << 20, uint64_t{1} << 40))
      ->option_text(fmt::format("SIZE={}MiB", flags->spool_bytes >> 20));
  app.add_option("--db", flags->database, "database of the reports")->group("Reports")->capture_default_str();
  app.add_option("--label", flags->labels, "tag of all reports of this run, KEY=VALUE")->group("Reports");
  app.add_option("--state-dir", flags->state_directory,
                 "where runs note what is under way, so that the next one can tell and end what a crash interrupted,"
                 " and where reports wait for their server")
      ->group("Reports");
}

void AddPlaceFlags(CLI::App& app, std::string* server, std::string* data, const char* otherwise) {
  auto* const to_server =
      app.add_option(
             "--server", *server,
             fmt::format("the server with the reports (default: what TIDEMARK_SERVER says, else {})", otherwise))
          ->group("Reports");
  AddTokenFlag(app);
  app.add_option("--data", *data, "the data directory with the reports, opened without a server")
      ->group("Reports")
      ->excludes(to_server);
}

std::string ServerOfEnvironment() {
  const char* const server = getenv("TIDEMARK_SERVER");
  return server == nullptr ? "" : server;
}

std::string DefaultStateDirectory() {
  if (const char* const state = getenv("XDG_STATE_HOME"); state != nullptr && *state != '\0') {
    return std::string(state) + "/tidemark/exec";
  }
  if (const char* const home = getenv("HOME"); home != nullptr && *home != '\0') {
    return std::string(home) + "/.local/state/tidemark/exec";
  }
  return {};
}

Result<std::unique_ptr<ExecSession>> StartExec(const ExecFlags& flags) {
  auto session = std::make_unique<ExecSession>();
  session->run_id = executor::NewRunId(SystemClock::Get().NowNs());
  // First the guard, which forks; then the signals: threads that are started later inherit their mask.
  TM_TRY_ASSIGN(session->guard, executor::RunGuard::Start(session->run_id));
  TM_TRY_ASSIGN(session->signals, executor::SignalStop::Make());
  // Last: it starts threads.
  ReportPlace place{.server = flags.server,
                    .data = flags.data,
                    .state_directory = StateDirectoryOf(flags),
                    .spool_bytes = flags.spool_bytes};
  if (place.server.empty() && place.data.empty()) place.server = ServerOfEnvironment();
  TM_TRY_ASSIGN(session->reports, ExecReports::Open(place));
  return session;
}

Result<executor::RunCommandOptions> OptionsOf(const ExecFlags& flags, ExecSession& session) {
  executor::RunCommandOptions options;
  options.file = flags.file;
  options.show_output = flags.output;
  options.run.stop_token = session.signals->token();
  options.run.agents = flags.agents;
  options.run.slots = flags.slots;
  options.run.memory_budget_bytes = static_cast<int64_t>(flags.memory_budget_bytes);
  options.run.sequential = flags.sequential;
  options.run.fail_fast = flags.fail_fast;
  options.run.database = flags.database;
  options.run.output_directory = flags.output_directory;
  options.run.run_id = session.run_id;
  options.run.state_directory = StateDirectoryOf(flags);
  options.run.adopt_orphans = true;
  options.run.sink = session.reports->sink();
  for (const std::string& text : flags.labels) {
    TM_TRY_ASSIGN(model::Label label, executor::ParseLabel(text));
    options.run.labels.push_back(std::move(label));
  }
  return options;
}

}  // namespace tidemark::cli
