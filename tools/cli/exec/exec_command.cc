// tidemark exec: runs pipelines and reports them to a server or into a data directory.
#include <fmt/core.h>

#include <memory>
#include <string>
#include <vector>

#include "executor/agent/pipeline/pipeline_file.h"
#include "executor/agent/run_command.h"
#include "tools/cli/command.h"
#include "tools/cli/exec/exec_compare.h"
#include "tools/cli/exec/exec_flags.h"
#include "tools/cli/exec/exec_history.h"
#include "tools/cli/exec/run_tasks.h"
#include "tools/cli/say.h"

namespace tidemark::cli {
namespace {

// What is known of earlier runs; without it, runs go in the order of the file and have no baseline.
void Recall(const ExecFlags& flags, ApiSource* api, executor::RunOptions& run) {
  if (api == nullptr) return;
  const auto pipeline = executor::LoadPipeline(flags.file);
  if (!pipeline.ok()) return;
  auto durations = ReadDurations(*api, flags.database, pipeline->name);
  // A server that is away would only be waited for once more.
  const bool there = durations.ok() || durations.error().code != ErrorCode::kUnavailable;
  const auto baseline = there ? ReadBaseline(*api, flags.database, pipeline->name, pipeline->tasks.size())
                              : Result<int64_t>(durations.error());
  if (!durations.ok() || !baseline.ok()) {
    Say(stderr, "earlier runs are not known: {}\n",
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
  if ((*session)->reports->sink() == nullptr) {
    Say(stderr, "this run reports nowhere: --server URL, TIDEMARK_SERVER or --data DIR would keep it\n");
  }
  Recall(flags, (*session)->reports->api(), options->run);
  const auto report = executor::RunPipelineFile(*options);
  (*session)->reports->Finish(stderr);
  if (!report.ok()) return Fail(report.error().message);
  return executor::ExitCode(*report);
}

struct HistoryFlags {
  std::string server;
  std::string data;
  std::string state_directory;
  std::string database{executor::kExecDatabase};
  std::string pipeline;
  std::string run;
  size_t limit = 20;
};

int ShowRun(const HistoryFlags& flags, ExecReports& reports) {
  const auto tasks = ReadRunTasks(*reports.api(), flags.database, flags.run);
  reports.Finish(stderr);
  if (!tasks.ok()) return Fail(tasks.error().message);
  if (tasks->empty()) {
    return Fail(fmt::format("no task of a run \"{}\" is known: `tidemark exec history` shows ids", flags.run));
  }
  Say("{}", RunTasksText(*tasks));
  return 0;
}

int ShowHistory(const HistoryFlags& flags) {
  ReportPlace place{.server = flags.server,
                    .data = flags.data,
                    .state_directory = flags.state_directory.empty() ? DefaultStateDirectory() : flags.state_directory};
  if (place.server.empty() && place.data.empty()) place.server = ServerOfEnvironment();
  if (place.server.empty() && place.data.empty()) place.server = kUsualServer;
  const auto reports = ExecReports::Open(place);
  if (!reports.ok()) return Fail(reports.error().message);
  // Reports that still wait for the server belong to the history.
  (*reports)->DeliverWaiting();
  if (!flags.run.empty()) return ShowRun(flags, **reports);
  const auto runs = ReadHistory(*(*reports)->api(), flags.database, flags.pipeline, flags.limit);
  (*reports)->Finish(stderr);
  if (!runs.ok()) return Fail(runs.error().message);
  if (runs->empty()) Say("no runs\n");
  for (const PastRun& run : *runs) Say("{}", HistoryLine(run));
  return 0;
}

}  // namespace

void AddExec(CLI::App& app, Action* action) {
  app.require_subcommand(1);
  auto flags = std::make_shared<ExecFlags>();
  auto* const run = app.add_subcommand("run", "run the tasks of a pipeline file");
  AddExecFlags(*run, flags.get());
  auto* const agents =
      run->add_option("--agents", flags->agents, "agents that work at once (default: the CPUs there are)")
          ->group("Tasks");
  run->add_flag("--sequential", flags->sequential, "one task at a time: the baseline for comparisons")
      ->group("Tasks")
      ->excludes(agents);
  run->add_flag("--output", flags->output, "show the output of all tasks as it comes")->group("Output");
  run->add_option("--output-dir", flags->output_directory, "keep the output of each task in a file there")
      ->group("Output");
  run->callback([flags, action] { *action = [flags] { return RunPipeline(*flags); }; });

  auto compare_flags = std::make_shared<CompareFlags>();
  auto* const compare = app.add_subcommand("compare", "run a pipeline in several ways and show what each wins");
  AddExecFlags(*compare, &compare_flags->exec);
  compare
      ->add_option("--agents", compare_flags->exec.agents,
                   "without --vary: sequential, then 1 to so many agents (default: the CPUs there are)")
      ->group("Tasks");
  compare
      ->add_option("--vary", compare_flags->vary,
                   "NAME=VALUE,VALUE: an environment variable of all tasks, or agents or slots")
      ->group("Ways");
  compare->add_option("--repeat", compare_flags->repeat, "runs of each way")
      ->group("Ways")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  compare->callback([compare_flags, action] { *action = [compare_flags] { return RunCompare(*compare_flags); }; });

  auto history_flags = std::make_shared<HistoryFlags>();
  auto* const history = app.add_subcommand("history", "earlier runs, newest first");
  AddPlaceFlags(*history, &history_flags->server, &history_flags->data, kUsualServer);
  history->add_option("--state-dir", history_flags->state_directory, "where reports may wait for their server")
      ->group("Reports");
  history->add_option("--db", history_flags->database, "database of the reports")
      ->group("Reports")
      ->capture_default_str();
  history->add_option("--pipeline", history_flags->pipeline, "only runs of this pipeline")->group("Which runs");
  history
      ->add_option("--run", history_flags->run,
                   "the tasks of this run and on which agents they ran, instead; the last but one column has ids")
      ->group("Which runs");
  history->add_option("--limit", history_flags->limit, "at most so many")->group("Which runs")->capture_default_str();
  history->callback([history_flags, action] { *action = [history_flags] { return ShowHistory(*history_flags); }; });
}

}  // namespace tidemark::cli
