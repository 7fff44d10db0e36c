// Run: runs the tasks of a pipeline on agents and reports what happened.
//
//   TM_TRY_ASSIGN(const Pipeline pipeline, LoadPipeline("checks.yaml"));
//   TM_TRY_ASSIGN(const RunReport report, Run(pipeline, {.agents = 4, .sink = &sink}));
//   if (report.totals.outcome != Outcome::kSucceeded) ...
//
// An agent is a thread that runs one task at a time, each in a process group of its own. Tasks start in dependency
// order, the longest way to the end first. A task that fails takes those that need it with it; the others go on.
// When Run returns, nothing that it started is running.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "executor/agent/pipeline.h"
#include "executor/agent/schedule.h"
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
  // Each attempt, and each skipped task.
  virtual void OnTaskEnd(const TaskFacts&) {}
};

struct RunOptions {
  // Tasks that may run at once; 0: as many as the process may use CPUs. Never more than there are tasks.
  size_t agents = 0;
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
  // From SIGTERM to SIGKILL, on timeout and cancellation.
  int64_t grace_ns = 5'000'000'000;
  // The end of each task's output that is kept in memory.
  size_t output_tail_bytes = size_t{64} << 10;
  // Where each attempt's output goes as <task>.<attempt>.log; "": nowhere. The folder is made if missing.
  std::string output_directory{};
  // Bytes of one such file; what a task writes beyond is left out, and the file says so.
  uint64_t output_file_bytes = uint64_t{64} << 20;
  // "": a new one.
  std::string run_id{};
};

struct RunReport {
  RunFacts run;
  RunTotals totals;
  std::vector<TaskFacts> tasks;  // every attempt and every skipped task, in the order of their ends
  std::vector<AgentFacts> agents;
  ReportTally reports;
};

// Blocks until the run has ended. Failed tasks are in the report; an Error means that nothing was run: a pipeline that
// does not pass Check, labels that may not be given, no descriptors or no output folder.
Result<RunReport> Run(const Pipeline& pipeline, const RunOptions& options = {});

// "32 ms", "1.50 s", "2 min 5 s".
std::string ToText(int64_t duration_ns);

}  // namespace tidemark::executor
