// tidemark exec: runs pipelines and reports them to a server.
#include <fmt/core.h>

#include <memory>
#include <string>
#include <vector>

#include "executor/agent/run_command.h"
#include "tools/cli/command.h"
#include "tools/cli/exec_flags.h"

namespace tidemark::cli {
namespace {

int RunPipeline(const ExecFlags& flags) {
  const auto session = StartExec(flags);
  if (!session.ok()) return Fail(session.error().message);
  const auto options = OptionsOf(flags, **session);
  if (!options.ok()) return Fail(options.error().message);
  const auto report = executor::RunPipelineFile(*options);
  if (!report.ok()) return Fail(report.error().message);
  return executor::ExitCode(*report);
}

}  // namespace

void AddExec(CLI::App& app, Action* action) {
  app.require_subcommand(1);
  auto flags = std::make_shared<ExecFlags>();
  auto* const run = app.add_subcommand("run", "run the tasks of a pipeline file");
  AddExecFlags(*run, flags.get());
  auto* const agents =
      run->add_option("--agents", flags->agents, "agents that work at once (default: the CPUs there are)");
  run->add_flag("--sequential", flags->sequential, "one task at a time: the baseline for comparisons")
      ->excludes(agents);
  run->add_flag("--output", flags->output, "show the output of all tasks as it comes");
  run->add_option("--output-dir", flags->output_directory, "keep the output of each task in a file there");
  run->callback([flags, action] { *action = [flags] { return RunPipeline(*flags); }; });
}

}  // namespace tidemark::cli
