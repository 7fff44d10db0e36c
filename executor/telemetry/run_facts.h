// Facts of a run: what happened to it, its tasks and its agents. The executor fills them in; the reporter turns them
// into points; whoever asked for the run gets them back.
//
// Times are nanoseconds: *_at_ns since 1970 (Clock::NowNs), *_after_ns since the start of the run, the rest durations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/labels.h"

namespace tidemark::executor {

// One run: what all its points have in common.
struct RunFacts {
  std::string run_id{};    // unique; a field, never a tag, so that runs do not make series
  std::string pipeline{};  // tag
  std::string mode{};      // tag: "sequential" or "parallel"
  model::Labels labels{};  // tags given by the caller
  size_t agents = 0;
  size_t slots = 1;  // of each agent
  size_t tasks = 0;
  int64_t started_at_ns = 0;
};

enum class GateStatus { kPass, kWarn, kFail };

// "PASS", "WARN", "FAIL".
std::string_view Name(GateStatus status);

// What a task's gate found in one attempt.
struct GateFacts {
  GateStatus status = GateStatus::kPass;
  std::optional<double> value{};  // the number, if there was one
  std::string unit{};
  std::string reason{};  // "84.2% < 85%", "0 issues", "exit code 3"; "" for a pass without a number
};

enum class Outcome { kSucceeded, kFailed, kTimedOut, kCancelled, kSkipped };

// "succeeded", "failed", "timed out", "cancelled", "skipped".
std::string_view Name(Outcome outcome);

// One attempt at one task, or a task that was never attempted (kSkipped; attempt 0).
struct TaskFacts {
  std::string task{};
  std::string kind{};   // tag
  std::string agent{};  // tag; "" when skipped
  Outcome outcome = Outcome::kSkipped;
  bool last_attempt = true;  // no further attempt follows
  int attempt = 0;           // from 1
  int exit_code = -1;        // -1 unless it exited by itself
  int signal = 0;            // the signal that ended it, if any
  bool killed = false;       // SIGTERM was not enough
  std::string error{};       // why it could not be started or was skipped
  int64_t ready_after_ns = 0;
  int64_t started_after_ns = 0;
  int64_t duration_ns = 0;
  int64_t user_cpu_ns = 0;
  int64_t system_cpu_ns = 0;
  int64_t max_rss_bytes = 0;
  int64_t read_bytes = 0;
  int64_t written_bytes = 0;
  uint64_t output_bytes = 0;
  size_t slots = 1;                 // of its agent that it took
  std::optional<GateFacts> gate{};  // its number, where it has one; the exit code is a gate of every task
  double progress_percent = -1;     // the last it told; -1: none
  uint64_t input_files = 0;         // that its patterns named when it started
  uint64_t input_bytes = 0;
  size_t escaped = 0;  // processes that had left its group and were killed at its end
  // The end of what it wrote; not reported. In a RunReport only of attempts that did not succeed.
  std::string output_tail{};
};

// The gate of an attempt: its number's, or that of its exit code.
GateFacts GateOf(const TaskFacts& task);

struct AgentFacts {
  std::string agent{};           // tag: "Agent-1", ...
  int64_t start_ns = 0;          // from asking for the thread until it runs
  int64_t channel_setup_ns = 0;  // until it can be given tasks and told to stop
  int64_t first_task_ns = -1;    // from asking for the thread until its first task runs; -1: it had none
  int64_t busy_ns = 0;           // in tasks, times the slots they took
  int64_t lock_wait_ns = 0;      // for the executor's own locks
  uint64_t attempts = 0;
};

// How far a run is.
struct RunProgress {
  size_t running = 0;
  size_t queued = 0;
  size_t complete = 0;  // ended or skipped
};

struct RunTotals {
  Outcome outcome = Outcome::kSucceeded;  // kFailed when any task failed or timed out, kCancelled when stopped
  size_t succeeded = 0, failed = 0, timed_out = 0, cancelled = 0, skipped = 0;  // tasks, by their last attempt
  int64_t duration_ns = 0;
  int64_t work_ns = 0;           // all attempts, summed
  int64_t cpu_ns = 0;            // user and system, summed
  int64_t critical_path_ns = 0;  // the longest chain of needs: no number of agents is faster
  int64_t max_rss_bytes = 0;     // of the largest process
  size_t gates_passed = 0, gates_warned = 0, gates_failed = 0;  // of tasks that were attempted, by their last attempt
  int64_t sequential_ns = 0;  // the same tasks one after another: measured, or else the work
  bool sequential_measured = false;
  double speedup = 0;          // sequential / duration
  double efficiency = 0;       // speedup / cores; a core for each slot of each agent
  double agents_busy = 0;      // busy time of the agents / (cores x duration)
  double utilisation = 0;      // CPU time of the tasks / (cores x duration)
  double lock_contention = 0;  // waits for the executor's own locks / (cores x duration)
  double io_wait = 0;          // of all processors' time, idle with I/O outstanding
  int64_t peak_rss_bytes = 0;  // of all agents' process trees together, as sampled
  double serial_share = 0;     // of the duration with at most one task running
};

}  // namespace tidemark::executor
