// tidemark exec: runs pipelines and reports them to a server.
#include <fmt/core.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "executor/agent/run_command.h"
#include "executor/agent/signal_stop.h"
#include "tools/cli/command.h"
#include "tools/cli/http_client.h"
#include "tools/cli/remote_sink.h"

namespace tidemark::cli {
namespace {

struct ExecFlags {
  std::string file;
  std::string server;
  std::string database{executor::kExecDatabase};
  std::vector<std::string> labels;
  size_t agents = 0;
  bool sequential = false;
  bool fail_fast = false;
  bool output = false;
  std::string output_directory;
};

int RunPipeline(const ExecFlags& flags) {
  // First of all: threads that are started later inherit its signal mask.
  const auto signals = executor::SignalStop::Make();
  if (!signals.ok()) return Fail(signals.error().message);
  executor::RunCommandOptions options;
  options.run.stop_token = (*signals)->token();
  options.file = flags.file;
  options.show_output = flags.output;
  options.run.agents = flags.agents;
  options.run.sequential = flags.sequential;
  options.run.fail_fast = flags.fail_fast;
  options.run.database = flags.database;
  options.run.output_directory = flags.output_directory;
  for (const std::string& text : flags.labels) {
    const auto label = executor::ParseLabel(text);
    if (!label.ok()) return Fail(label.error().message);
    options.run.labels.push_back(*label);
  }
  std::optional<RemoteSink> sink;
  if (!flags.server.empty()) {
    auto client = HttpClient::Create(flags.server);
    if (!client.ok()) return Fail(client.error().message);
    // A run must not wait for a server that hangs.
    (*client)->set_timeout(std::chrono::seconds(10));
    sink.emplace(std::move(*client));
    options.run.sink = &*sink;
  }
  const auto report = executor::RunPipelineFile(options);
  if (!report.ok()) return Fail(report.error().message);
  return executor::ExitCode(*report);
}

}  // namespace

void AddExec(CLI::App& app, Action* action) {
  app.require_subcommand(1);
  auto flags = std::make_shared<ExecFlags>();
  auto* const run = app.add_subcommand("run", "run the tasks of a pipeline file");
  run->add_option("file", flags->file, "pipeline file (YAML)")->required();
  auto* const agents =
      run->add_option("--agents", flags->agents, "tasks that may run at once (default: the CPUs there are)");
  run->add_flag("--sequential", flags->sequential, "one task at a time: the baseline for comparisons")
      ->excludes(agents);
  run->add_flag("--fail-fast", flags->fail_fast, "start no further task after the first that fails");
  run->add_option("--server", flags->server, "report to this server")->envname("TIDEMARK_SERVER");
  run->add_option("--db", flags->database, "database of the reports")->capture_default_str();
  run->add_option("--label", flags->labels, "tag of all reports of this run, KEY=VALUE; may be repeated");
  run->add_flag("--output", flags->output, "show the output of all tasks as it comes");
  run->add_option("--output-dir", flags->output_directory, "keep the output of each task in a file there");
  run->callback([flags, action] { *action = [flags] { return RunPipeline(*flags); }; });
}

}  // namespace tidemark::cli
