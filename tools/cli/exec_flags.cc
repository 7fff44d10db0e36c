#include "tools/cli/exec_flags.h"

#include <stdlib.h>

#include <chrono>

#include "storage/base/clock.h"
#include "tools/cli/http_client.h"

namespace tidemark::cli {

void AddExecFlags(CLI::App& app, ExecFlags* flags) {
  app.add_option("file", flags->file, "pipeline file (YAML)")->required();
  app.add_option("--slots", flags->slots, "tasks that each agent may run at once")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--memory-budget", flags->memory_budget_bytes,
                 "what the agents may use together, for the reports, as 2GB or 2GiB (default: the machine's memory)")
      ->transform(CLI::AsSizeValue(true));
  app.add_flag("--fail-fast", flags->fail_fast, "start no further task after the first that fails");
  app.add_option("--server", flags->server, "report to this server")->envname("TIDEMARK_SERVER");
  app.add_option("--db", flags->database, "database of the reports")->capture_default_str();
  app.add_option("--label", flags->labels, "tag of all reports of this run, KEY=VALUE; may be repeated");
  app.add_option("--state-dir", flags->state_directory,
                 "where runs note what is under way, so that the next one can tell and end what a crash interrupted");
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
  if (!flags.server.empty()) {
    TM_TRY_ASSIGN(auto client, HttpClient::Create(flags.server));
    // A run must not wait for a server that hangs.
    client->set_timeout(std::chrono::seconds(10));
    session->sink.emplace(std::move(client));
  }
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
  options.run.state_directory = flags.state_directory.empty() ? DefaultStateDirectory() : flags.state_directory;
  options.run.adopt_orphans = true;
  if (session.sink) options.run.sink = &*session.sink;
  for (const std::string& text : flags.labels) {
    TM_TRY_ASSIGN(model::Label label, executor::ParseLabel(text));
    options.run.labels.push_back(std::move(label));
  }
  return options;
}

}  // namespace tidemark::cli
