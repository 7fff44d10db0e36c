// Run: runs the tasks of a pipeline on agents and reports what happened.
//
//   TM_TRY_ASSIGN(const Pipeline pipeline, LoadPipeline("checks.yaml"));
//   TM_TRY_ASSIGN(const RunReport report, Run(pipeline, {.agents = 4, .sink = &sink}));
//   if (report.totals.outcome != Outcome::kSucceeded) ...
//
// An agent has slots, each a thread that runs one task at a time: a command in a process group of its own, or a
// function in this process. Tasks start in dependency order, the longest way to the end first. A task that fails takes
// those that need it with it; the others go on. When Run returns, nothing that it started is running.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "executor/agent/pipeline/pipeline.h"
#include "executor/agent/pipeline/schedule.h"
#include "executor/agent/run_journal.h"
#include "executor/telemetry/run_facts.h"
#include "executor/telemetry/run_reporter.h"
#include "storage/base/clock.h"
#include "storage/base/result.h"
#include "storage/model/labels.h"
#include "storage/model/point_sink.h"

namespace tidemark::executor {

// Follows a run. Called by agents on their threads, one call at a time; agents wait meanwhile.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void OnRunStart(const RunFacts&) {}
  // The facts known so far: task, kind, agent, attempt, times up to the start.
  virtual void OnTaskStart(const TaskFacts&) {}
  // A piece of the output, not cut at lines.
  virtual void OnTaskOutput(const TaskFacts&, std::string_view) {}
  // Percent, as the task told it.
  virtual void OnTaskProgress(const TaskFacts&, double) {}
  // Each attempt, and each skipped task.
  virtual void OnTaskEnd(const TaskFacts&) {}
};

struct RunOptions {
  // 0: as many as the process may use CPUs. Never more than there are tasks.
  size_t agents = 0;
  // Of each agent: tasks that it may run at once, when each takes one.
  size_t slots = 1;
  // One agent, and the mode "sequential" in all reports: the baseline that parallel runs are compared with.
  bool sequential = false;
  // After the first failed task no further ones are started.
  bool fail_fast = false;
  // Times, timeouts and grace are read from it.
  const Clock* clock = &SystemClock::Get();
  // Null: nothing is reported. Must be usable from another thread.
  model::PointSink* sink = nullptr;
  std::string database{kExecDatabase};
  // Tags of all points of this run.
  model::Labels labels{};
  // Cancels: running tasks are ended, all others skipped.
  std::stop_token stop_token{};
  RunObserver* observer = nullptr;
  // Puts tasks in the order of the critical path; without it, the number of tasks on the way to the end counts.
  KnownDurations known_durations{};
  // How long the same tasks take one after another, as measured; 0: unknown, then the sum of their times counts.
  int64_t baseline_ns = 0;
  // How often the machine and the agents' memory are looked at; 0: never. Only with a sink.
  int64_t sample_period_ns = 100'000'000;
  // What the agents may use together, for the reports; 0: the machine's memory.
  int64_t memory_budget_bytes = 0;
  // From SIGTERM to SIGKILL, on timeout and cancellation.
  int64_t grace_ns = 5'000'000'000;
  // The end of each task's output that is kept in memory.
  size_t output_tail_bytes = size_t{64} << 10;
  // Where each attempt's output goes as <task>.<attempt>.log; "": nowhere. The folder is made if missing.
  std::string output_directory{};
  // Bytes of one such file; what a task writes beyond is left out, and the file says so.
  uint64_t output_file_bytes = uint64_t{64} << 20;
  // "": a new one (NewRunId).
  std::string run_id{};
  // Where the run notes what is under way (run_journal.h), so that the next one can tell, and end, what a crash of this
  // process interrupted; "": nowhere.
  std::string state_directory{};
  // This process exists to run pipelines and may adopt, and at the end of the run kill, whatever is below it.
  bool adopt_orphans = false;
};

struct RunReport {
  RunFacts run;
  RunTotals totals;
  std::vector<TaskFacts> tasks;  // every attempt and every skipped task, in the order of their ends
  std::vector<AgentFacts> agents;
  ReportTally reports;
  std::vector<InterruptedRun> interrupted;  // found in RunOptions::state_directory at the start
};

// Unique: time and chance.
std::string NewRunId(int64_t now_ns);

// Blocks until the run has ended. Failed tasks are in the report; an Error means that nothing was run: a pipeline that
// does not pass Check, labels that may not be given, no descriptors or no output folder.
Result<RunReport> Run(const Pipeline& pipeline, const RunOptions& options = {});

// "32 ms", "1.50 s", "2 min 5 s".
std::string ToText(int64_t duration_ns);

}  // namespace tidemark::executor
