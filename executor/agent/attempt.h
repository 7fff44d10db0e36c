// One attempt at one task, in a process or in this one: output, progress, timeout and gate, from start to end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "executor/agent/pipeline/pipeline.h"
#include "executor/agent/process/process.h"
#include "executor/telemetry/run_facts.h"
#include "storage/base/clock.h"

namespace tidemark::executor {

struct AttemptSettings {
  int64_t grace_ns = 0;
  size_t output_tail_bytes = 0;
  std::string output_directory{};
  std::string output_stem{};  // of the file there
  uint64_t output_file_bytes = 0;
  std::string mark{};  // names the attempt for task_mark.h
};

// Called on the agent's thread.
struct AttemptEvents {
  // It runs; `pid` is 0 for a task in process.
  std::function<void(pid_t pid)> on_started{};
  std::function<void(std::string_view bytes)> on_output{};
  std::function<void(double percent)> on_progress{};
  // Something about the attempt that does not change its outcome, as an output file that cannot be written.
  std::function<void(const std::string& text)> on_trouble{};
};

// Blocks. `facts` says which task and attempt it is; its duration is left to the caller.
TaskFacts Attempt(const TaskSpec& task, TaskFacts facts, const AttemptSettings& settings, const Clock& clock,
                  const StopSignal& stop, const AttemptEvents& events);

}  // namespace tidemark::executor
