// Facts of a run: what happened to it, its tasks and its agents. The executor fills them in; the reporter turns them
// into points; whoever asked for the run gets them back.
//
// Times are nanoseconds: *_at_ns since 1970 (Clock::NowNs), *_after_ns since the start of the run, the rest durations.
#pragma once

#include <cstddef>
#include <cstdint>
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
  size_t tasks = 0;
  int64_t started_at_ns = 0;
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
  // The end of what it wrote; not reported. In a RunReport only of attempts that did not succeed.
  std::string output_tail{};
};

struct AgentFacts {
  std::string agent{};           // tag: "Agent-1", ...
  int64_t start_ns = 0;          // from asking for the thread until it runs
  int64_t channel_setup_ns = 0;  // until it can be given tasks and told to stop
  int64_t first_task_ns = -1;    // from asking for the thread until its first task runs; -1: it had none
  int64_t busy_ns = 0;           // in tasks
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
  double speedup = 0;            // work / duration: over the same tasks one after another
  double efficiency = 0;         // speedup / agents
  double utilisation = 0;        // busy time of the agents / (agents x duration)
};

}  // namespace tidemark::executor
