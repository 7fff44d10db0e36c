// tidemark exec: runs pipelines and reports them to a server.
#include <fmt/core.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "executor/agent/pipeline_file.h"
#include "executor/agent/run_command.h"
#include "tools/cli/command.h"
#include "tools/cli/exec_compare.h"
#include "tools/cli/exec_flags.h"
#include "tools/cli/exec_history.h"
#include "tools/cli/time_text.h"

namespace tidemark::cli {
namespace {

// What the server knows from earlier runs; without it, runs go in the order of the file and have no baseline.
void Recall(const ExecFlags& flags, executor::RunOptions& run) {
  if (flags.server.empty()) return;
  const auto pipeline = executor::LoadPipeline(flags.file);
  auto client = HttpClient::Create(flags.server);
  if (!pipeline.ok() || !client.ok()) return;
  (*client)->set_timeout(std::chrono::seconds(10));
  auto durations = ReadDurations(**client, flags.database, pipeline->name);
  const auto baseline = ReadBaseline(**client, flags.database, pipeline->name, pipeline->tasks.size());
  if (!durations.ok() || !baseline.ok()) {
    fmt::print(stderr, "earlier runs are not known: {}\n",
               durations.ok() ? baseline.error().message : durations.error().message);
  }
  if (durations.ok()) run.known_durations = std::move(*durations);
  if (baseline.ok() && !run.sequential) run.baseline_ns = *baseline;
}

int RunPipeline(const ExecFlags& flags) {
  const auto session = StartExec(flags);
  if (!session.ok()) return Fail(session.error().message);
  auto options = OptionsOf(flags, **session);
  if (!options.ok()) return Fail(options.error().message);
  Recall(flags, options->run);
  const auto report = executor::RunPipelineFile(*options);
  if (!report.ok()) return Fail(report.error().message);
  return executor::ExitCode(*report);
}

struct HistoryFlags {
  std::string server = "http://127.0.0.1:8086";
  std::string database{executor::kExecDatabase};
  std::string pipeline;
  size_t limit = 20;
};

int ShowHistory(const HistoryFlags& flags) {
  auto client = HttpClient::Create(flags.server);
  if (!client.ok()) return Fail(client.error().message);
  const auto runs = ReadHistory(**client, flags.database, flags.pipeline, flags.limit);
  if (!runs.ok()) return Fail(runs.error().message);
  if (runs->empty()) fmt::print("no runs\n");
  for (const PastRun& run : *runs) {
    fmt::print("{}  {}  {:<10}  {:<11}  {:>10.3f} s  {:>6.2f}x  {:>5.1f}%  {:>5} tasks  {}\n", TimeToText(run.time_ms),
               run.pipeline, run.mode, run.outcome, run.seconds, run.speedup, run.efficiency * 100, run.tasks,
               run.labels.empty() ? "" : model::ToString(run.labels));
  }
  return 0;
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

  auto compare_flags = std::make_shared<CompareFlags>();
  auto* const compare = app.add_subcommand("compare", "run a pipeline in several ways and show what each wins");
  AddExecFlags(*compare, &compare_flags->exec);
  compare->add_option("--agents", compare_flags->exec.agents,
                      "without --vary: sequential, then 1 to so many agents (default: the CPUs there are)");
  compare->add_option("--vary", compare_flags->vary,
                      "NAME=VALUE,VALUE: an environment variable of all tasks, or agents or slots");
  compare->add_option("--repeat", compare_flags->repeat, "runs of each way")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  compare->callback([compare_flags, action] { *action = [compare_flags] { return RunCompare(*compare_flags); }; });

  auto history_flags = std::make_shared<HistoryFlags>();
  auto* const history = app.add_subcommand("history", "earlier runs, newest first, from a server");
  AddServerFlag(*history, &history_flags->server);
  history->add_option("--db", history_flags->database, "database of the reports")->capture_default_str();
  history->add_option("--pipeline", history_flags->pipeline, "only runs of this pipeline");
  history->add_option("--limit", history_flags->limit, "at most so many")->capture_default_str();
  history->callback([history_flags, action] { *action = [history_flags] { return ShowHistory(*history_flags); }; });
}

}  // namespace tidemark::cli
