// Pipeline: what `tidemark exec run` runs: named tasks and which of them need which. Read from a YAML file:
//
//   name: checks                          # becomes the tag `pipeline`; default: the file's name without extension
//   working_directory: ..                 # relative to the file's folder; default: the file's folder
//   environment: {LANG: C}                # added to the environment of the process that runs the pipeline
//   tasks:
//     - name: build
//       kind: build                       # build, test, lint, ... becomes the tag `kind`; default "task"
//       command: ninja -C build           # a string goes to /bin/sh -c; a list is a program and its arguments
//       timeout: 10m                      # 500ms, 90s, 10m, 2h or seconds; default: none
//     - name: unit
//       kind: test
//       command: [ctest, --test-dir, build]
//       needs: [build]
//       retries: 1                        # attempts after the first failed one; default 0
//       working_directory: tests          # relative to the pipeline's
//       environment: {SEED: 7}            # added to the pipeline's
//       inputs: [src/*.cc]                # files it reads; one that is missing when it starts fails it
//       weight: 30                        # its usual duration in seconds, until runs have told; default: unknown
//       slots: 2                          # how many of its agent's slots it takes; default 1
//       progress: 'done ([0-9]+)'         # where its output tells percent, if not in a usual form (progress.h)
//       gate: {regex: 'lines: ([0-9.]+)%', unit: '%', warn: '< 85', fail: '< 70'}   # see gate.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "executor/agent/pipeline/gate.h"
#include "storage/base/result.h"

namespace tidemark::executor {

using Environment = std::vector<std::pair<std::string, std::string>>;

// What a task in process is given. Use it on the thread that runs the task.
class TaskContext {
 public:
  virtual ~TaskContext() = default;
  // Output of the task: kept, shown, and read for its gate and its progress.
  virtual void Print(std::string_view text) = 0;
  // How far it is, in percent [0, 100].
  virtual void Progress(double percent) = 0;
  // The run was cancelled or the timeout has passed: the task should return soon. Nothing can make it.
  [[nodiscard]] virtual bool stop_requested() const = 0;
};

// A task in process. An Error fails it with its message, an exception too.
using TaskFunction = std::function<Result<void>(TaskContext&)>;

struct TaskSpec {
  std::string name{};  // unique in the pipeline
  std::string kind = "task";
  std::vector<std::string> command{};  // program and arguments; empty only with `function`
  TaskFunction function{};             // runs in this process instead of a command
  std::vector<size_t> needs{};         // indices into Pipeline::tasks, without repeats
  int64_t timeout_ns = 0;              // for each attempt; 0: none
  int retries = 0;
  std::vector<std::string> inputs{};  // glob patterns, relative to the working directory
  int64_t weight_ns = 0;              // expected duration; 0: unknown
  size_t slots = 1;                   // of its agent's; more than an agent has counts as all of them
  std::string progress{};             // RE2 with one group; "": the usual forms
  std::optional<GateSpec> gate{};
  Environment environment{};        // the pipeline's and the task's own; later entries win
  std::string working_directory{};  // absolute, or relative to the process; "": the process's own
};

// Made by ParsePipeline, or by hand: Check says whether it can run.
struct Pipeline {
  std::string name{};
  std::vector<TaskSpec> tasks{};

  // kInvalidArgument when a name is empty or taken twice, a command is missing, or needs are out of range or in a
  // circle.
  [[nodiscard]] Result<void> Check() const;
};

// The tasks in a circle of needs, each needing the next, the first one repeated at the end; empty when there is none.
std::vector<size_t> FindCycle(const std::vector<TaskSpec>& tasks);

// Names of pipelines, tasks and kinds: 1 to 100 letters, digits and `_ . - / :`.
[[nodiscard]] bool IsName(std::string_view text);

}  // namespace tidemark::executor
